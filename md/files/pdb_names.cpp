#include "md/files/pdb_names.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "md/forcefields/known_names.h"
#include "md/forcefields/templates.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

// What one template makes of a residue: the names it should have, and what does not fit.
struct Fit {
  const ResidueTemplate* residue = nullptr;
  std::vector<std::string> names;                          // of the residue's atoms
  std::vector<std::string> missing, superfluous, double_;  // template's; the file's
  std::size_t problems() const { return missing.size() + superfluous.size() + double_.size(); }
};

// 1HB is HB1, 2HH1 is HH12.
std::string digits_last(const std::string& name) {
  if (name.size() < 2 || !std::isdigit(static_cast<unsigned char>(name[0]))) return name;
  return name.substr(1) + name[0];
}

// X1 where the template has X2 and X3 but no X1: X3, so that X1 and X2 are the two of a CH2. Not at
// NZ of LYS, where the name tells which hydrogen is missing.
std::string second_of_pair(const ResidueTemplate& residue, const std::string& name) {
  const std::string stem = name.substr(0, name.size() - 1);
  const bool pair = name.size() > 1 && name[0] == 'H' && name.back() == '1' && stem != "HZ" &&
                    residue.find(stem + "2") >= 0 && residue.find(stem + "3") >= 0;
  return pair ? stem + "3" : name;
}

std::string standard_name(const ResidueTemplate& residue, std::string_view residue_name,
                          const std::string& name) {
  if (residue.find(name) >= 0) return name;
  const std::string turned = digits_last(name);
  if (residue.find(turned) >= 0) return turned;
  for (const AtomSynonym& synonym : atom_synonyms()) {
    if (turned == synonym.name && (synonym.residue.empty() || synonym.residue == residue_name) &&
        residue.find(synonym.standard) >= 0)
      return std::string(synonym.standard);
  }
  return second_of_pair(residue, turned);
}

Fit fit(const ResidueTemplate& candidate, const Topology& topology, const Residue& residue,
        bool as_they_stand) {
  Fit result{&candidate, {}, {}, {}, {}};
  std::vector<int> uses(candidate.atoms.size(), 0);
  for (int atom = residue.first_atom; atom < residue.first_atom + residue.atom_count; ++atom) {
    const std::string& found = topology.atoms[static_cast<std::size_t>(atom)].name;
    const std::string name = as_they_stand ? found : standard_name(candidate, residue.name, found);
    const int place = candidate.find(name);
    if (place < 0) {
      result.superfluous.push_back(found);
    } else if (++uses[static_cast<std::size_t>(place)] == 2) {
      result.double_.push_back(name);
    }
    result.names.push_back(name);
  }
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i] == 0) result.missing.push_back(candidate.atoms[i].name);
  }
  return result;
}

Fit best_fit(const Topology& topology, const Residue& residue, bool has_previous, bool has_next) {
  const auto candidates =
      candidate_templates(residue_library(), residue.name, has_previous, has_next);
  if (candidates.empty())
    fail("residue ", residue.label(), ": ",
         no_template(residue_library(), residue.name, has_previous, has_next));
  Fit best;
  for (const bool as_they_stand : {true, false}) {
    for (const ResidueTemplate* candidate : candidates) {
      Fit found = fit(*candidate, topology, residue, as_they_stand);
      if (found.problems() == 0) return found;
      if (!as_they_stand && (!best.residue || found.problems() < best.problems()))
        best = std::move(found);
    }
  }
  return best;
}

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// "XB, XG (nearest CB, CG)": among what is missing, or else among all atoms of the template.
std::string list_with_advice(const Fit& fit) {
  if (fit.superfluous.empty()) return {};
  std::vector<std::string> known = fit.missing, nearest;
  if (known.empty()) {
    for (const TemplateAtom& atom : fit.residue->atoms) known.push_back(atom.name);
  }
  for (const std::string& name : fit.superfluous) {
    const std::string found = nearest_supported(name, known);
    if (!found.empty() && !std::ranges::count(nearest, found)) nearest.push_back(found);
  }
  return list(fit.superfluous) + (nearest.empty() ? "" : " (nearest " + list(nearest) + ")");
}

