#include "md/forcefields/known_names.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>

#include "md/forcefields/tables.h"
#include "tensor/base/nearest_name.h"

namespace arbg::md {

namespace {

// CHARMM, GROMACS (its GROMOS and OPLS names too), Maestro, the chemical component dictionary.
constexpr ResidueSynonym kResidues[] = {
    {"HSD", "HID"},  {"HSE", "HIE"},  {"HSP", "HIP"},  {"HISD", "HID"}, {"HISE", "HIE"},
    {"HISH", "HIP"}, {"HISA", "HID"}, {"HISB", "HIE"}, {"ASPH", "ASH"}, {"ASPP", "ASH"},
    {"GLUH", "GLH"}, {"GLUP", "GLH"}, {"LYSH", "LYS"}, {"LSN", "LYN"},  {"CYSH", "CYS"},
    {"CYS2", "CYX"}, {"NMA", "NME"},  {"NAC", "NME"},  {"CT3", "NME"},  {"NH2", "NHE"},
    {"CT2", "NHE"},
};

constexpr AtomSynonym kAtoms[] = {
    {"", "HN", "H"},        {"", "H", "H1"},        {"", "HT1", "H1"},      {"", "HT2", "H2"},
    {"", "HT3", "H3"},      {"", "HN1", "H1"},      {"", "HN2", "H2"},      {"", "HN3", "H3"},
    {"", "OT1", "O"},       {"", "OT2", "OXT"},     {"", "OC1", "O"},       {"", "OC2", "OXT"},
    {"", "O1", "O"},        {"", "O2", "OXT"},      {"", "O'", "O"},        {"", "O''", "OXT"},
    {"", "OT", "OXT"},      {"ILE", "CD", "CD1"},   {"ILE", "HD1", "HD11"}, {"ILE", "HD2", "HD12"},
    {"ILE", "HD3", "HD13"}, {"SER", "HG1", "HG"},   {"CYS", "HG1", "HG"},   {"LYN", "HZ1", "HZ3"},
    {"PRO", "HN1", "H3"},   {"PRO", "HT1", "H3"},   {"ACE", "CA", "CH3"},   {"ACE", "CAY", "CH3"},
    {"ACE", "CY", "C"},     {"ACE", "OY", "O"},     {"ACE", "H1", "HH31"},  {"ACE", "H2", "HH32"},
    {"ACE", "H3", "HH33"},  {"ACE", "HA1", "HH31"}, {"ACE", "HA2", "HH32"}, {"ACE", "HA3", "HH33"},
    {"ACE", "HY1", "HH31"}, {"ACE", "HY2", "HH32"}, {"ACE", "HY3", "HH33"}, {"NME", "NT", "N"},
    {"NME", "HNT", "H"},    {"NME", "C", "CH3"},    {"NME", "CA", "CH3"},   {"NME", "CAT", "CH3"},
    {"NME", "H1", "HH31"},  {"NME", "H2", "HH32"},  {"NME", "H3", "HH33"},  {"NME", "HA1", "HH31"},
    {"NME", "HA2", "HH32"}, {"NME", "HA3", "HH33"}, {"NME", "HT1", "HH31"}, {"NME", "HT2", "HH32"},
    {"NME", "HT3", "HH33"}, {"NHE", "NT", "N"},     {"NHE", "H1", "HN1"},   {"NHE", "H2", "HN2"},
    {"NHE", "HT1", "HN1"},  {"NHE", "HT2", "HN2"},
};

// What is not supported, and what comes nearest in chemistry: modified and D amino acids,
// protonation states where there is none, one-letter codes, caps, force fields.
struct Relative {
  std::string_view name, nearest;
};
constexpr Relative kRelatives[] = {
    {"MSE", "MET"},
    {"SEC", "CYS"},
    {"CSO", "CYS"},
    {"CSD", "CYS"},
    {"CME", "CYS"},
    {"SEP", "SER"},
    {"TPO", "THR"},
    {"PTR", "TYR"},
    {"TYM", "TYR"},
    {"TYS", "TYR"},
    {"HYP", "PRO"},
    {"PCA", "GLU"},
    {"CGU", "GLU"},
    {"MLY", "LYS"},
    {"M3L", "LYS"},
    {"ALY", "LYS"},
    {"ORN", "LYS"},
    {"PYL", "LYS"},
    {"CIR", "ARG"},
    {"ARN", "ARG"},
    {"ARGN", "ARG"},
    {"AIB", "ALA"},
    {"ABA", "ALA"},
    {"UNK", "ALA"},
    {"NLE", "LEU"},
    {"NVA", "VAL"},
    {"SAR", "GLY"},
    {"ASX", "ASP"},
    {"GLX", "GLU"},
    {"DAL", "ALA"},
    {"DAR", "ARG"},
    {"DSG", "ASN"},
    {"DAS", "ASP"},
    {"DCY", "CYS"},
    {"DGN", "GLN"},
    {"DGL", "GLU"},
    {"DHI", "HIS"},
    {"DIL", "ILE"},
    {"DLE", "LEU"},
    {"DLY", "LYS"},
    {"MED", "MET"},
    {"DPN", "PHE"},
    {"DPR", "PRO"},
    {"DSN", "SER"},
    {"DTH", "THR"},
    {"DTR", "TRP"},
    {"DTY", "TYR"},
    {"DVA", "VAL"},
    {"IIL", "ILE"},
    {"ALO", "THR"},
    {"FOR", "ACE"},
    {"ALAD", "ALA"},
    {"ASH", "ASP"},
    {"GLH", "GLU"},
    {"LYN", "LYS"},
    {"CYM", "CYS"},
    {"CYX", "CYS"},
    {"HID", "HIS"},
    {"HIE", "HIS"},
    {"HIP", "HIS"},
    {"B", "D"},
    {"J", "L"},
    {"O", "K"},
    {"U", "C"},
    {"X", "A"},
    {"Z", "E"},
    {"Ac-", "Ace-"},
    {"-NHMe", "-Nme"},
    {"-NMA", "-Nme"},
    {"-NH-Me", "-Nme"},
    {"amber", "amber14-obc1"},
    {"amber14", "amber14-obc1"},
    {"ff14SB", "amber14-obc1"},
    {"amber14sb", "amber14-obc1"},
    {"amber99", "amber99sbildn-obc2"},
    {"ff99SBildn", "amber99sbildn-obc2"},
    {"amber99sb", "amber99sbildn-obc2"},
};

std::string capitals(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::span<const ResidueSynonym> residue_synonyms() { return kResidues; }
std::span<const AtomSynonym> atom_synonyms() { return kAtoms; }

std::string standard_residue_name(std::string_view name) {
  const auto synonym = std::ranges::find(kResidues, name, &ResidueSynonym::name);
  if (synonym != std::end(kResidues)) return std::string(synonym->standard);
  // AMBER's names of residues at the ends of a chain.
  const bool at_end = name.size() == 4 && residue_library().residues.contains(name);
  return std::string(at_end ? name.substr(1) : name);
}

std::string nearest_supported(std::string_view name, std::span<const std::string> supported) {
  const std::string word = capitals(name);
  std::string nearest;
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  const auto consider = [&](std::string_view other, std::string_view means) {
    const std::size_t distance = edit_distance(word, capitals(other));
    if (2 * distance > std::max(word.size(), other.size()) || distance >= fewest) return;
    if (std::ranges::find(supported, means) == supported.end()) return;
    fewest = distance;
    nearest = means;
  };
  for (const Relative& relative : kRelatives) {
    if (capitals(relative.name) == word) consider(relative.name, relative.nearest);
  }
  for (const std::string& other : supported) consider(other, other);
  for (const ResidueSynonym& synonym : kResidues) {
    if (edit_distance(word, synonym.name) <= 1) consider(synonym.name, synonym.standard);
  }
  return nearest;
}

std::string advice(std::string_view name, std::span<const std::string> supported) {
  const std::string nearest = nearest_supported(name, supported);
  return nearest.empty() ? nearest : "; the nearest is " + nearest;
}

bool is_water(std::string_view residue_name) {
  constexpr std::string_view kWater[] = {"HOH",  "WAT",  "H2O", "SOL", "TIP", "DOD",
                                         "TIP3", "TIP4", "TP3", "TP4", "TP5", "SPC"};
  return std::ranges::find(kWater, residue_name) != std::end(kWater);
}

bool is_ion(std::string_view residue_name) {
  constexpr std::string_view kIons[] = {"NA", "CL",  "K",   "MG",  "CA",  "ZN",  "NA+", "CL-",
                                        "K+", "SOD", "CLA", "POT", "CAL", "CIO", "NIO", "CIM"};
  return std::ranges::find(kIons, residue_name) != std::end(kIons);
}

}  // namespace arbg::md
