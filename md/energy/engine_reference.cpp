// E [B] = sum of the five terms of terms/NAME_reference.cpp, one conformation [N, 3] after the
// other.
#include "md/energy/engine.h"
#include "md/terms/generalised_born.h"
#include "md/terms/harmonic_angle.h"
#include "md/terms/harmonic_bond.h"
#include "md/terms/nonbonded.h"
#include "md/terms/periodic_torsion.h"

namespace arbg::md {

EnergyEngine::Kernel engine_reference(std::shared_ptr<const System> system) {
  return [system](std::span<const double> positions_nm, EnergyResult& result) {
    const std::size_t size = 3 * system->mass_amu.size();
    for (std::size_t b = 0; b < result.energy_kj_mol.size(); ++b) {
      const std::span<const double> x = positions_nm.subspan(b * size, size);
      std::span<double> forces = result.forces_kj_mol_nm;
      if (!forces.empty()) forces = forces.subspan(b * size, size);
      const double terms[kTermCount] = {
          harmonic_bond_reference(*system, x, forces),
          harmonic_angle_reference(*system, x, forces),
          periodic_torsion_reference(*system, x, forces),
          nonbonded_reference(*system, x, forces),
          generalised_born_reference(*system, x, forces),
      };
      for (std::size_t term = 0; term < kTermCount; ++term) {
        result.terms_kj_mol[b * kTermCount + term] = terms[term];
        result.energy_kj_mol[b] += terms[term];
      }
    }
  };
}

}  // namespace arbg::md
