#include "sampling/evaluation/parts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "sampling/smc/population.h"

namespace arbg::sampling {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastParts = 10;
constexpr double kLevel = 0.95;

metrics::BootstrapSettings settings_of(double parts, std::uint64_t seed) {
  metrics::BootstrapSettings out;
  out.level = metrics::widened_level(kLevel, parts);
  out.seed = seed;
  return out;
}

double of_all(std::size_t units, const metrics::Statistic& statistic) {
  std::vector<std::size_t> all(units);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return statistic(all);
}

double sum_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

Parts Parts::of_rows(std::span<const std::int64_t> rows) const {
  Parts out{{}, count, rows_too};
  for (const auto row : rows) out.part_of.push_back(part_of[static_cast<std::size_t>(row)]);
  return out;
}

std::vector<double> Parts::sum(std::span<const double> values) const {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < part_of.size(); ++i)
    out[part_of[i]] += values.empty() ? 1 : values[i];
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
  Parts out{{}, static_cast<std::size_t>(parts), samples.populations == 0};
  for (std::int64_t p = 0; p < parts; ++p) {
    const auto last = static_cast<std::size_t>(first_particle(size, parts, p + 1));
    out.part_of.resize(last, static_cast<std::size_t>(p));
  }
  return out;
}

double effective_number(std::span<const double> weights) {
  double sum = 0, squares = 0;
  for (const double w : weights) sum += w, squares += w * w;
  return squares > 0 ? sum * sum / squares : 0;
}

double independent_draws(const Parts& parts, std::span<const double> weights) {
  if (parts.rows_too && !weights.empty()) return effective_number(weights);
  return parts.rows_too ? static_cast<double>(parts.part_of.size())
                        : effective_number(parts.sum(weights));
}

Ratio::Ratio(std::vector<double> part_, std::vector<double> whole_)
    : part(std::move(part_)), whole(std::move(whole_)), all_(sum_of(part) / sum_of(whole)) {}

metrics::Statistic Ratio::statistic() const {
  return [this](std::span<const std::size_t> units) {
    double sum = 0, total = 0;
    for (const std::size_t unit : units) {
      sum += part[unit];
      total += whole[unit];
    }
    return total > 0 ? sum / total : all_;
  };
}

metrics::Interval without_interval(double estimate) { return {estimate, kUnknown, kUnknown}; }

metrics::Interval interval_over(std::span<const double> whole, const metrics::Statistic& statistic,
                                std::uint64_t seed) {
  const double parts = effective_number(whole);
  if (parts < kLeastParts) return without_interval(of_all(whole.size(), statistic));
  return metrics::bootstrap(whole.size(), statistic, settings_of(parts, seed));
}

metrics::Interval difference_over(std::span<const double> whole_a, const metrics::Statistic& a,
                                  std::span<const double> whole_b, const metrics::Statistic& b,
                                  std::uint64_t seed) {
  const double parts = std::min(effective_number(whole_a), effective_number(whole_b));
  if (parts < kLeastParts)
    return without_interval(of_all(whole_a.size(), a) - of_all(whole_b.size(), b));
  return metrics::bootstrap_difference(whole_a.size(), a, whole_b.size(), b,
                                       settings_of(parts, seed));
}

metrics::Interval difference_over(const Ratio& a, const Ratio& b, std::uint64_t seed) {
  return difference_over(a.whole, a.statistic(), b.whole, b.statistic(), seed);
}

metrics::Interval difference_of_shares(const Ratio& a, const metrics::Interval& share_a,
                                       const Ratio& b, const metrics::Interval& share_b,
                                       std::uint64_t seed) {
  const auto is_end = [](double share) { return share == 0 || share == 1; };
  if (!is_end(share_a.estimate) && !is_end(share_b.estimate)) return difference_over(a, b, seed);
  return {share_a.estimate - share_b.estimate, share_a.low - share_b.high,
          share_a.high - share_b.low};
}

metrics::Interval share_over(const Ratio& share, double draws, std::uint64_t seed) {
  const double found = share.of_all();
  if (found > 0 && found < 1) return interval_over(share.whole, share.statistic(), seed);
  if (draws < kLeastParts) return without_interval(found);
  const double unseen = most_unseen(draws);
  return found > 0 ? metrics::Interval{1, 1 - unseen, 1} : metrics::Interval{0, 0, unseen};
}

double most_unseen(double draws) { return 1 - std::pow(1 - kLevel, 1 / draws); }

}  // namespace arbg::sampling
