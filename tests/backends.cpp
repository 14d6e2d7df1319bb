#include "tests/backends.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tensor/device/available.h"

namespace arbg {
namespace {

int skipped = 0;

}  // namespace

std::vector<Backend> backends_here() {
  std::vector<Backend> here;
  for (const Backend backend : backends_built()) {
    const std::string reason = tensor::why_absent(backend);
    if (reason.empty()) {
      here.push_back(backend);
    } else {
      ++skipped;
      MESSAGE("SKIPPED for the backend ", std::string(name_of(backend)), ": ", reason);
    }
  }
  return here;
}

bool is_here(Backend backend) { return std::ranges::count(backends_here(), backend) > 0; }

bool is_built(Backend backend) { return std::ranges::count(backends_built(), backend) > 0; }

bool is_slow(Backend backend) {
  return backend == Backend::reference ||
         tensor::device_name({backend}).find("emulated") != std::string::npos;
}

int backends_skipped() { return skipped; }

}  // namespace arbg
