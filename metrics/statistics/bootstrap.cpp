#include "metrics/statistics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::metrics {
namespace {

std::vector<std::size_t> all_units(std::size_t count) {
  std::vector<std::size_t> units(count);
  std::iota(units.begin(), units.end(), std::size_t{0});
  return units;
}

// Draw number k takes stream k; side a its even counters, side b its odd ones.
std::vector<std::size_t> drawn_units(std::size_t count, std::uint64_t seed, std::size_t draw,
                                     std::uint64_t side) {
  const Random random(seed, stream_id(streams::kBootstrap, draw));
  std::vector<std::size_t> units(count);
  for (std::size_t i = 0; i < count; ++i) {
    units[i] =
        static_cast<std::size_t>(random.below(static_cast<std::int64_t>(count), 2 * i + side));
  }
  return units;
}

// Of ascending values: between the two whose ranks are next to p (n - 1).
double quantile(const std::vector<double>& ascending, double p) {
  const double rank = p * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double share = rank - static_cast<double>(below);
  return ascending[below] * (1 - share) + ascending[above] * share;
}

Interval interval_of(double estimate, const std::function<double(std::size_t)>& figure_of_draw,
                     const BootstrapSettings& settings) {
  require(settings.draws > 0 && settings.level > 0 && settings.level < 1,
          "expected draws and a level between 0 and 1, found ", settings.draws, " and ",
          settings.level);
  require(std::isfinite(estimate), "expected a finite figure, found ", estimate);
  std::vector<double> figures(settings.draws);
  parallel_for(static_cast<std::int64_t>(settings.draws), [&](std::int64_t draw) {
    const auto k = static_cast<std::size_t>(draw);
    figures[k] = figure_of_draw(k);
    require(std::isfinite(figures[k]), "expected a finite figure, found ", figures[k], " of draw ",
            k, " of the bootstrap");
  });
  std::sort(figures.begin(), figures.end());
  return {estimate, quantile(figures, (1 - settings.level) / 2),
          quantile(figures, (1 + settings.level) / 2)};
}

// The normal distribution's share below z, and where it has that share.
double normal_below(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

double normal_quantile(double share) {
  double low = -40, high = 40;
  while (high - low > 1e-12) {
    const double middle = (low + high) / 2;
    (normal_below(middle) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

double student_quantile(double share, double freedom) {
  const double z = normal_quantile(share), z2 = z * z, v = freedom;
  return z * (1 + (z2 + 1) / (4 * v) + ((5 * z2 + 16) * z2 + 3) / (96 * v * v) +
              (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v * v * v) +
              ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / (92160 * v * v * v * v));
}

void check_units(std::size_t units) {
  require(units >= 2, "expected at least two units to draw from, found ", units);
}

}  // namespace

Interval bootstrap(std::size_t units, const Statistic& statistic,
                   const BootstrapSettings& settings) {
  check_units(units);
  const auto figure = [&](std::size_t draw) {
    return statistic(drawn_units(units, settings.seed, draw, 0));
  };
  return interval_of(statistic(all_units(units)), figure, settings);
}

Interval bootstrap_difference(std::size_t units_a, const Statistic& statistic_a,
                              std::size_t units_b, const Statistic& statistic_b,
                              const BootstrapSettings& settings) {
  check_units(units_a);
  check_units(units_b);
  const auto figure = [&](std::size_t draw) {
    return statistic_a(drawn_units(units_a, settings.seed, draw, 0)) -
           statistic_b(drawn_units(units_b, settings.seed, draw, 1));
  };
  return interval_of(statistic_a(all_units(units_a)) - statistic_b(all_units(units_b)), figure,
                     settings);
}

double widened_level(double level, double units) {
  require(units >= 5 && level > 0 && level < 1,
          "expected five units and a level between 0 and 1, found ", units, " and ", level);
  const double t = student_quantile((1 + level) / 2, units - 1);
  return 1 - 2 * normal_below(-t * std::sqrt(units / (units - 1)));
}

bool exceeds(const Interval& difference, double bound) {
  require(bound >= 0, "expected a bound of at least 0, found ", bound);
  return difference.low > bound || difference.high < -bound;
}

Statistic weighted_mean(std::span<const double> values, std::span<const double> weights) {
  require(weights.empty() || weights.size() == values.size(), "expected a weight for each of ",
          values.size(), " values, found ", weights.size());
  return [values, weights](std::span<const std::size_t> units) {
    double sum = 0, total = 0;
    for (const std::size_t i : units) {
      const double weight = weights.empty() ? 1 : weights[i];
      sum += weight * values[i];
      total += weight;
    }
    return sum / total;
  };
}

}  // namespace arbg::metrics
