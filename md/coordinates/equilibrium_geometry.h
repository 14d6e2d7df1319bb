// The geometry that a force field wants: equilibrium bonds and angles, and the phases and torsions
// that follow from them.
//
// At a centre c with neighbours g (the axis), s and i, spherical trigonometry on the three
// equilibrium angles gives
//   cos(phase) = (cos(s,c,i) - cos(s,c,g) cos(i,c,g)) / (sin(s,c,g) sin(i,c,g)),
// about 120 degrees for tetrahedral centres, 180 for planar ones. The sign is the hand of the
// centre: L amino acids, the CB of Ile and Thr, and for equivalent atoms names that count clockwise
// seen from the side of the root; or that of a given conformation.
#pragma once

#include <array>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "md/coordinates/zmatrix.h"
#include "md/molecule/system.h"
#include "md/molecule/topology.h"

namespace arbg::md {

struct Equilibrium {
  double value, k;  // nm and kJ/mol/nm^2, or radians and kJ/mol/rad^2
};

class EquilibriumGeometry {
 public:
  // `like_nm` [N, 3] sets the hand of every centre; empty: the rule above. Throws Error if it has
  // another size.
  EquilibriumGeometry(const Topology& topology, const System& system, const ZMatrix& zmatrix,
                      std::span<const double> like_nm);

  // Throw Error naming the atoms if the force field has no such term, or one with k <= 0.
  Equilibrium bond(int i, int j) const;
  Equilibrium angle(int i, int j, int k) const;

  // What phi of a row with a reference is in the ideal geometry, in (-pi, pi]: the phase from a
  // sibling; 0 around ring bonds as the ring has it; otherwise the main chain or the heavier
  // branches on both sides at 180 degrees.
  double torsion(const ZMatrixRow& row) const;

  // Whether the atom stays near that value: phases, and bonds between planar atoms of one ring.
  bool torsion_is_narrow(const ZMatrixRow& row) const;

  bool planar(int centre) const;

 private:
  using Ends = std::pair<int, int>;

  // The turn from neighbour `from` to neighbour `to` of `centre`, clockwise seen from neighbour
  // `axis`.
  double phase(int centre, int axis, int from, int to) const;
  void set_hands(const ZMatrix& zmatrix, std::span<const double> like_nm);
  // Neighbours of g and of p that close a ring of at most six atoms, or (-1, -1).
  Ends ring_ends(int g, int p) const;
  int main_neighbour(int centre, int axis) const;
  int branch_size(int from, int centre) const;
  int ring_path(int from, int to, Ends without) const;

  const std::vector<int>& bonded(int atom) const {
    return neighbours_[static_cast<std::size_t>(atom)];
  }
  const Atom& atom(int i) const { return topology_.atoms[static_cast<std::size_t>(i)]; }

  const Topology& topology_;
  std::vector<std::vector<int>> neighbours_;
  std::map<std::pair<int, int>, Equilibrium> bonds_;
  std::map<std::array<int, 3>, Equilibrium> angles_;
  // The same neighbours: seen from the first, the others count clockwise.
  std::vector<std::vector<int>> ordered_;
};

}  // namespace arbg::md
