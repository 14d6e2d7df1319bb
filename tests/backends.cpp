#include "tests/backends.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/device/buffer.h"

namespace arbg {
namespace {

int skipped = 0;

}  // namespace

std::vector<Backend> backends_here() {
  std::vector<Backend> here;
  for (const Backend backend : backends_built()) {
    const std::string reason = why_absent(backend);
    if (reason.empty()) {
      here.push_back(backend);
    } else {
      ++skipped;
      MESSAGE("SKIPPED for the backend ", std::string(name_of(backend)), ": ", reason);
    }
  }
  return here;
}

bool is_built(Backend backend) { return std::ranges::count(backends_built(), backend) > 0; }

std::string why_absent(Backend backend) {
  try {
    const tensor::Buffer buffer(1, {backend});
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

int backends_skipped() { return skipped; }

}  // namespace arbg
