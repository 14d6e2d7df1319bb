#include "md/molecule/topology.h"

#include <algorithm>

namespace arbg::md {

std::string Residue::place() const {
  return std::to_string(number) + (insertion_code == ' ' ? "" : std::string(1, insertion_code));
}

std::string Residue::label() const { return name + place(); }

int Topology::find(int residue, std::string_view atom_name) const {
  const Residue& where = residues.at(static_cast<std::size_t>(residue));
  for (int atom = where.first_atom; atom < where.first_atom + where.atom_count; ++atom) {
    if (atoms[static_cast<std::size_t>(atom)].name == atom_name) return atom;
  }
  return -1;
}

std::string Topology::describe(int atom) const {
  const Atom& named = atoms.at(static_cast<std::size_t>(atom));
  return residues.at(static_cast<std::size_t>(named.residue)).label() + ":" + named.name;
}

std::vector<std::vector<int>> Topology::neighbours() const {
  std::vector<std::vector<int>> result(atoms.size());
  for (const auto& [i, j] : bonds) {  // sorted by i then j, hence ascending for both
    result.at(static_cast<std::size_t>(i)).push_back(j);
    result.at(static_cast<std::size_t>(j)).push_back(i);
  }
  return result;
}

std::vector<int> atoms_beyond(const std::vector<std::vector<int>>& neighbours, int from, int to) {
  std::vector<int> reached = {to};
  for (std::size_t k = 0; k < reached.size(); ++k) {
    for (const int next : neighbours[static_cast<std::size_t>(reached[k])]) {
      if (next == from && reached[k] != to) return {};
      if (next != from && std::ranges::find(reached, next) == reached.end())
        reached.push_back(next);
    }
  }
  reached.erase(reached.begin());
  std::ranges::sort(reached);
  return reached;
}

}  // namespace arbg::md
