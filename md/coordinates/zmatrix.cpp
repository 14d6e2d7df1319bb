#include "md/coordinates/zmatrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>

#include "md/molecule/vector3.h"
#include "tensor/base/error.h"

namespace arbg::md {
namespace {

using Neighbours = std::vector<std::vector<int>>;

std::vector<int> protein_root(const Topology& topology, const Neighbours& neighbours) {
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const int n = topology.find(r, "N"), ca = topology.find(r, "CA"), c = topology.find(r, "C");
    if (n < 0 || ca < 0 || c < 0) continue;
    const auto& bonded = neighbours[static_cast<std::size_t>(ca)];
    if (std::ranges::count(bonded, n) && std::ranges::count(bonded, c)) return {n, ca, c};
  }
  return {};
}

std::vector<int> any_root(const Topology& topology, const Neighbours& neighbours,
                          bool with_hydrogens) {
  const auto allowed = [&](int atom) {
    return with_hydrogens || topology.atoms[static_cast<std::size_t>(atom)].element != "H";
  };
  for (int a = 0; a < topology.atom_count(); ++a) {
    if (!allowed(a)) continue;
    for (const int b : neighbours[static_cast<std::size_t>(a)]) {
      if (!allowed(b)) continue;
      for (const int c : neighbours[static_cast<std::size_t>(b)]) {
        if (c != a && allowed(c)) return {a, b, c};
      }
    }
  }
  return {};
}

std::vector<int> find_root(const Topology& topology, const Neighbours& neighbours) {
  for (const auto& root :
       {protein_root(topology, neighbours), any_root(topology, neighbours, false),
        any_root(topology, neighbours, true)}) {
    if (!root.empty()) return root;
  }
  fail("internal coordinates need three atoms bonded in a chain, but the molecule of ",
       topology.atom_count(), " atoms has none; add its bonds to the topology");
}

// Number of bonds between residues on the shortest way from `root` to each residue.
std::vector<int> residue_distances(const Topology& topology, int root) {
  const auto residue = [&](int atom) {
    return static_cast<std::size_t>(topology.atoms[static_cast<std::size_t>(atom)].residue);
  };
  constexpr int kFar = std::numeric_limits<int>::max() - 1;
  std::vector<int> distance(topology.residues.size(), kFar);
  distance[static_cast<std::size_t>(root)] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& [i, j] : topology.bonds) {
      int &a = distance[residue(i)], &b = distance[residue(j)];
      if (a > b + 1) a = b + 1, changed = true;
      if (b > a + 1) b = a + 1, changed = true;
    }
  }
  return distance;
}

int backbone_rank(std::string_view name) {
  constexpr std::string_view kBackbone[] = {"N", "CA", "C", "O"};
  return static_cast<int>(std::ranges::find(kBackbone, name) - std::begin(kBackbone));
}

}  // namespace

