#include "md/molecule/torsion_atoms.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

namespace arbg::md {
namespace {

struct SideChain {
  std::string_view residues;  // protonation states of one, each followed by a blank
  const char* atoms;
};

constexpr SideChain kSideChains[] = {
    {"ARG ", "N CA CB CG CD NE CZ NH1"},
    {"ASN ", "N CA CB CG OD1"},
    {"ASP ASH ", "N CA CB CG OD1"},
    {"CYS CYX CYM ", "N CA CB SG"},
    {"GLN ", "N CA CB CG CD OE1"},
    {"GLU GLH ", "N CA CB CG CD OE1"},
    {"HIS HID HIE HIP ", "N CA CB CG ND1"},
    {"ILE ", "N CA CB CG1 CD1"},
    {"LEU ", "N CA CB CG CD1"},
    {"LYS LYN ", "N CA CB CG CD CE NZ"},
    {"MET ", "N CA CB CG SD CE"},
    {"PHE ", "N CA CB CG CD1"},
    {"PRO ", "N CA CB CG CD"},
    {"SER ", "N CA CB OG"},
    {"THR ", "N CA CB OG1"},
    {"TRP ", "N CA CB CG CD1"},
    {"TYR ", "N CA CB CG CD1"},
    {"VAL ", "N CA CB CG1"},
};

// Of a residue, as far as its atoms are there.
std::vector<int> side_chain(const Topology& topology, int residue) {
  const std::string name = topology.residues[static_cast<std::size_t>(residue)].name + " ";
  const auto* kind = std::find_if(
      std::begin(kSideChains), std::end(kSideChains),
      [&](const SideChain& chain) { return chain.residues.find(name) != std::string_view::npos; });
  std::vector<int> atoms;
  if (kind == std::end(kSideChains)) return atoms;
  std::istringstream names(kind->atoms);
  for (std::string atom; names >> atom;) {
    const int found = topology.find(residue, atom);
    if (found < 0) break;
    atoms.push_back(found);
  }
  return atoms;
}

}  // namespace

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

std::vector<SideChainTorsion> side_chain_torsions(const Topology& topology) {
  std::vector<SideChainTorsion> torsions;
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const std::vector<int> atoms = side_chain(topology, r);
    for (std::size_t k = 0; k + 3 < atoms.size(); ++k) {
      torsions.push_back(
          {r, static_cast<int>(k) + 1, {atoms[k], atoms[k + 1], atoms[k + 2], atoms[k + 3]}});
    }
  }
  return torsions;
}

}  // namespace arbg::md
