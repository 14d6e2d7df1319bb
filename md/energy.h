// Potential energy and forces of many conformations of one molecule.
//
//   E(x) = bonds + angles + torsions (proper, improper) + nonbonded (LJ, Coulomb, 1-4 included)
//        + implicit solvent (generalised Born and surface)
//
// Positions [B, N, 3] in nm, energies in kJ/mol, forces -dE/dx [B, N, 3] in kJ/mol/nm, all double,
// row-major. Conformations are independent: the numbers of one do not depend on the others, on the
// batch size or on the number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "md/system.h"

namespace arbg::md {

enum class EnergyBackend {
  reference,  // plain double loops, one conformation after the other: the truth
  cpu,        // double, 8 conformations in SIMD lanes, groups of lanes in threads
};

inline constexpr int kTermCount = 5;
inline constexpr const char* kTermNames[kTermCount] = {"bond", "angle", "torsion", "nonbonded",
                                                       "solvent"};

struct EnergyResult {
  std::vector<double> energy_kj_mol;     // [B]
  std::vector<double> terms_kj_mol;      // [B, 5], columns as kTermNames
  std::vector<double> forces_kj_mol_nm;  // [B, N, 3], or empty if not asked for
};

class Energy {
 public:
  explicit Energy(System system, EnergyBackend backend = EnergyBackend::cpu);

  // Throws Error if the size of `positions` is not a multiple of 3N. NaN in, NaN out for that
  // conformation alone.
  EnergyResult evaluate(std::span<const double> positions_nm, bool with_forces) const;

  const System& system() const { return system_; }

 private:
  System system_;
  EnergyBackend backend_;
};

}  // namespace arbg::md
