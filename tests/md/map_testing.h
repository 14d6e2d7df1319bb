// Molecules made by hand and small measurements, for the tests of coordinate maps.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "tensor/base/random.h"

namespace arbg::md {

struct Molecule {
  Topology topology;
  System system;
};

inline double distance(std::span<const double> x, int i, int j) {
  const auto a = static_cast<std::size_t>(3 * i), b = static_cast<std::size_t>(3 * j);
  return std::hypot(x[a] - x[b], x[a + 1] - x[b + 1], x[a + 2] - x[b + 2]);
}

// (x_j - x_i) . ((x_k - x_i) x (x_l - x_i)): changes sign in the mirror.
inline double volume(std::span<const double> x, int i, int j, int k, int l) {
  const auto from_i = [&](int a, std::size_t c) {
    return x[static_cast<std::size_t>(3 * a) + c] - x[static_cast<std::size_t>(3 * i) + c];
  };
  double sum = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t d = (c + 1) % 3, e = (c + 2) % 3;
    sum += from_i(j, c) * (from_i(k, d) * from_i(l, e) - from_i(k, e) * from_i(l, d));
  }
  return sum;
}

// One residue, every bond 0.12 nm and every angle 1.911 rad (109.5 degrees); an element is the
// name's first letter.
inline Molecule molecule(const std::vector<const char*>& names,
                         const std::vector<std::pair<int, int>>& bonds, double bond_k,
                         double angle_k) {
  Molecule m;
  m.topology.residues = {{"MOL", 1, 0, static_cast<int>(names.size())}};
  for (const char* name : names) m.topology.atoms.push_back({name, std::string(1, name[0]), 0});
  m.topology.bonds = bonds;
  m.system.mass_amu.assign(names.size(), 12.0);
  for (const auto& [i, j] : bonds) m.system.bonds.push_back({i, j, 0.12, bond_k});
  const auto neighbours = m.topology.neighbours();
  for (int j = 0; j < m.topology.atom_count(); ++j) {
    for (const int i : neighbours[static_cast<std::size_t>(j)]) {
      for (const int k : neighbours[static_cast<std::size_t>(j)]) {
        if (i < k) m.system.angles.push_back({i, j, k, 1.911, angle_k});
      }
    }
  }
  return m;
}

inline std::vector<double> encode(const CoordinateMap& map, std::span<const double> x,
                                  std::uint64_t index = 0) {
  std::vector<double> z(static_cast<std::size_t>(map.size()));
  map.encode(x, z, Random(11, stream_id("encode")), index);
  return z;
}

inline std::vector<double> decode(const CoordinateMap& map, std::span<const double> z) {
  std::vector<double> x(static_cast<std::size_t>(3 * map.atom_count()));
  map.decode(z, x);
  return x;
}

}  // namespace arbg::md
