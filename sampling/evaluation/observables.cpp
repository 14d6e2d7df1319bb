#include "sampling/evaluation/observables.h"

#include <algorithm>
#include <map>
#include <numbers>
#include <string_view>
#include <utility>

#include "md/molecule/torsion_atoms.h"
#include "md/molecule/vector3.h"
#include "metrics/conformations/shape.h"
#include "metrics/conformations/torsions.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

std::size_t atoms_of(const md::Topology& topology) { return topology.atoms.size(); }

const std::string& element(const md::Topology& topology, int atom) {
  return topology.atoms[static_cast<std::size_t>(atom)].element;
}

void add_radius(const md::Topology& topology, std::vector<Observable>& out) {
  std::vector<double> heavy;
  for (const md::Atom& atom : topology.atoms) heavy.push_back(atom.element == "H" ? 0 : 1);
  const bool any = std::ranges::find(heavy, 1.0) != heavy.end();
  if (!any) return;
  out.push_back({"size", "radius of gyration", "nm", false, false,
                 [&topology, heavy](std::span<const double> x) {
                   return metrics::radii_of_gyration(x, atoms_of(topology), heavy);
                 }});
}

void add_ends(const md::Topology& topology, std::vector<Observable>& out) {
  const auto centres = c_alphas(topology);
  if (centres.empty()) return;
  const auto residue_of = [&](int atom) {
    return topology.atoms[static_cast<std::size_t>(atom)].residue;
  };
  const int first = topology.find(residue_of(centres.front()), "N"),
            last = topology.find(residue_of(centres.back()), "C");
  if (first < 0 || last < 0) return;
  out.push_back({"size", "end to end", "nm", false, false,
                 [&topology, first, last](std::span<const double> x) {
                   return metrics::end_to_end_distances(x, atoms_of(topology), first, last);
                 }});
}

void add_hydrogen_bonds(const md::Topology& topology, std::vector<Observable>& out) {
  const auto takes_part = [&](int atom) {
    return element(topology, atom) == "N" || element(topology, atom) == "O";
  };
  std::vector<std::pair<int, int>> donors;
  for (const auto& [a, b] : topology.bonds) {
    if (takes_part(a) && element(topology, b) == "H") donors.emplace_back(a, b);
    if (takes_part(b) && element(topology, a) == "H") donors.emplace_back(b, a);
  }
  std::vector<int> acceptors;
  for (int atom = 0; atom < topology.atom_count(); ++atom)
    if (takes_part(atom)) acceptors.push_back(atom);
  const auto bonds = metrics::possible_hydrogen_bonds(donors, acceptors);
  if (bonds.empty()) return;
  out.push_back(
      {"size", "hydrogen bonds", "", false, true, [&topology, bonds](std::span<const double> x) {
         const auto found = metrics::hydrogen_bonds(x, atoms_of(topology), bonds, {});
         return std::vector<double>(found.counts.begin(), found.counts.end());
       }});
}

void add_torsion(const md::Topology& topology, const char* group, const std::string& kind,
                 int residue, const metrics::Quadruple& atoms, std::vector<Observable>& out) {
  const auto label = topology.residues[static_cast<std::size_t>(residue)].label();
  out.push_back({group, kind + " " + label, "degrees", true, false,
                 [&topology, atoms](std::span<const double> x) {
                   auto angles = metrics::dihedrals(x, atoms_of(topology), std::span(&atoms, 1));
                   for (double& angle : angles) angle /= kDegree;
                   return angles;
                 }});
}

// By element, as a chemist writes them: carbon first, hydrogen last.
std::string joined(const md::Topology& topology, std::vector<int> atoms) {
  const auto rank = [&](int atom) {
    return std::string_view("CNOSH").find(element(topology, atom));
  };
  if (rank(atoms.front()) > rank(atoms.back())) std::ranges::reverse(atoms);
  std::string out;
  for (const int atom : atoms) out += (out.empty() ? "" : "-") + element(topology, atom);
  return out;
}

