// Topology::from_sequence: letters become residues, and these the atoms of their templates.
#include <algorithm>
#include <map>

#include "md/forcefields/known_names.h"
#include "md/forcefields/templates.h"
#include "md/molecule/topology.h"
#include "tensor/base/error.h"
#include "tensor/base/quoted.h"

namespace arbg::md {

namespace {

struct Cap {
  std::string_view text;  // in a sequence
  const char* residue;
};
constexpr Cap kFirstCaps[] = {{"Ace-", "ACE"}},
              kLastCaps[] = {{"-Nme", "NME"}, {"-Nhe", "NHE"}, {"-NH2", "NHE"}};
constexpr std::string_view kLetters = "ACDEFGHIKLMNPQRSTVWY";
constexpr const char* kNames[] = {"ALA", "CYS", "ASP", "GLU", "PHE", "GLY", "HIS",
                                  "ILE", "LYS", "LEU", "MET", "ASN", "PRO", "GLN",
                                  "ARG", "SER", "THR", "VAL", "TRP", "TYR"};

// What is left of a sequence without its caps still has a dash: the text around it is no cap.
[[noreturn]] void refuse_cap(std::string_view sequence, std::string_view letters) {
  const std::size_t dash = letters.find('-');
  const bool at_start = letters.substr(0, dash).find_first_not_of(kLetters) < dash;
  const std::string_view found = at_start ? letters.substr(0, dash + 1) : letters.substr(dash);
  std::vector<std::string> caps;
  for (const Cap& cap : at_start ? std::span<const Cap>(kFirstCaps) : kLastCaps)
    caps.emplace_back(cap.text);
  fail("sequence ", Quoted(sequence), ": expected the caps Ace-, -Nme or -Nhe (-NH2), found ",
       Quoted(found), advice(found, caps));
}

// Residue names of "Ace-AAA-Nme", "AAA", ...
std::vector<std::string> residue_names(std::string_view sequence) {
  std::string_view letters = sequence;
  std::vector<std::string> names;
  for (const Cap& cap : kFirstCaps) {
    if (!letters.starts_with(cap.text)) continue;
    names.emplace_back(cap.residue);
    letters.remove_prefix(cap.text.size());
  }
  const auto last =
      std::ranges::find_if(kLastCaps, [&](const Cap& cap) { return letters.ends_with(cap.text); });
  const bool capped = last != std::end(kLastCaps);
  if (capped) letters.remove_suffix(last->text.size());
  if (letters.find('-') != std::string_view::npos) refuse_cap(sequence, letters);
  for (const char letter : letters) {
    const std::size_t index = kLetters.find(letter);
    if (index == std::string_view::npos) {
      const std::vector<std::string> known = [] {
        std::vector<std::string> out;
        for (const char c : kLetters) out.emplace_back(1, c);
        return out;
      }();
      fail("sequence ", Quoted(sequence), ": expected one-letter codes of amino acids (", kLetters,
           ") between the optional caps Ace- and -Nme or -Nhe, found ", Quoted({&letter, 1}),
           advice({&letter, 1}, known));
    }
    names.emplace_back(kNames[index]);
  }
  require(!letters.empty(), "sequence ", Quoted(sequence), " has no amino acid");
  if (capped) names.emplace_back(last->residue);
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
  if (known == kStates.end()) {
    std::vector<std::string> residues;
    for (const auto& [residue, states] : kStates) residues.push_back(residue);
    fail(purpose, ": expected one of HIS, ASP, GLU, LYS, CYS, found '", wanted.residue, "'",
         advice(wanted.residue, residues));
  }
  std::string list;
  bool fits = false;
  for (const std::string& state : known->second) {
    list += (list.empty() ? "" : ", ") + state;
    fits = fits || state == wanted.state;
  }
  require(fits, purpose, ": the states of ", wanted.residue, " are ", list, "; found '",
          wanted.state, "'", advice(wanted.state, known->second));
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
    if (candidates.empty())
      fail("sequence '", sequence,
           "': ", no_template(residue_library(), names[r], r > 0, r + 1 < names.size()));
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
