#include "sampling/proposals/tuning.h"

#include <algorithm>
#include <cmath>

#include "sampling/proposals/autoregressive.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

constexpr int kFirstPercent = 90, kLastPercent = 110, kStepPercent = 2;
// By which a parabola may miss the logarithm of the true curve: keeps lucky points, whose errors
// look small, from deciding alone.
constexpr double kModelError = 0.05;

// (sum w)^2 / (n sum w^2)
double fraction(double sum, double squares, double count) {
  return squares > 0 ? sum * sum / (squares * count) : 0;
}

}  // namespace

TemperaturePoint effective_fraction(double temperature, std::span<const double> log_weights,
                                    std::size_t batches) {
  require(batches >= 2 && log_weights.size() >= batches && log_weights.size() % batches == 0,
          "expected log weights in ", batches, " batches of equal size, found ",
          log_weights.size());
  const double largest = *std::ranges::max_element(log_weights);
  TemperaturePoint out{temperature, 0, 0};
  if (!std::isfinite(largest)) return out;
  const std::size_t size = log_weights.size() / batches;
  std::vector<double> sums(batches), squares(batches);
  double sum = 0, square = 0;
  for (std::size_t b = 0; b < batches; ++b) {
    for (const double log_w : log_weights.subspan(b * size, size)) {
      const double w = std::exp(log_w - largest);
      sums[b] += w;
      squares[b] += w * w;
    }
    sum += sums[b];
    square += squares[b];
  }
  out.ess_fraction = fraction(sum, square, static_cast<double>(log_weights.size()));
  // Var = (n - 1)/n sum_b (theta without b - their mean)^2
  const auto n = static_cast<double>(batches), rest = static_cast<double>((batches - 1) * size);
  std::vector<double> without(batches);
  double mean = 0, spread = 0;
  for (std::size_t b = 0; b < batches; ++b) {
    without[b] = fraction(sum - sums[b], square - squares[b], rest);
    mean += without[b] / n;
  }
  for (const double value : without) spread += (value - mean) * (value - mean);
  out.error = std::sqrt((n - 1) / n * spread);
  return out;
}

// Least squares of log fraction = a + b t + c t^2 by the normal equations, t from the middle of the
// grid in units of half its width; a point counts 1 / (relative error^2 + kModelError^2).
double best_temperature(std::span<const TemperaturePoint> curve) {
  require(curve.size() >= 3,
          "expected effective sample sizes at three temperatures or more, found ", curve.size());
  const double low = curve.front().temperature, high = curve.back().temperature;
  double moments[5] = {}, right[3] = {};  // sums of t^k, and of t^k log fraction
  for (const auto& point : curve) {
    if (point.ess_fraction <= 0) continue;
    const double t = (2 * point.temperature - low - high) / (high - low);
    const double relative = point.error / point.ess_fraction;
    double power = 1 / (relative * relative + kModelError * kModelError);
    for (int k = 0; k < 5; ++k, power *= t) {
      moments[k] += power;
      if (k < 3) right[k] += power * std::log(point.ess_fraction);
    }
  }
  // Cramer's rule for b and c, by the common determinant, which is positive.
  const auto determinant = [](const double(&u)[3], const double(&v)[3], const double(&w)[3]) {
    return u[0] * (v[1] * w[2] - v[2] * w[1]) - v[0] * (u[1] * w[2] - u[2] * w[1]) +
           w[0] * (u[1] * v[2] - u[2] * v[1]);
  };
  const double one[] = {moments[0], moments[1], moments[2]},
               linear[] = {moments[1], moments[2], moments[3]},
               square[] = {moments[2], moments[3], moments[4]};
  const double b = determinant(one, right, square), c = determinant(one, linear, right);
  double best = 0;
  if (c < 0) best = std::clamp(-b / (2 * c), -1.0, 1.0);
  if (c >= 0 && b != 0) best = b > 0 ? 1 : -1;
  const double temperature = (low + high) / 2 + best * (high - low) / 2;
  return std::round(100 * temperature) / 100;
}

TemperatureTuning tune_temperature(
    const Generator& generator, const Target& target, Decoding decoding, std::int64_t pilot,
    std::uint64_t seed, const std::function<void(double done, double temperature)>& on_progress) {
  require(!decoding.biased(),
          "effective sample sizes under truncation alone cannot be compared: what is cut off does "
          "not count against them; add --full-support, or choose --temperature yourself");
  TemperatureTuning out;
  out.pilot = pilot;
  for (int percent = kFirstPercent; percent <= kLastPercent; percent += kStepPercent) {
    decoding.temperature = percent / 100.0;
    SampleOptions options;
    options.count = pilot;
    options.seed = seed;
    options.stream = stream_id(streams::kTune);
    const auto samples = sampling::AutoregressiveProposal(generator, decoding).draw(options);
    require(!interrupted(), "interrupted while tuning the temperature; nothing was written");
    out.curve.push_back(effective_fraction(decoding.temperature,
                                           log_weights(target.reduced_energy(samples.positions_nm),
                                                       samples.log_volume, samples.log_q)));
    if (!on_progress) continue;
    on_progress(static_cast<double>(percent - kFirstPercent + kStepPercent) /
                    (kLastPercent - kFirstPercent + kStepPercent),
                decoding.temperature);
  }
  out.temperature = best_temperature(out.curve);
  return out;
}

}  // namespace arbg::sampling
