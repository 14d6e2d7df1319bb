#include "md/molecule/restricted_system.h"

#include <algorithm>

#include "tensor/base/error.h"

namespace arbg::md {

System restricted(const System& system, std::span<const int> atoms) {
  std::vector<int> place(system.mass_amu.size(), -1);
  System out;
  out.cutoff_nm = system.cutoff_nm;
  for (const int atom : atoms) {
    require(atom >= 0 && atom < system.atom_count() && place[static_cast<std::size_t>(atom)] < 0,
            "a part of a system names atom ", atom, " twice, or outside 0 .. ",
            system.atom_count() - 1);
    const auto a = static_cast<std::size_t>(atom);
    place[a] = out.atom_count();
    out.mass_amu.push_back(system.mass_amu[a]);
    out.nonbonded.push_back(system.nonbonded[a]);
  }
  // Renames the atoms of a term; false if one of them is missing.
  const auto keep = [&](auto&... atom) {
    return ((atom = place[static_cast<std::size_t>(atom)]) | ...) >= 0;
  };
  for (HarmonicBond b : system.bonds) {
    if (keep(b.i, b.j)) out.bonds.push_back(b);
  }
  for (HarmonicAngle a : system.angles) {
    if (keep(a.i, a.j, a.k)) out.angles.push_back(a);
  }
  for (PeriodicTorsion t : system.torsions) {
    if (keep(t.i, t.j, t.k, t.l)) out.torsions.push_back(t);
  }
  for (ScaledPair p : system.scaled_pairs) {
    if (keep(p.i, p.j)) out.scaled_pairs.push_back(p);
  }
  for (auto [i, j] : system.exclusions) {
    if (keep(i, j)) out.exclusions.emplace_back(std::minmax(i, j));
  }
  std::ranges::sort(out.exclusions);
  return out;
}

}  // namespace arbg::md
