// Pairs (phi, psi) of a residue: how much two samples of them differ, and what lies in which basin.
//
// Angles in radians, any turn. `weights` [n] may be empty: equal weights. Throws Error for another
// number of psi than of phi, an angle that is not finite (naming its index), no samples, and
// weights that are negative, not finite or all 0.
//
// Basins, in degrees, of L residues, first that fits:
//   alpha_left    20 <= phi < 120 and -60 <= psi < 90
//   alpha_right  -180 <= phi < 0 and -120 <= psi < 50
//   beta         -180 <= phi < 0, any other psi: strands and polyproline II
//   other         all else: phi > 0 outside alpha_left
// The boundaries are this project's: straight lines through the gaps of the map of alanine. The
// regions are those of Ramachandran, Ramakrishnan, Sasisekharan, J. Mol. Biol. 7, 95 (1963), and
// Lovell et al., Proteins 50, 437 (2003). Populations by other boundaries differ.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "metrics/statistics/histogram.h"

namespace arbg::metrics {

// The histogram of phi (x) and psi (y), bins x bins over [-pi, pi] each, of all mass 1.
Histogram2D ramachandran(std::span<const double> phi, std::span<const double> psi,
                         std::span<const double> weights, std::size_t bins = 60);

// The cell of each pair in that histogram, as its mass is ordered.
std::vector<std::size_t> ramachandran_cells(std::span<const double> phi,
                                            std::span<const double> psi, std::size_t bins);

// Half of sum |p - q| over bins (and what lies outside): from 0 (equal) to 1 (disjoint); the
// largest difference of the probabilities that both give to any set of bins. It grows with the
// number of bins: state it. Throws Error for other edges.
double total_variation(const Histogram2D& p, const Histogram2D& q);

enum class Basin { alpha_right, beta, alpha_left, other };
inline constexpr std::size_t kBasins = 4;

std::string_view name_of(Basin basin);  // "alpha-R", "beta", "alpha-L", "other"
Basin basin_of(double phi, double psi);

// F_a - F_b = -kT log(p_a / p_b), in the unit of kT (1: in kT). +infinity where p_a is 0, -infinity
// where p_b is. Throws Error for a p that is negative or NaN, or if both are 0.
double free_energy_difference(double population_a, double population_b, double kT = 1);

}  // namespace arbg::metrics
