// Weights normalised to sum to 1.
//
// `weights` may be empty: equal weights. Throws Error for no samples, another number of weights,
// weights that are negative or not finite (naming the index), or all 0.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace arbg::metrics {

std::vector<double> shares(std::span<const double> weights, std::size_t count);

}  // namespace arbg::metrics
