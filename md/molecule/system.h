// A molecule as the energy sees it: plain arrays of parameters. Made by ForceField from a Topology.
//
// Units: nm, kJ/mol, radians, amu, elementary charge. Indices are atoms.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace arbg::md {

struct HarmonicBond {  // E = k/2 (r - length)^2
  int i, j;
  double length_nm, k_kj_mol_nm2;
};

struct HarmonicAngle {  // E = k/2 (theta - angle)^2, theta at j
  int i, j, k;
  double angle_rad, k_kj_mol_rad2;
};

inline constexpr int kMostPeriodicity = 6;  // n of a torsion, but for the reference

struct PeriodicTorsion {  // E = k (1 + cos(n phi - phase)), proper and improper
  int i, j, k, l;
  int periodicity;
  double phase_rad, k_kj_mol;
};

struct Nonbonded {  // Lorentz-Berthelot: sigma = (s_i + s_j)/2, epsilon = sqrt(e_i e_j)
  double charge_e, sigma_nm, epsilon_kj_mol;
};

// A 1-4 pair, already scaled: Coulomb charge_product/r, LJ with these parameters, never cut off.
struct ScaledPair {
  int i, j;
  double charge_product_e2, sigma_nm, epsilon_kj_mol;
};

struct BornAtom {  // radius before the offset is taken off, and descreening scale factor
  double radius_nm, scale;
};

// Generalised Born (OBC) and surface, for all atoms: formulas in md/terms/generalised_born.h.
struct BornModel {
  double alpha = 1.0, beta = 0.8, gamma = 4.85;
  bool descreens_inside = true;  // 1/rho - 1/L more in I of an atom inside another's sphere
  double solvent_dielectric = 78.3, solute_dielectric = 1.0;
  double offset_nm = 0.009;
  double surface_kj_mol_nm2 = 28.3919551, probe_nm = 0.14;  // surface (radius+probe)^2 (radius/B)^6
};

struct System {
  std::vector<double> mass_amu;
  std::vector<HarmonicBond> bonds;
  std::vector<HarmonicAngle> angles;
  std::vector<PeriodicTorsion> torsions;
  std::vector<Nonbonded> nonbonded;
  // 1-2, 1-3 and 1-4 pairs, i < j, sorted: no plain nonbonded term.
  std::vector<std::pair<int, int>> exclusions;
  std::vector<ScaledPair> scaled_pairs;  // the 1-4 pairs
  std::vector<BornAtom> born_atoms;
  BornModel born;
  double cutoff_nm = 0;  // 0: none; otherwise as OpenMM's CutoffNonPeriodic with dielectric 1

  int atom_count() const { return static_cast<int>(mass_amu.size()); }
};

}  // namespace arbg::md
