// The sampling temperature that leaves the most effective samples, found by pilot samples.
//
// Pilot samples are drawn at every temperature of a grid, 0.90 to 1.10, from the same random
// numbers, so that neighbours differ little by chance. The criterion is Kish's effective sample
// size, the figure that counts in the end, and not a median over batches: small batches do not see
// the rare large weights that broader sampling is there to prevent. One such weight moves a point
// by a third, more than the whole curve, so that not the largest point is taken but the top of a
// parabola through the logarithms of all of them, each with its jackknife error over batches.
// Samples to be used must come from another stream: what was chosen for its luck is not lucky
// again.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sampling/proposals/generator.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

struct TemperaturePoint {
  double temperature = 1, ess_fraction = 0;
  double error = 0;  // of the fraction, one standard error
};

struct TemperatureTuning {
  std::vector<TemperaturePoint> curve;
  double temperature = 1;  // the chosen one
  std::int64_t pilot = 0;  // samples, and energies, at each temperature
};

// Effective fraction and error of `log_weights`, cut into `batches` of equal size.
TemperaturePoint effective_fraction(double temperature, std::span<const double> log_weights,
                                    std::size_t batches = 20);

// The top of the parabola, within the grid and to 0.01; an end where it has none. Throws Error for
// fewer than three points.
double best_temperature(std::span<const TemperaturePoint> curve);

// Throws Error if the decoding truncates without full support: effective samples of what is left
// say nothing about what is cut off, and less is always easier. Also when interrupted.
// `on_progress` is told the share of the grid that is done, and its last temperature.
TemperatureTuning tune_temperature(
    const Generator& generator, const Target& target, Decoding decoding, std::int64_t pilot,
    std::uint64_t seed,
    const std::function<void(double done, double temperature)>& on_progress = {});

}  // namespace arbg::sampling
