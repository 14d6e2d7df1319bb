// Which atoms an atom takes with it when it turns: siblings, and what a stiff bond holds in place.
#include <algorithm>
#include <vector>

#include "md/placement/placement_rows.h"

namespace arbg::md {
namespace {

// A bond with a barrier of twice this many kJ/mol to turning by a quarter keeps what is ideal:
// amides, aromatic rings, guanidinium; not disulfides, carboxylates, C-OH.
constexpr double kStiff_kj_mol = 30;

double stiffness(const System& system, int g, int p) {
  double sum = 0;
  for (const PeriodicTorsion& t : system.torsions)
    if (t.periodicity == 2 && std::minmax(t.j, t.k) == std::minmax(g, p)) sum += t.k_kj_mol;
  return sum;
}

// The middles of the supports of bond, angle and phase; of a dihedral that turns freely, what is
// ideal.
Companion expected(const CoordinateMap& map, std::span<const double> ideal_z, std::size_t row) {
  const auto j = static_cast<std::size_t>(first_coordinate(static_cast<int>(row)));
  const auto middle = [&](std::size_t k) {
    const Coordinate& c = map.coordinates()[k];
    return (c.low + c.high) / 2;
  };
  const bool free = map.coordinates()[j + 2].periodic;
  return {row, middle(j), middle(j + 1), free ? ideal_z[j + 2] : middle(j + 2)};
}

class Finder {
 public:
  Finder(const CoordinateMap& map, std::span<const double> ideal_z, const PlacementRows& all)
      : map_(map), ideal_z_(ideal_z), all_(all), place_(all.rows.size()) {
    for (std::size_t m = 0; m < place_.size(); ++m) place_[index(tree(m).atom)] = m;
  }

  std::vector<Companion> of(std::size_t m) const {
    std::vector<Companion> out;
    if (!turns_freely(m)) return out;
    std::vector<bool> moves(place_.size());
    moves[m] = true;
    for (std::size_t row = m + 1; row < place_.size(); ++row) {
      if (!goes_along(row, m, moves)) continue;
      moves[row] = true;
      out.push_back(expected(map_, ideal_z_, row));
    }
    return out;
  }

  // Moves the terms of these rows whose atoms are all there when row m turns.
  System terms_of(const std::vector<Companion>& companions, std::size_t m) const {
    std::vector<bool> moves(place_.size());
    for (const Companion& c : companions) moves[c.row] = true;
    const auto there = [&](int atom) { return place_[index(atom)] <= m || moves[place_[index(atom)]]; };
    const auto placed = [&](int atom) { return place_[index(atom)] < m; };
    System out;
    for (const Companion& c : companions) {
      const System& terms = all_.rows[c.row].terms;
      for (const auto& b : terms.bonds)
        if (there(b.i) && there(b.j)) out.bonds.push_back(b);
      for (const auto& a : terms.angles)
        if (there(a.i) && there(a.j) && there(a.k)) out.angles.push_back(a);
      for (const auto& t : terms.torsions)
        if (there(t.i) && there(t.j) && there(t.k) && there(t.l)) out.torsions.push_back(t);
      for (const auto& p : terms.scaled_pairs)
        if (placed(p.i) || placed(p.j)) out.scaled_pairs.push_back(p);
    }
    return out;
  }

 private:
  static std::size_t index(int atom) { return static_cast<std::size_t>(atom); }
  const ZMatrixRow& tree(std::size_t row) const { return all_.rows[row].tree; }
  bool turns_freely(std::size_t row) const {
    return row > 2 && map_.coordinates()[index(first_coordinate(static_cast<int>(row)) + 2)].periodic;
  }

  // A sibling of row m, or an atom at the end of a bond that holds it where its reference is.
  bool goes_along(std::size_t row, std::size_t m, const std::vector<bool>& moves) const {
    const ZMatrixRow &own = tree(row), &turned = tree(m);
    const auto has_moved = [&](int atom) { return moves[place_[index(atom)]]; };
    if (own.parent == turned.parent) return own.grandparent == turned.grandparent && has_moved(own.reference);
    const auto stands = [&](int atom) { return place_[index(atom)] < m || has_moved(atom); };
    if (!has_moved(own.parent) || !stands(own.grandparent) || !stands(own.reference)) return false;
    return !turns_freely(row) || stiffness(all_.system, own.grandparent, own.parent) >= kStiff_kj_mol;
  }

  const CoordinateMap& map_;
  std::span<const double> ideal_z_;
  const PlacementRows& all_;
  std::vector<std::size_t> place_;  // of every atom, its row
};

}  // namespace

void find_companions(const CoordinateMap& map, std::span<const double> ideal_z,
                     PlacementRows& all) {
  const Finder finder(map, ideal_z, all);
  for (std::size_t m = 0; m < all.rows.size(); ++m) {
    all.rows[m].companions = finder.of(m);
    all.rows[m].companion_terms = finder.terms_of(all.rows[m].companions, m);
  }
}

void set_companions(const PlacementRows& all, std::size_t m, std::span<double> x) {
  for (const Companion& c : all.rows[m].companions) {
    const ZMatrixRow& tree = all.rows[c.row].tree;
    set_position(x, tree.atom, dihedral_circle(tree, x, c.r, c.theta).at(c.phi));
  }
}

}  // namespace arbg::md