ZMatrix grow_zmatrix(const Topology& whole) {
  // Without disulfide bonds, which close rings, the tree follows the chain.
  Topology topology = whole;
  std::erase_if(topology.bonds, [&](const std::pair<int, int>& bond) {
    return whole.atoms[static_cast<std::size_t>(bond.first)].name == "SG" &&
           whole.atoms[static_cast<std::size_t>(bond.second)].name == "SG";
  });
  const Neighbours neighbours = topology.neighbours();
  const auto root = find_root(topology, neighbours);
  const auto atom_of = [&](int i) -> const Atom& {
    return topology.atoms[static_cast<std::size_t>(i)];
  };
  const auto distance = residue_distances(topology, atom_of(root[0]).residue);
  const auto key = [&](int i) {
    const Atom& atom = atom_of(i);
    return std::tuple(distance[static_cast<std::size_t>(atom.residue)], atom.residue,
                      atom.element == "H", backbone_rank(atom.name), i);
  };

  ZMatrix rows = {
      {root[0], -1, -1, -1}, {root[1], root[0], -1, -1}, {root[2], root[1], root[0], -1}};
  std::vector<int> row_of(topology.atoms.size(), -1);
  for (int m = 0; m < 3; ++m)
    row_of[static_cast<std::size_t>(root[static_cast<std::size_t>(m)])] = m;
  const auto row = [&](int atom) { return row_of[static_cast<std::size_t>(atom)]; };

  // The neighbour of `atom` that was placed first, not counting `except`; -1 if none.
  const auto first_placed = [&](int atom, int except) {
    int best = -1;
    for (const int other : neighbours[static_cast<std::size_t>(atom)]) {
      if (other == except || row(other) < 0) continue;
      if (best < 0 || row(other) < row(best)) best = other;
    }
    return best;
  };

  while (rows.size() < topology.atoms.size()) {
    int next = -1;
    for (int i = 0; i < topology.atom_count(); ++i) {
      if (row(i) >= 0 || first_placed(i, -1) < 0) continue;
      if (next < 0 || key(i) < key(next)) next = i;
    }
    if (next < 0) {
      const auto left = std::ranges::find(row_of, -1) - row_of.begin();
      fail("internal coordinates need one connected molecule, but no chain of bonds leads from ",
           topology.describe(root[0]), " to ", topology.describe(static_cast<int>(left)));
    }
    const int parent = first_placed(next, -1);
    const int grandparent =
        parent == root[0] ? root[1] : rows[static_cast<std::size_t>(row(parent))].parent;
    int reference = first_placed(parent, grandparent);
    if (reference < 0) {
      reference =
          parent == root[0] ? root[2] : rows[static_cast<std::size_t>(row(parent))].grandparent;
    }
    row_of[static_cast<std::size_t>(next)] = static_cast<int>(rows.size());
    rows.push_back({next, parent, grandparent, reference});
  }
  return rows;
}

void internal_from_positions(const ZMatrix& zmatrix, std::span<const double> positions_nm,
                             std::span<double> z) {
  const auto position = [&](int atom) { return at(positions_nm, atom); };
  std::size_t j = 0;
  for (const ZMatrixRow& row : zmatrix) {
    if (row.parent < 0) continue;
    const Vector3 x = position(row.atom), parent = position(row.parent);
    z[j++] = norm(x - parent);
    if (row.grandparent < 0) continue;
    z[j++] = angle(position(row.grandparent), parent, x);
    if (row.reference < 0) continue;
    z[j++] = dihedral(position(row.reference), position(row.grandparent), parent, x);
  }
}

Vector3 DihedralCircle::at(double phi) const {
  const double x = radius * std::cos(phi), y = radius * std::sin(phi);
  return centre + x * side + y * normal;
}

// With a dihedral, the inverse of norm, angle and dihedral.
DihedralCircle dihedral_circle(const ZMatrixRow& row, std::span<const double> positions_nm,
                               double r, double theta) {
  const Vector3 reference = at(positions_nm, row.reference);
  const Vector3 grandparent = at(positions_nm, row.grandparent);
  const Vector3 parent = at(positions_nm, row.parent);
  const Vector3 axis = unit(parent - grandparent);
  const Vector3 normal = unit(cross(grandparent - reference, axis));
  const Vector3 side = cross(normal, axis);  // points to the reference's side of the axis
  const double along = -r * std::cos(theta), out = r * std::sin(theta);
  return {parent + along * axis, side, normal, out};
}

void positions_from_internal(const ZMatrix& zmatrix, std::span<const double> z,
                             std::span<double> positions_nm) {
  set_position(positions_nm, zmatrix[0].atom, {0, 0, 0});
  if (z.empty()) return;
  set_position(positions_nm, zmatrix[1].atom, {z[0], 0, 0});
  if (z.size() < 3) return;
  const double r = z[1], theta = z[2];
  set_position(positions_nm, zmatrix[2].atom, {z[0] - r * std::cos(theta), r * std::sin(theta), 0});
  std::size_t j = 3;
  for (std::size_t m = 3; j < z.size(); ++m, j += 3) {
    const ZMatrixRow& row = zmatrix[m];
    set_position(positions_nm, row.atom,
                 dihedral_circle(row, positions_nm, z[j], z[j + 1]).at(z[j + 2]));
  }
}

}  // namespace arbg::md
