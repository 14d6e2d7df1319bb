#include "apps/pages/coordinate_words.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "md/molecule/torsion_atoms.h"

namespace arbg::apps {
namespace {

const md::Residue& residue_of(const md::Topology& topology, int atom) {
  return topology
      .residues[static_cast<std::size_t>(topology.atoms[static_cast<std::size_t>(atom)].residue)];
}

// "C (ACE1)–N–CA–C (ALA2)": the residue stands after the last of its atoms in a row.
std::string chain(const md::Topology& topology, const std::vector<int>& atoms) {
  std::string out;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const auto& atom = topology.atoms[static_cast<std::size_t>(atoms[i])];
    const bool last =
        i + 1 == atoms.size() ||
        topology.atoms[static_cast<std::size_t>(atoms[i + 1])].residue != atom.residue;
    out += (i > 0 ? "–" : "") + atom.name;
    if (last) out += " (" + residue_of(topology, atoms[i]).label() + ")";
  }
  return out;
}

// "φ of ALA2: ", if these atoms are a backbone torsion, in either direction, or stand for one
// across a planar group: H for the C before, O for the N after. Otherwise empty.
std::string backbone_name(const md::Topology& topology, std::array<int, 4> atoms) {
  const auto names = [&](std::array<const char*, 4> expected) {
    return std::ranges::equal(atoms, expected, [&](int atom, const char* name) {
      return topology.atoms[static_cast<std::size_t>(atom)].name == name;
    });
  };
  const std::string residue = " of " + residue_of(topology, atoms[1]).label();
  if (names({"N", "CA", "C", "O"})) return "ψ" + residue + ", seen at O: ";
  if (names({"C", "CA", "N", "H"})) return "φ" + residue + ", seen at H: ";
  const auto torsions = md::backbone_torsions(topology);
  auto turned = atoms;
  std::ranges::reverse(turned);
  const auto name = [&](const char* letter, const std::vector<std::array<int, 4>>& all) {
    const auto found =
        std::ranges::find_if(all, [&](const auto& one) { return one == atoms || one == turned; });
    if (found == all.end()) return std::string();
    return letter + (" of " + residue_of(topology, (*found)[1]).label()) + ": ";
  };
  return name("φ", torsions.phi) + name("ψ", torsions.psi) + name("ω", torsions.omega);
}

bool is_bonded(const md::Topology& topology, int a, int b) {
  return std::ranges::binary_search(topology.bonds, std::pair(std::min(a, b), std::max(a, b)));
}

std::string dihedral_words(const md::Topology& topology, const md::ZMatrixRow& row) {
  const auto [atom, parent, grandparent, reference] = row;
  if (is_bonded(topology, reference, grandparent))
    return backbone_name(topology, {reference, grandparent, parent, atom}) + "dihedral " +
           chain(topology, {reference, grandparent, parent, atom});
  // A sibling: "turn of CB about N–CA, from C (ALA2)".
  const std::string label = " (" + residue_of(topology, reference).label() + ")";
  std::string out = "turn of " + chain(topology, {atom}) + " about " +
                    chain(topology, {grandparent, parent}) + ", from " +
                    chain(topology, {reference});
  for (auto at = out.find(label); at + label.size() < out.size(); at = out.find(label))
    out.erase(at, label.size());  // but for the last
  return out;
}

}  // namespace

std::string coordinate_kind(const md::CoordinateMap& map, std::int64_t coordinate) {
  constexpr const char* kInternal[] = {"bond", "angle", "dihedral"};
  constexpr const char* kCartesian[] = {"x", "y", "z"};
  const auto kind =
      static_cast<std::size_t>(map.coordinates()[static_cast<std::size_t>(coordinate)].kind);
  return map.tree().empty() ? kCartesian[kind] : kInternal[kind];
}

std::string coordinate_words(const md::CoordinateMap& map, const md::Topology& topology,
                             std::int64_t coordinate) {
  const auto& what = map.coordinates()[static_cast<std::size_t>(coordinate)];
  const auto tree = map.tree();
  if (tree.empty()) return coordinate_kind(map, coordinate) + " of " + chain(topology, {what.atom});
  const auto& row = tree[static_cast<std::size_t>(what.order)];
  if (what.kind == 0) return "length of the bond " + chain(topology, {row.parent, row.atom});
  if (what.kind == 1) return "angle " + chain(topology, {row.grandparent, row.parent, row.atom});
  return dihedral_words(topology, row);
}

}  // namespace arbg::apps
