#include "md/forcefields/templates.h"

#include <algorithm>
#include <utility>

#include "md/forcefields/known_names.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

// The template's atom for each atom of the residue; empty, with `problem` set, if they differ.
std::vector<int> match_atoms(const ResidueTemplate& candidate, const Topology& topology,
                             const Residue& residue, std::string& problem) {
  std::vector<int> matches;
  std::vector<bool> seen(candidate.atoms.size(), false);
  for (int atom = residue.first_atom; atom < residue.first_atom + residue.atom_count; ++atom) {
    const std::string& name = topology.atoms[static_cast<std::size_t>(atom)].name;
    const int match = candidate.find(name);
    if (match < 0) {
      problem = "has an atom " + name + " that template " + candidate.name + " lacks";
      return {};
    }
    if (seen[static_cast<std::size_t>(match)]) {
      problem = "has two atoms " + name;
      return {};
    }
    seen[static_cast<std::size_t>(match)] = true;
    matches.push_back(match);
  }
  const auto missing = std::find(seen.begin(), seen.end(), false);
  if (missing != seen.end()) {
    problem = "lacks atom " +
              candidate.atoms[static_cast<std::size_t>(missing - seen.begin())].name +
              " of template " + candidate.name;
    return {};
  }
  return matches;
}

void require_one_chain(const Topology& topology) {
  require(!topology.residues.empty(), "expected a molecule with at least one residue, found none");
  int atom = 0;
  for (const Residue& residue : topology.residues) {
    require(residue.first_atom == atom && residue.atom_count > 0, "residue ", residue.label(),
            " must hold the atoms from index ", atom, " on, its first atom is ", residue.first_atom,
            " of ", residue.atom_count);
    atom += residue.atom_count;
  }
  require(atom == topology.atom_count(), "residues hold ", atom, " atoms, the molecule has ",
          topology.atom_count());
}

// Bonds the pairs of residues, then the last two sulfurs if two are left.
void add_disulfides(Topology& topology, std::vector<int> sulfurs,
                    std::span<const std::pair<int, int>> pairs) {
  const auto take = [&](int r) {
    const auto index = static_cast<std::size_t>(r);
    require(index < sulfurs.size(), "a disulfide bond names residue ", r, " of ", sulfurs.size());
    const int sulfur = std::exchange(sulfurs[index], -1);
    require(sulfur >= 0, "residue ", topology.residues[index].label(),
            " cannot take part in a disulfide bond: expected a cysteine without HG (CYX) that has "
            "no other partner");
    return sulfur;
  };
  const auto bond = [&](int first, int second) {
    const int a = take(first);
    topology.bonds.push_back(std::minmax({a, take(second)}));
  };
  for (const auto& [first, second] : pairs) bond(first, second);
  std::vector<int> left;
  for (std::size_t r = 0; r < sulfurs.size(); ++r) {
    if (sulfurs[r] >= 0) left.push_back(static_cast<int>(r));
  }
  if (left.empty()) return;
  require(
      left.size() == 2, "residue ", topology.residues[static_cast<std::size_t>(left[0])].label(),
      " has no HG, as in a disulfide bond, but its partner is not known: name it (in a PDB file "
      "by CONECT or SSBOND records), or add HG");
  bond(left[0], left[1]);
}

}  // namespace

std::vector<const ResidueTemplate*> candidate_templates(const ForceFieldTables& tables,
                                                        std::string_view residue_name,
                                                        bool has_previous, bool has_next) {
  std::vector<std::string> names = {std::string(residue_name)};
  if (const auto alias = tables.aliases.find(residue_name); alias != tables.aliases.end())
    names = alias->second;
  std::vector<const ResidueTemplate*> candidates;
  for (const std::string& name : names) {
    for (const char* prefix : {"", "N", "C"}) {
      const auto found = tables.residues.find(prefix + name);
      if (found == tables.residues.end()) continue;
      const ResidueTemplate& residue = found->second;
      if ((residue.previous >= 0) == has_previous && (residue.next >= 0) == has_next)
        candidates.push_back(&residue);
    }
  }
  return candidates;
}

