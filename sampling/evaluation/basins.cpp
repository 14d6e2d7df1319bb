#include "sampling/evaluation/basins.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace arbg::sampling {
namespace {

constexpr double kMostKt = 20, kInfinity = std::numeric_limits<double>::infinity();

double sum_of(const std::vector<double>& values, std::span<const std::size_t> units) {
  double sum = 0;
  for (const std::size_t unit : units) sum += values[unit];
  return sum;
}

// What lies in each basin, part by part, and how to draw from it.
struct Weighed {
  std::array<std::vector<double>, metrics::kBasins> in;  // [parts]
  std::vector<double> whole;
  bool enough;

  Weighed(const Angles& angles, std::span<const double> weights, const Parts& parts)
      : whole(parts.weigh(weights)), enough(are_enough(whole)) {
    in.fill(std::vector<double>(parts.count));
    for (std::size_t i = 0; i < angles.phi.size(); ++i) {
      const auto basin = static_cast<std::size_t>(metrics::basin_of(angles.phi[i], angles.psi[i]));
      in[basin][parts.part_of[i]] += weights.empty() ? 1 : weights[i];
    }
  }

  std::size_t parts() const { return whole.size(); }

  static double total(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
  }

  // Parts that weigh nothing, drawn alone, say nothing: then that of all.
  metrics::Statistic share(std::size_t basin) const {
    const double of_all = total(in[basin]) / total(whole);
    return [this, basin, of_all](std::span<const std::size_t> units) {
      const double all = sum_of(whole, units);
      return all > 0 ? sum_of(in[basin], units) / all : of_all;
    };
  }

  metrics::Statistic free_energy(std::size_t basin, std::size_t lowest) const {
    const auto kt = [](double a, double b, double otherwise) {
      if (a == 0 && b == 0) return otherwise;
      return std::clamp(metrics::free_energy_difference(a, b), -kMostKt, kMostKt);
    };
    const double of_all = kt(total(in[basin]), total(in[lowest]), kMostKt);
    return [this, basin, lowest, of_all, kt](std::span<const std::size_t> units) {
      return kt(sum_of(in[basin], units), sum_of(in[lowest], units), of_all);
    };
  }
};

double opened(double kt) { return std::abs(kt) < kMostKt ? kt : std::copysign(kInfinity, kt); }

metrics::Interval opened(const metrics::Interval& i) {
  if (std::isnan(i.low)) return without_interval(opened(i.estimate));
  return {opened(i.estimate), opened(i.low), opened(i.high)};
}

// Infinite where either side is.
metrics::Interval opened(const metrics::Interval& difference, const metrics::Interval& a,
                         const metrics::Interval& b) {
  metrics::Interval out = difference;
  if (std::isinf(a.estimate) && a.estimate == b.estimate)
    return without_interval(std::numeric_limits<double>::quiet_NaN());  // empty on both sides
  if (std::isinf(a.estimate) || std::isinf(b.estimate)) out.estimate = a.estimate - b.estimate;
  if (a.low == -kInfinity || b.high == kInfinity) out.low = -kInfinity;
  if (a.high == kInfinity || b.low == -kInfinity) out.high = kInfinity;
  if (a.low == kInfinity || b.high == -kInfinity) out.low = kInfinity;
  if (a.high == -kInfinity || b.low == kInfinity) out.high = -kInfinity;
  return out;
}

}  // namespace

void compare_basins(ResidueAngles& residue, std::span<const double> weight, const Parts& samples,
                    const Parts& reference, std::uint64_t seed) {
  const Weighed s(residue.samples, weight, samples), r(residue.reference, {}, reference);
  residue.lowest =
      static_cast<std::size_t>(std::ranges::max_element(r.in, {}, Weighed::total) - r.in.begin());
  for (std::size_t k = 0; k < metrics::kBasins; ++k) {
    const auto f_s = s.free_energy(k, residue.lowest), f_r = r.free_energy(k, residue.lowest);
    BasinFigures& out = residue.basins[k];
    out.samples = interval_over(s.parts(), s.share(k), s.enough, seed);
    out.reference = interval_over(r.parts(), r.share(k), r.enough, seed);
    out.samples_kt = opened(interval_over(s.parts(), f_s, s.enough, seed));
    out.reference_kt = opened(interval_over(r.parts(), f_r, r.enough, seed));
    out.difference_kt =
        opened(difference_over(s.parts(), f_s, r.parts(), f_r, s.enough && r.enough, seed),
               out.samples_kt, out.reference_kt);
  }
}

}  // namespace arbg::sampling
