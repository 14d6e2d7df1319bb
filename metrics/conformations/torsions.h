// Dihedral angles of a trajectory.
//
// phi is the angle between the planes (i, j, k) and (j, k, l), in radians in [-pi, pi], positive
// when the far bond is turned clockwise seen along j -> k (IUPAC 1970). Positions [B, N, 3] in any
// unit, angles [B, D] for D quadruples, both row-major double. Throws Error for sizes that do not
// match, atom indices outside 0 ... N-1, and, naming the conformation and the atoms, a dihedral
// that is undefined: three atoms in line or a position that is not finite.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace arbg::metrics {

using Quadruple = std::array<int, 4>;  // atom indices i, j, k, l

std::vector<double> dihedrals(std::span<const double> positions, std::size_t atom_count,
                              std::span<const Quadruple> quadruples);

}  // namespace arbg::metrics