// "ALA2 lacks H, HA and has XB, which ... does not know", or "" if nothing is wrong.
std::string describe_problems(const Residue& residue, const Fit& fit) {
  std::string text;
  const auto add = [&](const char* verb, const std::string& atoms) {
    if (!atoms.empty()) text += (text.empty() ? " " : " and ") + std::string(verb) + atoms;
  };
  add("lacks ", list(fit.missing));
  add("has two atoms ", list(fit.double_));
  add("has unknown atoms ", list_with_advice(fit));
  return text.empty() ? text : residue.label() + text;
}

// A cap as CHARMM's patches write it, inside the residue that it caps: only its `mark` and what is
// in `atoms` belong to it.
struct Patch {
  const char *cap, *mark;
  std::vector<std::string_view> atoms;
};

// Makes the atoms of the patch a residue before the first one, or after the last.
void split_off(Topology& topology, const Patch& patch, bool at_start) {
  Residue& whole = at_start ? topology.residues.front() : topology.residues.back();
  const auto of_patch = [&](int k) {
    const Atom& atom = topology.atoms[static_cast<std::size_t>(whole.first_atom + k)];
    return std::ranges::count(patch.atoms, atom.name) > 0;
  };
  int count = 0, together = 0;
  for (int k = 0; k < whole.atom_count; ++k) count += of_patch(k);
  while (together < count && of_patch(at_start ? together : whole.atom_count - 1 - together))
    ++together;
  require(together == count && count < whole.atom_count, "residue ", whole.label(),
          ": the atoms of its cap (", patch.mark, ", ...) must stand ",
          at_start ? "before" : "after", " all others; move them there, as a residue ", patch.cap);
  Residue cap{patch.cap, whole.number + (at_start ? -1 : 1), whole.first_atom, count};
  whole.atom_count -= count;
  if (at_start) {
    whole.first_atom += count;
  } else {
    cap.first_atom += whole.atom_count;
  }
  topology.residues.insert(at_start ? topology.residues.begin() : topology.residues.end(), cap);
  for (std::size_t r = 0; r < topology.residues.size(); ++r) {
    const Residue& residue = topology.residues[r];
    for (int k = 0; k < residue.atom_count; ++k)
      topology.atoms[static_cast<std::size_t>(residue.first_atom + k)].residue =
          static_cast<int>(r);
  }
}

// CHARMM's ACE, CT3 and CT2, of the amino acids at the ends. CT2 has no mark of its own beside NT.
void split_off_caps(Topology& topology) {
  static const Patch kAce{"ACE", "CAY", {"CAY", "HY1", "HY2", "HY3", "CY", "OY"}},
      kNme{"NME", "CAT", {"NT", "HNT", "CAT", "HT1", "HT2", "HT3"}},
      kNhe{"NHE", "NT", {"NT", "HT1", "HT2"}};
  const auto amino_acid_with = [&](std::size_t residue, const char* mark) {
    const auto r = static_cast<int>(residue);
    return topology.find(r, mark) >= 0 && topology.find(r, "CA") >= 0;
  };
  if (amino_acid_with(0, kAce.mark)) split_off(topology, kAce, true);
  for (const Patch* patch : {&kNme, &kNhe}) {
    if (amino_acid_with(topology.residues.size() - 1, patch->mark))
      split_off(topology, *patch, false);
  }
}

}  // namespace

void adopt_template_names(Topology& topology) {
  for (Residue& residue : topology.residues) residue.name = standard_residue_name(residue.name);
  split_off_caps(topology);
  std::string problems;
  std::size_t missing = 0;
  for (std::size_t r = 0; r < topology.residues.size(); ++r) {
    const Residue& residue = topology.residues[r];
    const Fit fit = best_fit(topology, residue, r > 0, r + 1 < topology.residues.size());
    missing += fit.missing.size();
    const std::string text = describe_problems(residue, fit);
    if (!text.empty()) problems += (problems.empty() ? "" : "; ") + text;
    for (std::size_t i = 0; i < fit.names.size(); ++i)
      topology.atoms[static_cast<std::size_t>(residue.first_atom) + i].name = fit.names[i];
  }
  require(problems.empty(), problems,
          missing > 0 ? " (add what is missing with PDBFixer, reduce or tleap)" : "");
}

}  // namespace arbg::md
