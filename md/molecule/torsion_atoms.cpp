#include "md/molecule/torsion_atoms.h"

#include <string_view>

namespace arbg::md {

BackboneTorsions backbone_torsions(const Topology& topology) {
  const auto neighbours = topology.neighbours();
  // The atom of that name in another residue that `atom` is bonded to, or -1.
  const auto across = [&](int atom, std::string_view name) {
    if (atom < 0) return -1;
    const int residue = topology.atoms[static_cast<std::size_t>(atom)].residue;
    for (const int other : neighbours[static_cast<std::size_t>(atom)]) {
      const Atom& candidate = topology.atoms[static_cast<std::size_t>(other)];
      if (candidate.residue != residue && candidate.name == name) return other;
    }
    return -1;
  };

  BackboneTorsions torsions;
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const int n = topology.find(r, "N"), ca = topology.find(r, "CA"), c = topology.find(r, "C");
    if (n < 0 || ca < 0 || c < 0) continue;
    const int before = across(n, "C"), after = across(c, "N");
    if (before >= 0) torsions.phi.push_back({before, n, ca, c});
    if (after < 0) continue;
    torsions.psi.push_back({n, ca, c, after});
    const int next_ca =
        topology.find(topology.atoms[static_cast<std::size_t>(after)].residue, "CA");
    if (next_ca >= 0) torsions.omega.push_back({ca, c, after, next_ca});
  }
  return torsions;
}

}  // namespace arbg::md
