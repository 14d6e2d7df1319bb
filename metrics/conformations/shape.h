// The shape of conformations: size, ends, distance from a reference, hydrogen bonds.
//
// Positions [frames, N, 3] in nm, row-major. Everything throws Error for parts of conformations,
// atoms outside 0 ... N-1, and a position that is not finite, naming its frame and atom.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace arbg::metrics {

// sqrt(sum m |x - c|^2 / sum m), c = sum m x / sum m, of each frame, in nm. `masses` [N] in any
// unit, or empty: every atom counts alike. Throws Error for masses that are negative or of sum 0.
std::vector<double> radii_of_gyration(std::span<const double> positions, std::size_t atom_count,
                                      std::span<const double> masses);

// The distance of two atoms, of each frame, in nm: from end to end, for the N of the first residue
// and the C of the last.
std::vector<double> end_to_end_distances(std::span<const double> positions, std::size_t atom_count,
                                         int first, int last);

// min over rotations and shifts of sqrt(sum |x - y|^2 / n) over the n `atoms`, of each frame, in
// nm; `reference` [N, 3]. With both sets centred and G the sum of their squares, sum |x - y|^2 at
// its least is G - 2 lambda, lambda the largest eigenvalue of a symmetric 4 x 4 matrix (the
// quaternion matrix) made of M = sum x y'. Source: Theobald, Acta Cryst. A 61, 478 (2005), who
// finds the root of its characteristic polynomial; here by an eigenvalue solver, since roots that
// meet (atoms in a line) cost Newton's method half of the digits. Mirror images do not superpose.
// Rounding: 1e-8 of the size of the molecule. Throws Error for no atoms.
std::vector<double> rmsd(std::span<const double> positions, std::size_t atom_count,
                         std::span<const double> reference, std::span<const int> atoms);

// The share of weight of the values below a limit: of frames within an RMSD, say. `weights` may be
// empty: equal weights. Throws Error for no values, NaN, and weights that are negative, not finite
// or all 0.
double share_below(std::span<const double> values, double limit, std::span<const double> weights);

struct HydrogenBond {
  int donor, hydrogen, acceptor;
};

// Every hydrogen with every acceptor that is not its donor. `donors` are pairs of a donor and its
// hydrogen.
std::vector<HydrogenBond> possible_hydrogen_bonds(std::span<const std::pair<int, int>> donors,
                                                  std::span<const int> acceptors);

// Baker, Hubbard, Prog. Biophys. Mol. Biol. 44, 97 (1984): a bond is there if H and acceptor are
// nearer than 0.25 nm and the angle at H between donor and acceptor is above 120 degrees.
// The share of weight of the frames in which each of `bonds` is there [bonds], and how many of them
// are there in each frame [frames].
struct HydrogenBonds {
  std::vector<double> shares;
  std::vector<int> counts;
};
HydrogenBonds hydrogen_bonds(std::span<const double> positions, std::size_t atom_count,
                             std::span<const HydrogenBond> bonds, std::span<const double> weights);

}  // namespace arbg::metrics
