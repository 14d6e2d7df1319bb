// The options that all commands have, applied: threads set, backend and seed read.
#pragma once

#include <cstdint>

#include "apps/command_line.h"
#include "md/energy.h"
#include "tensor/tensor.h"

namespace arbg::apps {

struct CommonOptions {
  std::uint64_t seed = 1;
  tensor::Backend backend = tensor::Backend::cpu;
  bool json = false;

  md::EnergyBackend energy_backend() const {
    return backend == tensor::Backend::reference ? md::EnergyBackend::reference
                                                 : md::EnergyBackend::cpu;
  }
};

CommonOptions apply_common_options(const Arguments& arguments);

}  // namespace arbg::apps
