#include "md/topology.h"

#include "md/forcefields/templates.h"
#include "tensor/base/error.h"

namespace arbg::md {

int Topology::find(int residue, std::string_view atom_name) const {
  const Residue& where = residues.at(static_cast<std::size_t>(residue));
  for (int atom = where.first_atom; atom < where.first_atom + where.atom_count; ++atom) {
    if (atoms[static_cast<std::size_t>(atom)].name == atom_name) return atom;
  }
  return -1;
}

std::string Topology::describe(int atom) const {
  const Atom& named = atoms.at(static_cast<std::size_t>(atom));
  const Residue& residue = residues.at(static_cast<std::size_t>(named.residue));
  return residue.name + std::to_string(residue.number) + ":" + named.name;
}

std::vector<std::vector<int>> Topology::neighbours() const {
  std::vector<std::vector<int>> result(atoms.size());
  for (const auto& [i, j] : bonds) {  // sorted by i then j, hence ascending for both
    result.at(static_cast<std::size_t>(i)).push_back(j);
    result.at(static_cast<std::size_t>(j)).push_back(i);
  }
  return result;
}

namespace {

// Residue names of "Ace-AAA-Nme", "AAA", ...
std::vector<std::string> residue_names(std::string_view sequence) {
  std::string_view letters = sequence;
  std::vector<std::string> names;
  if (letters.starts_with("Ace-")) {
    names.push_back("ACE");
    letters.remove_prefix(4);
  }
  const bool capped = letters.ends_with("-Nme");
  if (capped) letters.remove_suffix(4);
  static constexpr std::string_view kLetters = "ACDEFGHIKLMNPQRSTVWY";
  static constexpr const char* kNames[] = {"ALA", "CYS", "ASP", "GLU", "PHE", "GLY", "HIS",
                                           "ILE", "LYS", "LEU", "MET", "ASN", "PRO", "GLN",
                                           "ARG", "SER", "THR", "VAL", "TRP", "TYR"};
  for (const char letter : letters) {
    const std::size_t index = kLetters.find(letter);
    require(index != std::string_view::npos, "sequence '", sequence,
            "': expected one-letter codes of amino acids (", kLetters,
            ") between the optional caps Ace- and -Nme, found '", letter, "'");
    names.emplace_back(kNames[index]);
  }
  require(!letters.empty(), "sequence '", sequence, "' has no amino acid");
  if (capped) names.push_back("NME");
  return names;
}

}  // namespace

Topology Topology::from_sequence(std::string_view sequence) {
  Topology topology;
  const std::vector<std::string> names = residue_names(sequence);
  for (std::size_t r = 0; r < names.size(); ++r) {
    const auto candidates =
        candidate_templates(residue_library(), names[r], r > 0, r + 1 < names.size());
    require(!candidates.empty(), "sequence '", sequence, "': there is no template of ", names[r],
            " with ", r > 0 ? "a" : "no", " residue before it and ",
            r + 1 < names.size() ? "a" : "no", " residue after it");
    const ResidueTemplate& residue = *candidates.front();
    topology.residues.push_back({names[r], static_cast<int>(r) + 1, topology.atom_count(),
                                 static_cast<int>(residue.atoms.size())});
    for (const TemplateAtom& atom : residue.atoms)
      topology.atoms.push_back({atom.name, "", static_cast<int>(r)});
  }
  complete_topology(topology);
  return topology;
}

}  // namespace arbg::md
