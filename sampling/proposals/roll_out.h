// One sample, coordinate by coordinate: the distribution that each was drawn from.
//
//   log q(z) = sum_j log_drawn[j] - log_volume of the bins
//
// log_p[j, v] = log P(v | z_<j) is that of a decoding, computed through a cache as the sampler does
// it; log_drawn[j] is that of the bin of z_j with the density within it (nn/heads/binned.h): the
// same number where bins are uniform. Beside it stands what the placement energies u_c of the
// coordinate would give alone, without the network: log softmax_v(-sum_c u_c[v])
// (atom_placement.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sampling/proposals/generator.h"

namespace arbg::sampling {

struct RollOut {
  std::vector<std::int32_t> token;      // k [K]
  std::vector<double> log_p;            // [K, V]; -infinity where a decoding leaves nothing
  std::vector<double> log_drawn;        // [K]
  std::vector<std::int32_t> curve;      // [K], which row of log_placed a coordinate has; -1: none
  std::vector<double> log_placed = {};  // [curves, V]
};

// Of coordinates z [K] in the support. Throws Error naming the first coordinate outside, and if the
// network's outputs are those of no distribution.
RollOut roll_out(const Generator& generator, std::span<const double> z, const Decoding& decoding);

}  // namespace arbg::sampling
