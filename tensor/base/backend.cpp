#include "tensor/base/backend.h"

#include <string>

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
  std::string choices;
  for (const Backend backend : backends_built()) {
    if (name == name_of(backend)) return backend;
    choices += (choices.empty() ? "" : " or ") + std::string(name_of(backend));
  }
  require(name != "cuda", "this build has no cuda backend, which it gets where the CUDA Toolkit is found; choose ", choices);
  fail("there is no backend named \"", name, "\"; choose ", choices);
}

}  // namespace arbg
