// Names of other programs, what a refusal advises, and the page that lists them.
#include "md/forcefields/known_names.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/forcefields/tables.h"
#include "tensor/base/files.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

using Names = std::set<std::string>;
using Renaming = std::function<void(std::string& residue, int& number, std::string& atom)>;

// A PDB file of the sequence with other names, atoms at different places.
std::string pdb_of(const std::string& sequence, const Renaming& rename) {
  const Topology topology = Topology::from_sequence(sequence);
  std::string text;
  for (int i = 0; i < topology.atom_count(); ++i) {
    const Atom& atom = topology.atoms[static_cast<std::size_t>(i)];
    const Residue& whole = topology.residues[static_cast<std::size_t>(atom.residue)];
    std::string residue = whole.name, name = atom.name;
    int number = whole.number;
    rename(residue, number, name);
    char line[96];
    std::snprintf(line, sizeof line, "ATOM  %5d %-4s %-4sA%4d    %8.3f%8.3f%8.3f\n", i + 1,
                  name.c_str(), residue.c_str(), number, 0.1 * i, 0.0, 0.0);
    text += line;
  }
  return text + "END\n";
}

void check_read_as(const std::string& sequence, const Renaming& rename) {
  const Topology expected = Topology::from_sequence(sequence);
  const Topology found = parse_pdb(pdb_of(sequence, rename), "renamed.pdb").topology;
  REQUIRE(found.atom_count() == expected.atom_count());
  REQUIRE(found.residues.size() == expected.residues.size());
  CHECK(found.bonds == expected.bonds);
  for (int i = 0; i < expected.atom_count(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    CHECK(found.atoms[k].name == expected.atoms[k].name);
    const auto residue_of = [&](const Topology& t) {
      return t.residues[static_cast<std::size_t>(t.atoms[k].residue)].name;
    };
    CHECK(residue_of(found) == residue_of(expected));
  }
}

std::string message_of(const std::string& sequence, const Renaming& rename) {
  return error_message([&] { parse_pdb(pdb_of(sequence, rename), "renamed.pdb"); });
}

Renaming table(const std::map<std::string, std::string>& names) {
  return [names](std::string& residue, int&, std::string& atom) {
    for (std::string* word : {&residue, &atom}) {
      if (const auto found = names.find(*word); found != names.end()) *word = found->second;
    }
    const auto both = names.find(residue + ":" + atom);
    if (both != names.end()) atom = both->second;
  };
}

// CHARMM's patches: the caps' atoms in the amino acids beside them.
void charmm_patches(std::string& residue, int& number, std::string& atom) {
  static const std::map<std::string, std::string> kNames = {
      {"ACE:CH3", "CAY"},  {"ACE:C", "CY"},     {"ACE:O", "OY"},     {"ACE:HH31", "HY1"},
      {"ACE:HH32", "HY2"}, {"ACE:HH33", "HY3"}, {"NME:N", "NT"},     {"NME:H", "HNT"},
      {"NME:CH3", "CAT"},  {"NME:HH31", "HT1"}, {"NME:HH32", "HT2"}, {"NME:HH33", "HT3"},
      {"NHE:N", "NT"},     {"NHE:HN1", "HT1"},  {"NHE:HN2", "HT2"},  {"ALA:H", "HN"}};
  if (const auto found = kNames.find(residue + ":" + atom); found != kNames.end())
    atom = found->second;
  if (residue == "ACE") ++number;
  if (residue == "NME" || residue == "NHE") --number;
  if (residue != "SER") residue = "ALA";
}

// Words between backquotes.
Names quoted(const std::string& text) {
  Names words;
  std::istringstream parts(text);
  std::string part;
  for (bool inside = false; std::getline(parts, part, '`'); inside = !inside) {
    if (inside) words.insert(part);
  }
  return words;
}

// The rows of the table under that heading, cell by cell.
std::vector<std::vector<std::string>> rows_of(const std::string& heading) {
  std::istringstream lines(read_file(ARBG_GOLDEN_DIR "/../../md/SUPPORTED.md"));
  std::vector<std::vector<std::string>> rows;
  bool here = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) here = line == "## " + heading;
    if (!here || !line.starts_with("| `")) continue;
    std::istringstream cells(line.substr(1));
    auto& row = rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, '|');) row.push_back(cell);
  }
  return rows;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the page of what is supported has the residues, synonyms and force fields there are") {
    Names expected;
    for (const auto& [name, residue] : residue_library().residues) {
      if (name.size() == 3) expected.insert(name);
    }
    for (const auto& [name, states] : residue_library().aliases) expected.insert(name);
    Names found;
    for (const auto& row : rows_of("Residues")) {
      REQUIRE(row.size() >= 2);
      const Names residues = quoted(row[0]);
      found.insert(residues.begin(), residues.end());
      Names synonyms;
      for (const ResidueSynonym& synonym : residue_synonyms()) {
        if (residues.contains(std::string(synonym.standard))) synonyms.emplace(synonym.name);
      }
      CAPTURE(row[0]);
      CHECK(quoted(row[1]) == synonyms);
    }
    CHECK(found == expected);
    const std::string page = read_file(ARBG_GOLDEN_DIR "/../../md/SUPPORTED.md");
    for (const std::string& field : ForceField::names())
      CHECK(page.find("`" + field + "`") != std::string::npos);
    for (const std::string& field : ForceField::names()) {
      for (const std::string& name : expected) {
        const auto& tables = tables_named(field);
        CHECK((tables.residues.contains(name) || tables.aliases.contains(name)));
      }
    }
  }

  TEST_CASE("every synonym of a residue is read as what it stands for") {
    for (const ResidueSynonym& synonym : residue_synonyms()) {
      CAPTURE(std::string(synonym.name));
      CHECK(standard_residue_name(synonym.name) == synonym.standard);
      CHECK(residue_library().residues.contains(synonym.standard));
    }
    CHECK(standard_residue_name("NALA") == "ALA");
    CHECK(standard_residue_name("CHIE") == "HIE");
    CHECK(standard_residue_name("XALA") == "XALA");
  }

  TEST_CASE("caps have the names of Maestro, CHARMM, GROMACS and the component dictionary") {
    check_read_as(
        "Ace-A-Nme",
        table({{"NME", "NMA"}, {"HH31", "1HA"}, {"HH32", "2HA"}, {"HH33", "3HA"}, {"CH3", "CA"}}));
    check_read_as("Ace-A-Nme", table({{"ACE:CH3", "CAY"},
                                      {"ACE:HH31", "HY1"},
                                      {"ACE:HH32", "HY2"},
                                      {"ACE:HH33", "HY3"},
                                      {"ACE:C", "CY"},
                                      {"ACE:O", "OY"},
                                      {"NME", "CT3"},
                                      {"CT3:N", "NT"},
                                      {"CT3:H", "HNT"},
                                      {"CT3:CH3", "CAT"},
                                      {"CT3:HH31", "HT1"},
                                      {"CT3:HH32", "HT2"},
                                      {"CT3:HH33", "HT3"}}));
    check_read_as("Ace-A-Nme",
                  table({{"NME", "NAC"}, {"HH31", "1HH3"}, {"HH32", "2HH3"}, {"HH33", "3HH3"}}));
    for (const auto& [first, second] :
         {std::pair("HN1", "HN2"), {"H1", "H2"}, {"1H", "2H"}, {"1HN", "2HN"}, {"HT1", "HT2"}}) {
      check_read_as("Ace-A-Nhe", table({{"NHE", "NH2"}, {"HN1", first}, {"HN2", second}}));
      check_read_as("AA-NH2", table({{"HN1", first}, {"HN2", second}}));
    }
  }

  TEST_CASE("caps of CHARMM's patches come out of the amino acids that they cap") {
    for (const char* sequence : {"Ace-A-Nme", "Ace-A-Nhe", "Ace-AA-Nme", "Ace-ASA-Nhe", "Ace-AA"})
      check_read_as(sequence, charmm_patches);
    const Pdb pdb = parse_pdb(pdb_of("Ace-A-Nme", charmm_patches), "patched.pdb");
    CHECK(pdb.topology.describe(0) == "ACE1:HH31");
    CHECK(pdb.topology.residues.back().label() == "NME3");
  }

  TEST_CASE("atoms of a patch among others are refused with advice") {
    const std::string text = pdb_of("Ace-A-Nme", charmm_patches);
    const std::size_t end_of_first = text.find('\n') + 1;
    const std::string moved = text.substr(end_of_first, text.size() - end_of_first - 4) +
                              text.substr(0, end_of_first) + "END\n";
    CHECK(error_message([&] { parse_pdb(moved, "moved.pdb"); }) ==
          "moved.pdb: residue ALA2: the atoms of its cap (CAY, ...) must stand before all others; "
          "move them there, as a residue ACE");
  }

  TEST_CASE("ends, histidines and neutral side chains of other programs") {
    for (const auto& ends :
         {std::pair("OT1", "OT2"), {"OC1", "OC2"}, {"O1", "O2"}, {"O'", "O''"}, {"O", "OT"}})
      check_read_as("AA", [&](std::string&, int& number, std::string& atom) {
        if (number == 2 && atom == "O") atom = ends.first;
        if (atom == "OXT") atom = ends.second;
      });
    check_read_as("AA", table({{"H1", "1H"}, {"H2", "2H"}, {"H3", "3H"}}));
    for (const char* name : {"HSE", "HISE", "HISB", "HIS", "NHIE"}) {
      const std::string text = pdb_of("HA", table({{"HIS", name}}));
      CHECK(parse_pdb(text, name).topology.bonds == Topology::from_sequence("HA").bonds);
    }
  }

  TEST_CASE("Maestro's N-methylacetamide cap has OpenMM's energy") {
    const Pdb pdb = read_pdb(ARBG_GOLDEN_DIR "/cases/nma-maestro-names.pdb");
    const EnergyEngine energy(ForceField::named("amber99sbildn-obc2").create_system(pdb.topology));
    CHECK(std::abs(energy.evaluate(pdb.positions_nm, false).energy_kj_mol[0] - -133.3246) < 1e-3);
  }

  TEST_CASE("an amidated C-terminus has OpenMM's energies") {
    const Pdb pdb = read_pdb(ARBG_GOLDEN_DIR "/cases/amidated.pdb");
    for (const auto& openmm :
         {std::pair("amber14-obc1", -243.8716), {"amber99sbildn-obc2", -190.6110}}) {
      CAPTURE(openmm.first);
      const EnergyEngine energy(ForceField::named(openmm.first).create_system(pdb.topology));
      const double found = energy.evaluate(pdb.positions_nm, false).energy_kj_mol[0];
      CHECK(std::abs(found - openmm.second) < 1e-3);
    }
  }

  TEST_CASE("refusals of residues and atoms name the nearest supported name") {
    const auto residue = [](const char* name) {
      return message_of("AAA", [&](std::string& residue_name, int& number, std::string&) {
        if (number == 2) residue_name = name;
      });
    };
    CHECK(residue("MSE") ==
          "renamed.pdb: residue MSE2: MSE is not supported; the nearest is MET (all names: "
          "md/SUPPORTED.md)");
    CHECK(residue("DAL").find("nearest is ALA") != std::string::npos);
    CHECK(residue("HSX").find("nearest is HID") != std::string::npos);
    CHECK(residue("QQQ").find("the twenty amino acids and the caps") != std::string::npos);
    CHECK(residue("NA").find("found an ion (NA 2)") != std::string::npos);
    CHECK(residue("NME").find("no template of NME with a residue before it and a residue after") !=
          std::string::npos);
    CHECK(message_of("AA", table({{"CB", "CX"}})).find("unknown atoms CX (nearest CB)") !=
          std::string::npos);
    CHECK(message_of("DA", table({{"ASP", "ASH"}}))
              .find("no template of ASH with no residue before it and a residue after it; the "
                    "nearest is ASP") != std::string::npos);
  }

  TEST_CASE("refusals of sequences, states and force fields name the nearest supported name") {
    const auto sequence = [](const char* text) {
      return error_message([&] { Topology::from_sequence(text); });
    };
    CHECK(sequence("Ace-AaA-Nme").ends_with("found 'a'; the nearest is A"));
    CHECK(sequence("Ace-AUA-Nme").ends_with("found 'U'; the nearest is C"));
    CHECK(sequence("Ace-A*A-Nme").ends_with("found '*'"));
    CHECK(sequence("Ac-AAA-Nme").ends_with("found 'Ac-'; the nearest is Ace-"));
    CHECK(sequence("ace-AAA-Nme").ends_with("found 'ace-'; the nearest is Ace-"));
    CHECK(sequence("Ace-AAA-nme").ends_with("found '-nme'; the nearest is -Nme"));
    CHECK(sequence("Ace-AAA-NHMe").ends_with("found '-NHMe'; the nearest is -Nme"));
    CHECK(sequence("A").ends_with("a single residue needs caps, as in Ace-A-Nme"));
    const ResidueState state[] = {{"HIS", 2, "HSP"}};
    CHECK(error_message([&] {
            Topology::from_sequence("AHA", state);
          }).ends_with("found 'HSP'; the nearest is HIP"));
    CHECK(error_message([] {
            ForceField::named("ff14SB");
          }).ends_with("the nearest is amber14-obc1"));
    CHECK(error_message([] {
            ForceField::named("amber99sb-ildn-obc2");
          }).ends_with("the nearest is amber99sbildn-obc2"));
  }

  TEST_CASE("PDB files are known by their endings, capitals or not") {
    for (const char* name : {"a.pdb", "a.PDB", "a.ent", "a.ENT", "pdb1abc.ent"})
      CHECK(is_pdb_path(name));
    for (const char* name : {"a.npy", "pdb", "a.pdb.npy", ".pdb"}) CHECK_FALSE(is_pdb_path(name));
    CHECK(error_message([] {
            parse_pdb("data_1ABC\n", "a.pdb");
          }).find("expected a PDB file; it is an mmCIF file") != std::string::npos);
  }
}

}  // namespace arbg::md
