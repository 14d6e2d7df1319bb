#include "sampling/proposals/shared_samples.h"

#include <numeric>

namespace arbg::sampling {
namespace {

template <class Gather>
Samples gathered(const Samples& own, const Gather& gather) {
  Samples all;
  all.coordinates = gather(std::span(own.coordinates));
  all.positions_nm = gather(std::span(own.positions_nm));
  all.log_q = gather(std::span(own.log_q));
  all.log_volume = gather(std::span(own.log_volume));
  const auto reflected = gather(std::span(&own.reflected, 1));
  all.reflected = std::reduce(reflected.begin(), reflected.end());
  return all;
}

}  // namespace

Samples gather(const Samples& own, const Ranks& ranks) {
  return gathered(own, [&](auto numbers) { return ranks.gather(numbers); });
}

Samples gather_at_first(const Samples& own, const Ranks& ranks) {
  return gathered(own, [&](auto numbers) { return ranks.gather_at_first(numbers); });
}

}  // namespace arbg::sampling
