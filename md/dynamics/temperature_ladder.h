// Temperatures for parallel tempering.
//
// A classical molecule of N atoms has f = 3N - 6 vibrations, whose potential energy at T has mean
// f/2 RT and variance f/2 (RT)^2 where they are harmonic. Two Gaussians of these moments swap with
// probability 2 P(exp(...) > 1) (detailed balance makes both terms of the mean equal):
//   acceptance = erfc(sqrt(f)/2 (rho - 1)/sqrt(1 + rho^2)),   rho = T_hot/T_cold
// It depends on the ratio alone, so equal acceptance means a geometric ladder. Of peptides in
// implicit solvent it foretells measured acceptances within a few per cent
// (apps/bench/results/dynamics.md).
#pragma once

#include <vector>

namespace arbg::md {

// Geometric ladder of temperatures from `low` to `high`, both included. Throws Error unless 0 < low
// <= high and count >= 1.
std::vector<double> temperature_ladder(double low_kelvin, double high_kelvin, int count);

double expected_swap_acceptance(int atoms, double cold_kelvin, double hot_kelvin);

// The fewest temperatures whose neighbours are expected to swap in at least a quarter of the tries;
// 1 if low = high.
int ladder_size(int atoms, double low_kelvin, double high_kelvin);

}  // namespace arbg::md
