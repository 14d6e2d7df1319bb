// Exact 2-Wasserstein distances: between numbers, between points on a torus, between points in
// space.
//
// W2^2 = min over couplings of the mean squared distance (Villani, "Optimal transport", 2009). On
// the line the optimal coupling is monotone; between two clouds of n points of equal weight it is a
// permutation, found exactly (metrics/transport/assignment.h) and returned with a lower bound that
// proves it. In the published tables E-W2 is wasserstein2_line of reduced energies (kT), T-W2 is
// wasserstein2_torus of all (phi, psi) jointly (radians), TICA-W2 is wasserstein2_space of the
// first two components.
#pragma once

#include <cstddef>
#include <span>

#include "metrics/statistics/potentials.h"

namespace arbg::metrics {

// Samples of equal weight; sizes may differ. Throws Error if one is empty or not finite (naming the
// index).
double wasserstein2_line(std::span<const double> a, std::span<const double> b);

// Weighted samples; weights are non-negative and need not sum to 1. A value of weight 0 may be
// anything.
double wasserstein2_line(std::span<const double> a, std::span<const double> weights_a,
                         std::span<const double> b, std::span<const double> weights_b);

struct TransportDistance {
  double distance;        // the square root of the mean cost of the assignment found
  double lower_bound;     // none is shorter; equals `distance` up to rounding
  Potentials potentials;  // of each point: mean a + mean b = lower_bound^2
};

// a and b hold n points of D coordinates each, [n, D] row-major, angles in radians (any turn); the
// cost is the sum of squared wrapped differences. Some 300 bytes of memory a point plus its
// coordinates. Throws Error if the sizes differ, are not whole points, exceed 2^30 points, or if a
// coordinate is not finite.
TransportDistance wasserstein2_torus(std::span<const double> a, std::span<const double> b,
                                     std::size_t dimension);

// The same with squared Euclidean distances. No coordinate may be beyond 1e100.
TransportDistance wasserstein2_space(std::span<const double> a, std::span<const double> b,
                                     std::size_t dimension);

// The floor under a distance: the same distance between the first and the second half of a
// reference, which must be independent (replicas one after the other). An odd last point is left
// out. Finite samples differ even where their distributions do not: a distance is only news above
// the floor of the same sample size.
double floor_line(std::span<const double> reference);
TransportDistance floor_torus(std::span<const double> reference, std::size_t dimension);
TransportDistance floor_space(std::span<const double> reference, std::size_t dimension);

// The difference a - b of two angles, wrapped to [-pi, pi].
double wrapped_difference(double a, double b);

}  // namespace arbg::metrics
