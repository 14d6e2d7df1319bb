#include "md/dynamics/peptide_turns.h"

#include <algorithm>

#include "md/molecule/vector3.h"

namespace arbg::md {

std::vector<PeptideTurn> peptide_turns(const Topology& topology) {
  const auto neighbours = topology.neighbours();
  const auto is = [&](int atom, const char* element) {
    return topology.atoms[static_cast<std::size_t>(atom)].element == element;
  };
  std::vector<PeptideTurn> out;
  for (const auto& [i, j] : topology.bonds) {
    const int carbon = is(i, "C") ? i : j, nitrogen = i + j - carbon;
    if (!is(carbon, "C") || !is(nitrogen, "N")) continue;
    if (topology.atoms[static_cast<std::size_t>(i)].residue ==
        topology.atoms[static_cast<std::size_t>(j)].residue)
      continue;
    const auto& around = neighbours[static_cast<std::size_t>(nitrogen)];
    if (std::ranges::all_of(around, [&](int a) { return a == carbon || is(a, "H"); })) continue;
    auto behind = atoms_beyond(neighbours, carbon, nitrogen),
         before = atoms_beyond(neighbours, nitrogen, carbon);
    if (behind.empty()) continue;  // a ring
    if (behind.size() <= before.size())
      out.push_back({carbon, nitrogen, std::move(behind)});
    else
      out.push_back({nitrogen, carbon, std::move(before)});
  }
  return out;
}

void turn(const PeptideTurn& bond, std::span<double> positions_nm) {
  const Vector3 p = at(positions_nm, bond.from), u = unit(at(positions_nm, bond.to) - p);
  for (const int atom : bond.moved) {
    const Vector3 d = at(positions_nm, atom) - p;
    set_position(positions_nm, atom, p + 2 * dot(u, d) * u - d);
  }
}

}  // namespace arbg::md
