#include "sampling/evaluation/basins.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace arbg::sampling {
namespace {

constexpr double kMostKt = 20, kInfinity = std::numeric_limits<double>::infinity();

// What lies in each basin, part by part, and how to draw from it.
struct Weighed {
  std::vector<Ratio> shares;  // [basins]
  double draws;               // that all of it is worth

  Weighed(const Angles& angles, std::span<const double> weights, const Parts& parts)
      : draws(independent_draws(parts, weights)) {
    std::array<std::vector<double>, metrics::kBasins> in;
    in.fill(std::vector<double>(parts.count));
    for (std::size_t i = 0; i < angles.phi.size(); ++i) {
      const auto basin = static_cast<std::size_t>(metrics::basin_of(angles.phi[i], angles.psi[i]));
      in[basin][parts.part_of[i]] += weights.empty() ? 1 : weights[i];
    }
    for (auto& of_parts : in) shares.emplace_back(std::move(of_parts), parts.sum(weights));
  }

  const std::vector<double>& whole() const { return shares.front().whole; }

  // Of drawn parts, within 20 kT.
  metrics::Statistic free_energy(std::size_t basin, std::size_t lowest) const {
    const auto kt = [](double a, double b, double otherwise) {
      if (a == 0 && b == 0) return otherwise;
      return std::clamp(metrics::free_energy_difference(a, b), -kMostKt, kMostKt);
    };
    const double of_all = kt(shares[basin].of_all(), shares[lowest].of_all(), kMostKt);
    return
        [above = shares[basin].statistic(), below = shares[lowest].statistic(), of_all,
         kt](std::span<const std::size_t> units) { return kt(above(units), below(units), of_all); };
  }

  // Infinite where a basin is empty: then the interval reaches from what its share is at most.
  metrics::Interval free_energy_interval(std::size_t basin, std::size_t lowest,
                                         std::uint64_t seed) const;
};

double opened(double kt) { return std::abs(kt) < kMostKt ? kt : std::copysign(kInfinity, kt); }

metrics::Interval Weighed::free_energy_interval(std::size_t basin, std::size_t lowest,
                                                std::uint64_t seed) const {
  const double here = shares[basin].of_all(), there = shares[lowest].of_all();
  if (here > 0 && there > 0) {
    const auto out = interval_over(whole(), free_energy(basin, lowest), seed);
    return {out.estimate, opened(out.low), opened(out.high)};
  }
  if (here == 0 && there == 0) return without_interval(std::numeric_limits<double>::quiet_NaN());
  const metrics::Interval unseen =
      share_over(here == 0 ? shares[basin] : shares[lowest], draws, seed);
  const double bound = -std::log(unseen.high / (here == 0 ? there : here));
  return here == 0 ? metrics::Interval{kInfinity, bound, std::isnan(bound) ? bound : kInfinity}
                   : metrics::Interval{-kInfinity, std::isnan(bound) ? bound : -kInfinity, -bound};
}

// Where a basin is empty on one side: as far apart as the two intervals allow.
metrics::Interval difference_of(const Weighed& s, const Weighed& r, const BasinFigures& basin,
                                std::size_t k, std::size_t lowest, std::uint64_t seed) {
  const metrics::Interval &a = basin.samples_kt, &b = basin.reference_kt;
  if (!std::isfinite(a.estimate) || !std::isfinite(b.estimate))
    return {a.estimate - b.estimate, a.low - b.high, a.high - b.low};
  auto out = difference_over(s.whole(), s.free_energy(k, lowest), r.whole(),
                             r.free_energy(k, lowest), seed);
  if (a.high == kInfinity || b.low == -kInfinity) out.high = kInfinity;
  if (a.low == -kInfinity || b.high == kInfinity) out.low = -kInfinity;
  return out;
}

}  // namespace

void compare_basins(ResidueAngles& residue, std::span<const double> weight, const Parts& samples,
                    const Parts& reference, std::uint64_t seed) {
  const Weighed s(residue.samples, weight, samples), r(residue.reference, {}, reference);
  residue.lowest = static_cast<std::size_t>(std::ranges::max_element(r.shares, {}, &Ratio::of_all) -
                                            r.shares.begin());
  for (std::size_t k = 0; k < metrics::kBasins; ++k) {
    BasinFigures& out = residue.basins[k];
    out.samples = share_over(s.shares[k], s.draws, seed);
    out.reference = share_over(r.shares[k], r.draws, seed);
    out.samples_kt = s.free_energy_interval(k, residue.lowest, seed);
    out.reference_kt = r.free_energy_interval(k, residue.lowest, seed);
    out.difference_kt = difference_of(s, r, out, k, residue.lowest, seed);
  }
}

}  // namespace arbg::sampling
