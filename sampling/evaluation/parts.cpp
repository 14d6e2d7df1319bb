#include "sampling/evaluation/parts.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "sampling/smc/population.h"

namespace arbg::sampling {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastParts = 10;

metrics::BootstrapSettings settings_of(std::uint64_t seed) {
  metrics::BootstrapSettings out;
  out.seed = seed;
  return out;
}

double of_all(std::size_t units, const metrics::Statistic& statistic) {
  std::vector<std::size_t> all(units);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return statistic(all);
}

}  // namespace

Parts Parts::of_rows(std::span<const std::int64_t> rows) const {
  Parts out{{}, count};
  for (const auto row : rows) out.part_of.push_back(part_of[static_cast<std::size_t>(row)]);
  return out;
}

std::vector<double> Parts::weigh(std::span<const double> weights) const {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < part_of.size(); ++i)
    out[part_of[i]] += weights.empty() ? 1 : weights[i];
  return out;
}

Parts replicas_of(std::int64_t frames, std::int64_t replicas) {
  Parts out{{}, static_cast<std::size_t>(replicas)};
  for (std::int64_t f = 0; f < frames; ++f)
    out.part_of.push_back(static_cast<std::size_t>(f % replicas));
  return out;
}

Parts parts_of(const WeightedEnsemble& samples) {
  if (samples.weight_kind == WeightKind::none)
    return replicas_of(samples.count(), samples.replicas);
  constexpr std::int64_t kParts = 100;
  const std::int64_t size = samples.count(),
                     parts = samples.populations > 0 ? samples.populations : std::min(kParts, size);
  Parts out{{}, static_cast<std::size_t>(parts)};
  for (std::int64_t p = 0; p < parts; ++p) {
    const auto last = static_cast<std::size_t>(first_particle(size, parts, p + 1));
    out.part_of.resize(last, static_cast<std::size_t>(p));
  }
  return out;
}

bool are_enough(std::span<const double> whole) {
  double sum = 0, squares = 0;
  for (const double w : whole) sum += w, squares += w * w;
  return sum > 0 && sum * sum >= kLeastParts * squares;
}

metrics::Interval without_interval(double estimate) { return {estimate, kUnknown, kUnknown}; }

metrics::Interval interval_over(std::size_t units, const metrics::Statistic& statistic, bool enough,
                                std::uint64_t seed) {
  if (!enough) return without_interval(of_all(units, statistic));
  return metrics::bootstrap(units, statistic, settings_of(seed));
}

metrics::Interval difference_over(std::size_t units_a, const metrics::Statistic& a,
                                  std::size_t units_b, const metrics::Statistic& b, bool enough,
                                  std::uint64_t seed) {
  if (!enough) return without_interval(of_all(units_a, a) - of_all(units_b, b));
  return metrics::bootstrap_difference(units_a, a, units_b, b, settings_of(seed));
}

}  // namespace arbg::sampling