// Of each conformation a number for each of the lists of two or three atoms.
std::vector<double> geometry_of(const md::Topology& topology,
                                const std::vector<std::vector<int>>& all,
                                std::span<const double> positions_nm) {
  const std::size_t size = 3 * atoms_of(topology);
  std::vector<double> out;
  out.reserve(positions_nm.size() / size * all.size());
  for (std::size_t first = 0; first < positions_nm.size(); first += size) {
    const auto x = positions_nm.subspan(first, size);
    for (const auto& atoms : all) {
      const auto a = md::at(x, atoms[0]), b = md::at(x, atoms[1]);
      out.push_back(atoms.size() == 2 ? md::norm(a - b)
                                      : md::angle(a, b, md::at(x, atoms[2])) / kDegree);
    }
  }
  return out;
}

void add_by_elements(const md::Topology& topology, const char* group, const char* unit,
                     const std::vector<std::vector<int>>& all, std::vector<Observable>& out) {
  std::map<std::string, std::vector<std::vector<int>>> kinds;
  for (const auto& atoms : all) kinds[joined(topology, atoms)].push_back(atoms);
  for (const auto& [name, of_kind] : kinds) {
    out.push_back(
        {group, name, unit, false, false, [&topology, atoms = of_kind](std::span<const double> x) {
           return geometry_of(topology, atoms, x);
         }});
  }
}

std::vector<std::vector<int>> bonds_of(const md::Topology& topology) {
  std::vector<std::vector<int>> out;
  for (const auto& [a, b] : topology.bonds) out.push_back({a, b});
  return out;
}

std::vector<std::vector<int>> angles_of(const md::Topology& topology) {
  std::vector<std::vector<int>> out;
  const auto neighbours = topology.neighbours();
  for (int centre = 0; centre < topology.atom_count(); ++centre) {
    const auto& ends = neighbours[static_cast<std::size_t>(centre)];
    for (std::size_t i = 0; i < ends.size(); ++i) {
      for (std::size_t j = i + 1; j < ends.size(); ++j) out.push_back({ends[i], centre, ends[j]});
    }
  }
  return out;
}

}  // namespace

std::vector<int> c_alphas(const md::Topology& topology) {
  std::vector<int> out;
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const int atom = topology.find(r, "CA");
    if (atom >= 0) out.push_back(atom);
  }
  return out;
}

std::vector<double> c_alpha_rmsd(const md::Topology& topology, std::span<const double> structure_nm,
                                 std::span<const double> positions_nm) {
  const auto atoms = c_alphas(topology);
  require(atoms.size() >= 3 && structure_nm.size() == 3 * atoms.size(),
          "the RMSD of C-alpha atoms needs at least 3, as many in the structure as in the "
          "molecule; found ",
          structure_nm.size() / 3, " and ", atoms.size());
  std::vector<double> reference(3 * atoms_of(topology));  // of the others nothing is used
  for (std::size_t k = 0; k < atoms.size(); ++k)
    md::set_position(reference, atoms[k], md::at(structure_nm, static_cast<int>(k)));
  return metrics::rmsd(positions_nm, atoms_of(topology), reference, atoms);
}

std::vector<Observable> observables_of(const md::Topology& topology,
                                       std::span<const double> structure_nm) {
  std::vector<Observable> out;
  add_radius(topology, out);
  add_ends(topology, out);
  add_hydrogen_bonds(topology, out);
  if (!structure_nm.empty()) {
    out.push_back({"size", "C-alpha RMSD", "nm", false, false,
                   [&topology, structure_nm](std::span<const double> x) {
                     return c_alpha_rmsd(topology, structure_nm, x);
                   }});
  }
  for (const auto& q : md::backbone_torsions(topology).omega)
    add_torsion(topology, "omega", "omega", topology.atoms[static_cast<std::size_t>(q[0])].residue,
                q, out);
  for (const auto& torsion : md::side_chain_torsions(topology))
    add_torsion(topology, "chi", "chi" + std::to_string(torsion.number), torsion.residue,
                torsion.atoms, out);
  add_by_elements(topology, "bonds", "nm", bonds_of(topology), out);
  add_by_elements(topology, "angles", "degrees", angles_of(topology), out);
  return out;
}

}  // namespace arbg::sampling
