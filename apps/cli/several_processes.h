// What each of several processes does before it works: it finds its place, and that all are alike.
#pragma once

#include <string>
#include <vector>

#include "tensor/base/ranks.h"

namespace arbg::apps {

// Together. Throws Error, at every rank, if they are not of one program or not given the same
// `words`. Ranks with the same CPUs share these: the default of --threads is its part. Of the GPUs
// of a machine each rank is left one (tensor/base/world.h). With one rank nothing happens.
void prepare_several_processes(const Ranks& ranks, const std::vector<std::string>& words);

// From now on nothing is printed.
void be_silent();

}  // namespace arbg::apps
