#include "tensor/base/backend.h"

#include "tensor/base/error.h"

namespace arbg {

const char* name_of(Backend backend) {
  switch (backend) {
    case Backend::reference:
      return "reference";
    case Backend::cpu:
      return "cpu";
    case Backend::cuda:
      return "cuda";
  }
  return "unknown";
}

Backend backend_named(std::string_view name) {
  if (name == "reference") return Backend::reference;
  if (name == "cpu") return Backend::cpu;
  require(name != "cuda", "this build has no cuda backend; choose reference or cpu");
  fail("there is no backend named \"", name, "\"; choose reference or cpu");
}

}  // namespace arbg
