#include "metrics/statistics/autocorrelation.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr double kWindow = 5;           // Sokal's c
constexpr double kReliableLength = 50;  // in tau

void check(std::span<const double> series) {
  require(series.size() >= 2, "expected at least two frames for an autocorrelation time, found ",
          series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    require(std::isfinite(series[i]), "expected a finite value, found ", series[i], " at frame ",
            i);
  }
}

void subtract_mean(std::vector<double>& values) {
  double total = 0;
  for (const double v : values) total += v;
  const double mean = total / static_cast<double>(values.size());
  for (double& v : values) v -= mean;
}

double lagged_product(const std::vector<double>& centred, std::size_t lag) {
  double total = 0;
  for (std::size_t i = 0; i + lag < centred.size(); ++i) total += centred[i] * centred[i + lag];
  return total;
}

// The components of one vector-valued observable, each of mean zero. Sums over all frames are
// divided by the same n (the biased estimate, whose noise stays bounded at long lags).
Autocorrelation from_components(const std::vector<std::vector<double>>& components, double scale) {
  const std::size_t n = components[0].size();
  const auto frames = static_cast<double>(n);
  const auto covariance = [&](std::size_t lag) {
    double total = 0;
    for (const auto& component : components) total += lagged_product(component, lag);
    return total;
  };
  const double variance = covariance(0);
  // A series that never moves, up to rounding, has shown one state: one effective frame.
  if (variance <= 1e-24 * scale * frames) return {frames, 1, n - 1, false};
  double tau = 1;
  std::size_t window = 0;
  while (static_cast<double>(window) < kWindow * tau && window + 1 < n) {
    ++window;
    tau += 2 * covariance(window) / variance;
  }
  tau = std::clamp(tau, 1.0, frames);
  return {tau, frames / tau, window, frames >= kReliableLength * tau};
}

}  // namespace

Autocorrelation integrated_autocorrelation(std::span<const double> series) {
  check(series);
  double scale = 0;
  for (const double v : series) scale = std::max(scale, v * v);
  std::vector<double> centred(series.begin(), series.end());
  subtract_mean(centred);
  return from_components({centred}, scale);
}

Autocorrelation integrated_autocorrelation_angles(std::span<const double> radians) {
  check(radians);
  std::vector<double> cosines(radians.size()), sines(radians.size());
  for (std::size_t i = 0; i < radians.size(); ++i) {
    cosines[i] = std::cos(radians[i]);
    sines[i] = std::sin(radians[i]);
  }
  subtract_mean(cosines);
  subtract_mean(sines);
  return from_components({cosines, sines}, 1);
}

}  // namespace arbg::metrics
