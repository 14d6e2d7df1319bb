#include "md/energy.h"

#include <cmath>
#include <utility>

#include "md/lane_energy.h"
#include "md/terms/generalised_born.h"
#include "md/terms/harmonic_angle.h"
#include "md/terms/harmonic_bond.h"
#include "md/terms/nonbonded.h"
#include "md/terms/periodic_torsion.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

void require_consistent(const System& system) {
  const int atoms = system.atom_count();
  const auto is_atom = [&](int index) { return index >= 0 && index < atoms; };
  require(atoms > 0, "expected a system with at least one atom, found none");
  require(system.nonbonded.size() == system.mass_amu.size(), "a system of ", atoms, " atoms has ",
          system.nonbonded.size(), " sets of nonbonded parameters");
  require(system.born_atoms.empty() || system.born_atoms.size() == system.mass_amu.size(),
          "a system of ", atoms, " atoms has ", system.born_atoms.size(), " Born radii");
  bool inside = true;
  for (const HarmonicBond& b : system.bonds) inside = inside && is_atom(b.i) && is_atom(b.j);
  for (const HarmonicAngle& a : system.angles)
    inside = inside && is_atom(a.i) && is_atom(a.j) && is_atom(a.k);
  for (const PeriodicTorsion& t : system.torsions) {
    inside = inside && is_atom(t.i) && is_atom(t.j) && is_atom(t.k) && is_atom(t.l);
  }
  for (const ScaledPair& p : system.scaled_pairs) inside = inside && is_atom(p.i) && is_atom(p.j);
  std::pair<int, int> previous = {-1, -1};
  for (const std::pair<int, int>& pair : system.exclusions) {
    inside = inside && is_atom(pair.first) && is_atom(pair.second);
    require(pair.first < pair.second && previous < pair,
            "exclusions must be sorted pairs i < j, found (", pair.first, ", ", pair.second, ")");
    previous = pair;
  }
  require(inside, "a term of the system names an atom outside 0 .. ", atoms - 1);
}

void evaluate_reference(const System& system, std::span<const double> positions_nm,
                        bool with_forces, EnergyResult& result) {
  const std::size_t size = 3 * system.mass_amu.size();
  for (std::size_t b = 0; b < result.energy_kj_mol.size(); ++b) {
    const std::span<const double> x = positions_nm.subspan(b * size, size);
    std::span<double> forces;
    if (with_forces) forces = std::span(result.forces_kj_mol_nm).subspan(b * size, size);
    const double terms[kTermCount] = {
        harmonic_bond_reference(system, x, forces),    harmonic_angle_reference(system, x, forces),
        periodic_torsion_reference(system, x, forces), nonbonded_reference(system, x, forces),
        generalised_born_reference(system, x, forces),
    };
    for (std::size_t term = 0; term < kTermCount; ++term) {
      result.terms_kj_mol[b * kTermCount + term] = terms[term];
      result.energy_kj_mol[b] += terms[term];
    }
  }
}

}  // namespace

Energy::Energy(System system, EnergyBackend backend)
    : system_(std::move(system)), backend_(backend) {
  require_consistent(system_);
}

EnergyResult Energy::evaluate(std::span<const double> positions_nm, bool with_forces) const {
  const std::size_t size = 3 * system_.mass_amu.size();
  require(positions_nm.size() % size == 0, "expected positions of conformations with ",
          system_.atom_count(), " atoms (a multiple of ", size, " numbers), found ",
          positions_nm.size(), " numbers");
  const std::size_t conformations = positions_nm.size() / size;
  EnergyResult result;
  result.energy_kj_mol.assign(conformations, 0);
  result.terms_kj_mol.assign(conformations * kTermCount, 0);
  if (with_forces) result.forces_kj_mol_nm.assign(positions_nm.size(), 0);
  if (backend_ == EnergyBackend::cpu) {
    evaluate_lanes(system_, positions_nm, with_forces, result);
    for (std::size_t b = 0; b < conformations; ++b) {
      if (planted(Defect::lost_solvent))
        result.energy_kj_mol[b] -= result.terms_kj_mol[b * kTermCount + 4];
      if (planted(Defect::lost_force) && with_forces)
        result.forces_kj_mol_nm[(b + 1) * size - 1] = 0;
      if (planted(Defect::energy_sees_place)) result.energy_kj_mol[b] += positions_nm[b * size];
    }
    return result;
  }
  evaluate_reference(system_, positions_nm, with_forces, result);
  return result;
}

}  // namespace arbg::md