std::string no_template(const ForceFieldTables& tables, std::string_view residue_name,
                        bool has_previous, bool has_next) {
  std::vector<std::string> names, here;
  for (const auto& [name, residue] : tables.residues) {
    if (name.size() == 3) names.push_back(name);
  }
  for (const auto& [name, states] : tables.aliases) names.push_back(name);
  for (const std::string& name : names) {
    if (!candidate_templates(tables, name, has_previous, has_next).empty()) here.push_back(name);
  }
  const std::string nearest = advice(residue_name, here);
  if (!std::ranges::count(names, residue_name)) {
    return std::string(residue_name) + " is not supported" +
           (nearest.empty() ? "; the twenty amino acids and the caps ACE, NME and NHE are"
                            : nearest) +
           " (all names: md/SUPPORTED.md)";
  }
  return "there is no template of " + std::string(residue_name) + " with " +
         (has_previous ? "a" : "no") + " residue before it and " + (has_next ? "a" : "no") +
         " residue after it" +
         (has_previous || has_next ? nearest : "; a single residue needs caps, as in Ace-A-Nme");
}

std::vector<TemplateMatch> match_templates(const ForceFieldTables& tables,
                                           const Topology& topology) {
  require_one_chain(topology);
  std::vector<TemplateMatch> matches;
  for (const Residue& residue : topology.residues) {
    const bool has_previous = !matches.empty();
    const bool has_next = matches.size() + 1 < topology.residues.size();
    const auto candidates = candidate_templates(tables, residue.name, has_previous, has_next);
    if (candidates.empty())
      fail("residue ", residue.label(), " (force field ", tables.name,
           "): ", no_template(tables, residue.name, has_previous, has_next));
    std::string first_problem;
    std::vector<int> atoms;
    for (const ResidueTemplate* candidate : candidates) {
      std::string problem;
      atoms = match_atoms(*candidate, topology, residue, problem);
      if (!atoms.empty()) {
        matches.push_back({candidate, atoms});
        break;
      }
      if (first_problem.empty()) first_problem = problem;
    }
    require(!atoms.empty(), "residue ", residue.label(), " ", first_problem, " (force field ",
            tables.name, ")");
  }
  return matches;
}

void complete_topology(Topology& topology, std::span<const std::pair<int, int>> disulfides) {
  const ForceFieldTables& tables = residue_library();
  const std::vector<TemplateMatch> matches = match_templates(tables, topology);
  topology.bonds.clear();
  std::vector<int> sulfurs;  // of each residue that takes part in a disulfide bond, or -1
  int carbonyl = -1;         // the atom of the residue before that bonds to this one
  for (std::size_t r = 0; r < matches.size(); ++r) {
    const ResidueTemplate& residue = *matches[r].residue;
    std::vector<int> atom_of(residue.atoms.size());  // template atom -> atom of the molecule
    for (std::size_t i = 0; i < matches[r].template_atoms.size(); ++i) {
      const auto template_atom = static_cast<std::size_t>(matches[r].template_atoms[i]);
      atom_of[template_atom] = topology.residues[r].first_atom + static_cast<int>(i);
      const auto atom_class = static_cast<std::size_t>(residue.atoms[template_atom].atom_class);
      topology.atoms[static_cast<std::size_t>(atom_of[template_atom])].element =
          tables.classes[atom_class].element;
    }
    const auto atom = [&](int template_atom) {
      return template_atom < 0 ? -1 : atom_of[static_cast<std::size_t>(template_atom)];
    };
    for (const auto& [i, j] : residue.bonds)
      topology.bonds.push_back(std::minmax({atom(i), atom(j)}));
    if (carbonyl >= 0) topology.bonds.emplace_back(carbonyl, atom(residue.previous));
    carbonyl = atom(residue.next);
    sulfurs.push_back(atom(residue.disulfide));
  }
  add_disulfides(topology, std::move(sulfurs), disulfides);
  std::sort(topology.bonds.begin(), topology.bonds.end());
}

}  // namespace arbg::md
