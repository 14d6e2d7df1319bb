// The features of published time-lagged components: distances between heavy atoms, and torsions.
//
// Of one conformation, in this order: the distances (nm) of all pairs i < j of `atoms`, by i, then
// by j; the sines of the torsions; their cosines. Published: atoms C, N and S of all residues;
// torsions phi, psi, omega; lag 100 frames. Source: Klein, Foong, Fjelde, Mlodozeniec,
// Brockschmidt, Nowozin, Noe, Tomioka, "Timewarp", NeurIPS 2023, whose evaluation code later work
// shares.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "metrics/conformations/torsions.h"
#include "metrics/motions/tica.h"

namespace arbg::metrics {

struct TicaFeatures {
  std::vector<int> atoms;
  std::vector<Quadruple> torsions;

  std::size_t count() const {  // F
    return (atoms.empty() ? 0 : atoms.size() * (atoms.size() - 1) / 2) + 2 * torsions.size();
  }
};

// Positions [frames, N, 3] in nm; features [frames, F], both row-major. Throws Error for sizes that
// do not match, atoms outside 0 ... N-1, and a torsion that is undefined
// (metrics/conformations/torsions.h).
std::vector<double> tica_features(std::span<const double> positions, std::size_t atom_count,
                                  const TicaFeatures& features);

// The same, made when they are read: F numbers a frame are never all in memory. The positions must
// outlive the result.
FeatureSeries tica_feature_series(std::span<const double> positions, std::size_t atom_count,
                                  TicaFeatures features);

}  // namespace arbg::metrics
