// How many independent frames a correlated series is worth.
//
// The integrated autocorrelation time tau = 1 + 2 sum_{t=1..M} rho(t), in frames, with the smallest
// window M of at least 5 tau (Sokal, "Monte Carlo methods in statistical mechanics", 1989);
// effective frames = frames / tau. Independent frames have tau = 1; antithetic ones are not
// credited with less. For angles rho(t) is that of the unit vector (cos, sin), so that the cut at
// +-pi does not matter. Throws Error for fewer than two frames or a value that is not finite,
// naming its frame.
#pragma once

#include <cstddef>
#include <span>

namespace arbg::metrics {

struct Autocorrelation {
  double time;              // tau, in frames, from 1 to the length of the series
  double effective_frames;  // frames / tau
  std::size_t window;       // M
  bool reliable;  // the series is at least 50 tau long: below that tau is an underestimate
};

Autocorrelation integrated_autocorrelation(std::span<const double> series);
Autocorrelation integrated_autocorrelation_angles(std::span<const double> radians);

}  // namespace arbg::metrics
