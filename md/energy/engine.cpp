#include "md/energy/engine.h"

#include <utility>

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

EnergyEngine::Kernel kernel_for(const std::shared_ptr<const System>& system, Backend backend) {
  require_consistent(*system);
  switch (backend) {
    case Backend::reference:
      return engine_reference(system);
    case Backend::cpu:
      return engine_lanes(*system);
    case Backend::cuda:
#if defined(ARBG_CUDA)
      return engine_cuda(*system);
#else
      break;
#endif
  }
  fail("this build has no energies on the ", name_of(backend), " backend; choose reference or cpu");
}

}  // namespace

EnergyEngine::EnergyEngine(System system, Backend backend)
    : system_(std::make_shared<const System>(std::move(system))),
      backend_(backend),
      kernel_(kernel_for(system_, backend)) {}

EnergyResult EnergyEngine::evaluate(std::span<const double> positions_nm, bool with_forces) const {
  const std::size_t size = 3 * system_->mass_amu.size();
  require(positions_nm.size() % size == 0, "expected positions of conformations with ",
          system_->atom_count(), " atoms (a multiple of ", size, " numbers), found ",
          positions_nm.size(), " numbers");
  const std::size_t conformations = positions_nm.size() / size;
  EnergyResult result;
  result.energy_kj_mol.assign(conformations, 0);
  result.terms_kj_mol.assign(conformations * kTermCount, 0);
  if (with_forces) result.forces_kj_mol_nm.assign(positions_nm.size(), 0);
  kernel_(positions_nm, result);
  return result;
}

}  // namespace arbg::md
