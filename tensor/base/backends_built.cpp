// What this build has. By itself: the tests build it, and the few files beside it that ask for
// ARBG_CUDA, a second time for an emulated device.
#include <array>

#include "tensor/base/backend.h"

namespace arbg {

std::span<const Backend> backends_built() {
#if defined(ARBG_CUDA)
  static constexpr std::array kBuilt{Backend::reference, Backend::cpu, Backend::cuda};
#else
  static constexpr std::array kBuilt{Backend::reference, Backend::cpu};
#endif
  return kBuilt;
}

}  // namespace arbg
