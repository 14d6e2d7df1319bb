// The tree of bonded atoms that internal coordinates are measured along.
//
// Row m describes the m-th atom in the order of generation: its bonded parent, grandparent and a
// reference atom, all of earlier rows. Its coordinates are the bond r(parent, atom) in nm, the
// angle theta(grandparent, parent, atom) and the dihedral phi(reference, grandparent, parent, atom)
// in radians. Row 0 has none, row 1 only r, row 2 only r and theta, so z holds [r; r, theta; r,
// theta, phi; ...], K = 3N - 6. The reference is a sibling (another neighbour of the parent) where
// one has been placed, which makes phi a narrow phase; otherwise the great-grandparent, and phi
// turns freely.
#pragma once

#include <span>
#include <vector>

#include "md/molecule/topology.h"
#include "md/molecule/vector3.h"

namespace arbg::md {

struct ZMatrixRow {
  int atom, parent, grandparent, reference;  // atom indices; -1 where rows 0 to 2 have none
};
using ZMatrix = std::vector<ZMatrixRow>;

// Root: N, CA, C of the first residue that has them bonded, otherwise the first chain of three
// bonded atoms (heavy ones if possible). Then residue by residue in order of chain distance from
// the root's (lower index first at equal distance); within a residue heavy atoms before hydrogens,
// N, CA, C, O before the rest, and the rest as in the Topology, always after a bonded atom;
// disulfide bonds are left out. Throws Error for fewer than three atoms and for molecules in
// several pieces.
ZMatrix grow_zmatrix(const Topology& topology);

// Positions [N, 3] in nm to z [K] and back. Dihedrals come out in [-pi, pi]. Positions get the
// first atom at the origin, the second on the +x axis, the third in the half-plane y >= 0.
void internal_from_positions(const ZMatrix& zmatrix, std::span<const double> positions_nm,
                             std::span<double> z);
// z may end after any atom: then only the first rows are placed.
void positions_from_internal(const ZMatrix& zmatrix, std::span<const double> z,
                             std::span<double> positions_nm);

// Where the atom of a row with a reference can be, its r and theta given:
//   x(phi) = centre + radius (cos(phi) side + sin(phi) normal)
// with unit vectors across the bond from grandparent to parent; `side` points to the reference.
struct DihedralCircle {
  Vector3 centre, side, normal;
  double radius;

  Vector3 at(double phi) const;
};
DihedralCircle dihedral_circle(const ZMatrixRow& row, std::span<const double> positions_nm,
                               double r, double theta);

// df/dz [K] of f(x(z)) from df/dx [N, 3], at the positions that positions_from_internal() gives.
void internal_gradient(const ZMatrix& zmatrix, std::span<const double> z,
                       std::span<const double> positions_nm, std::span<const double> dpositions,
                       std::span<double> dz);

// Index into z of row m's bond length; its angle and dihedral follow.
inline int first_coordinate(int row) { return row <= 2 ? (row <= 1 ? 0 : 1) : 3 * row - 6; }

}  // namespace arbg::md
