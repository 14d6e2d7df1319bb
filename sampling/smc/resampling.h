// Resampling: indices drawn in proportion to weights, so that the copies of i number count W_i on
// average.
//
//   systematic    pointers (k + U) / count: floor or ceiling of count W_i copies; one random number
//   stratified    pointers (k + U_k) / count
//   residual      floor(count W_i) copies of each, the rest multinomial from what remains
//   multinomial   independent draws
//
// Pointers fall into the intervals that the W_i cut from [0, 1). Log weights may be -infinity: such
// an index is never drawn. Throws Error, naming the index, for one that is NaN or +infinity, and if
// all are -infinity. Source: Douc, Cappe, Moulines, "Comparison of resampling schemes for particle
// filtering", 2005. The systematic scheme is that of Carpenter, Clifford, Fearnhead, 1999.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/base/random.h"

namespace arbg::sampling {

enum class Resampling { systematic, stratified, residual, multinomial };

Resampling resampling_named(const std::string& name);  // throws Error listing the names
const char* name_of(Resampling scheme);

// `count` indices in ascending order, from the uniform numbers first, first + 1, ... first + count.
std::vector<std::int64_t> resample(Resampling scheme, std::span<const double> log_weights,
                                   std::int64_t count, const Random& random,
                                   std::uint64_t first = 0);

}  // namespace arbg::sampling
