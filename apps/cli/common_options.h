// The options that all commands have, applied: threads set, backend and seed read.
#pragma once

#include <cstdint>

#include "apps/cli/command_line.h"
#include "tensor/base/backend.h"

namespace arbg::apps {

struct CommonOptions {
  std::uint64_t seed = 1;
  Backend backend = Backend::cpu;
  bool json = false;
};

CommonOptions apply_common_options(const Arguments& arguments);

}  // namespace arbg::apps
