#include "md/pdb_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

#include "md/forcefields/templates.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

struct ResidueSynonym {
  std::string_view name, standard;
};
constexpr ResidueSynonym kResidues[] = {
    {"HSD", "HID"},  {"HSE", "HIE"},  {"HSP", "HIP"},  {"HISD", "HID"}, {"HISE", "HIE"},
    {"HISH", "HIP"}, {"ASPH", "ASH"}, {"GLUH", "GLH"}, {"LYSH", "LYS"}, {"CYS2", "CYX"},
    {"NMA", "NME"},  {"NAC", "NME"},  {"NH2", "NHE"},
};

struct AtomSynonym {
  std::string_view residue, name, standard;  // residue "" is any
};
constexpr AtomSynonym kAtoms[] = {
    {"", "HN", "H"},        {"", "H", "H1"},        {"", "HT1", "H1"},      {"", "HT2", "H2"},
    {"", "HT3", "H3"},      {"", "HN1", "H1"},      {"", "HN2", "H2"},      {"", "HN3", "H3"},
    {"", "OT1", "O"},       {"", "OT2", "OXT"},     {"", "OC1", "O"},       {"", "OC2", "OXT"},
    {"", "O1", "O"},        {"", "O2", "OXT"},      {"", "OT", "OXT"},      {"ILE", "CD", "CD1"},
    {"ILE", "HD1", "HD11"}, {"ILE", "HD2", "HD12"}, {"ILE", "HD3", "HD13"}, {"SER", "HG1", "HG"},
    {"CYS", "HG1", "HG"},   {"PRO", "HN1", "H3"},   {"PRO", "HT1", "H3"},   {"ACE", "H1", "HH31"},
    {"ACE", "H2", "HH32"},  {"ACE", "H3", "HH33"},  {"NME", "C", "CH3"},    {"NME", "H1", "HH31"},
    {"NME", "H2", "HH32"},  {"NME", "H3", "HH33"},
};

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
  for (const AtomSynonym& synonym : kAtoms) {
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
  require(!candidates.empty(), "residue ", residue.label(),
          ": there is no template of that name with ", has_previous ? "a" : "no",
          " residue before it and ", has_next ? "a" : "no",
          " residue after it; the twenty amino acids and the caps ACE, NME and NHE are known");
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

// "ALA2 lacks H, HA and has XB, which ... does not know", or "" if nothing is wrong.
std::string describe_problems(const Residue& residue, const Fit& fit) {
  std::string text;
  const auto add = [&](const char* verb, const std::vector<std::string>& atoms) {
    if (!atoms.empty()) text += (text.empty() ? " " : " and ") + std::string(verb) + list(atoms);
  };
  add("lacks ", fit.missing);
  add("has two atoms ", fit.double_);
  add("has unknown atoms ", fit.superfluous);
  return text.empty() ? text : residue.label() + text;
}

}  // namespace

bool is_water(std::string_view residue_name) {
  constexpr std::array<std::string_view, 10> kWater = {"HOH", "WAT",  "H2O",  "SOL", "TIP",
                                                       "DOD", "TIP3", "TIP4", "TP3", "SPC"};
  return std::ranges::find(kWater, residue_name) != kWater.end();
}

void adopt_template_names(Topology& topology) {
  const auto& library = residue_library().residues;
  for (Residue& residue : topology.residues) {
    for (const ResidueSynonym& synonym : kResidues) {
      if (residue.name == synonym.name) residue.name = synonym.standard;
    }
    // AMBER's names of residues at the ends of a chain, NALA and CALA.
    if (residue.name.size() == 4 && library.contains(residue.name)) residue.name.erase(0, 1);
  }
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
