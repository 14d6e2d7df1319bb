#include "md/topology.h"

#include <map>

#include "md/forcefields/templates.h"
#include "tensor/base/error.h"

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

// The entry of that number, which must be of that residue.
std::string& residue_at(std::vector<std::string>& names, int number, std::string_view expected,
                        std::string_view purpose) {
  require(number >= 1 && number <= static_cast<int>(names.size()), purpose,
          ": there is no residue ", number, "; the sequence has residues 1 to ", names.size(),
          ", caps included");
  std::string& name = names[static_cast<std::size_t>(number - 1)];
  require(name == expected, purpose, ": expected ", expected, " as residue ", number, ", found ",
          name);
  return name;
}

void set_state(std::vector<std::string>& names, const ResidueState& wanted) {
  static const std::map<std::string, std::vector<std::string>, std::less<>> kStates = {
      {"HIS", {"HIS", "HID", "HIE", "HIP"}},
      {"ASP", {"ASP", "ASH"}},
      {"GLU", {"GLU", "GLH"}},
      {"LYS", {"LYS", "LYN"}},
      {"CYS", {"CYS", "CYM"}},
  };
  const std::string purpose =
      "state " + wanted.residue + std::to_string(wanted.number) + "=" + wanted.state;
  const auto known = kStates.find(wanted.residue);
  require(known != kStates.end(), purpose, ": expected one of HIS, ASP, GLU, LYS, CYS, found '",
          wanted.residue, "'");
  std::string list;
  bool fits = false;
  for (const std::string& state : known->second) {
    list += (list.empty() ? "" : ", ") + state;
    fits = fits || state == wanted.state;
  }
  require(fits, purpose, ": the states of ", wanted.residue, " are ", list, "; found '",
          wanted.state, "'");
  residue_at(names, wanted.number, wanted.residue, purpose) = wanted.state;
}

}  // namespace

Topology Topology::from_sequence(std::string_view sequence, std::span<const ResidueState> states,
                                 std::span<const std::pair<int, int>> disulfides) {
  Topology topology;
  std::vector<std::string> names = residue_names(sequence);
  for (const ResidueState& state : states) set_state(names, state);
  std::vector<std::pair<int, int>> pairs;  // of residue indices
  for (const auto& [first, second] : disulfides) {
    const std::string purpose = "disulfide " + std::to_string(first) + "-" + std::to_string(second);
    require(first != second, purpose, ": a residue cannot be its own partner");
    for (const int number : {first, second}) residue_at(names, number, "CYS", purpose) = "CYX";
    pairs.emplace_back(first - 1, second - 1);
  }
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
  complete_topology(topology, pairs);
  return topology;
}

}  // namespace arbg::md
