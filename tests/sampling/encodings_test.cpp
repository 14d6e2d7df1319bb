// The published encodings: every code of the table is met, names are reduced as published, padding
// is zero.
#include "sampling/proposals/encodings.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>

#include "tensor/base/files.h"
#include "tests/md/error_message.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

// {"atom CA": 2, "residue ALA": 1, ...}
std::map<std::string, std::int32_t> golden_table() {
  std::istringstream lines(
      read_file(std::filesystem::path(ARBG_GOLDEN_DIR) / "network/encodings.txt"));
  std::map<std::string, std::int32_t> table;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string kind, name;
    std::int32_t code = 0;
    fields >> kind >> name >> code;
    table[kind + " " + name] = code;
  }
  return table;
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("the twenty amino acids have the published codes, and meet all of them") {
    const auto table = golden_table();
    REQUIRE(table.size() == 54 + 20);
    const auto topology = md::Topology::from_sequence("ACDEFGHIKLMNPQRSTVWY");
    const auto encoding = encode_molecule(topology);
    CHECK(encoding.chain_length == 20);
    REQUIRE(encoding.atom_count() == topology.atom_count());
    std::set<std::int32_t> atom_types, residue_types;
    for (std::size_t i = 0; i < encoding.atom_type.size(); ++i) {
      const auto& atom = topology.atoms[i];
      const auto& residue = topology.residues[static_cast<std::size_t>(atom.residue)].name;
      CAPTURE(topology.describe(static_cast<int>(i)));
      CHECK(encoding.atom_type[i] == table.at("atom " + reduced_atom_name(residue, atom.name)));
      CHECK(encoding.residue_type[i] == table.at("residue " + residue));
      CHECK(encoding.residue_index[i] == atom.residue + 1);
      atom_types.insert(encoding.atom_type[i]);
      residue_types.insert(encoding.residue_type[i]);
    }
    CHECK(atom_types.size() == 54);
    CHECK(residue_types.size() == 20);
  }

  TEST_CASE("dialanine, written out") {
    const auto topology = md::Topology::from_sequence("AA");
    const auto encoding = encode_molecule(topology);
    const std::map<std::string, std::int32_t> expected = {
        {"N", 37}, {"H1", 18},  {"H2", 18},  {"H3", 18},  {"H", 18}, {"CA", 2}, {"HA", 19},
        {"CB", 3}, {"HB1", 20}, {"HB2", 20}, {"HB3", 20}, {"C", 1},  {"O", 46}, {"OXT", 52}};
    for (std::size_t i = 0; i < encoding.atom_type.size(); ++i)
      CHECK(encoding.atom_type[i] == expected.at(topology.atoms[i].name));
    CHECK(encoding.residue_type == std::vector<std::int32_t>(23, 1));
  }
}

TEST_SUITE("fast") {
  TEST_CASE("hydrogens lose their number but in rings, acids' oxygens always") {
    const std::vector<std::array<const char*, 3>> rows = {
        {"ALA", "HB1", "HB"},   {"GLY", "HA3", "HA"},   {"VAL", "HG21", "HG2"},
        {"VAL", "CG2", "CG2"},  {"LEU", "HD11", "HD1"}, {"ILE", "HG12", "HG1"},
        {"ILE", "HD13", "HD1"}, {"THR", "HG1", "HG"},   {"THR", "OG1", "OG1"},
        {"SER", "HG", "HG"},    {"CYS", "HB2", "HB"},   {"MET", "HE3", "HE"},
        {"LYS", "HZ3", "HZ"},   {"LYS", "HE2", "HE"},   {"ARG", "HH21", "HH2"},
        {"ARG", "HD2", "HD"},   {"ARG", "NH1", "NH1"},  {"ASN", "HD21", "HD2"},
        {"GLN", "HE22", "HE2"}, {"ASN", "OD1", "OD"},   {"ASP", "OD2", "OD"},
        {"GLU", "OE1", "OE"},   {"GLN", "OE1", "OE"},   {"PRO", "HD3", "HD"},
        {"HIS", "HE1", "HE1"},  {"HIS", "HD2", "HD2"},  {"HIS", "HB3", "HB"},
        {"PHE", "HD1", "HD1"},  {"PHE", "HZ", "HZ"},    {"TRP", "HH2", "HH2"},
        {"TRP", "HZ3", "HZ3"},  {"TRP", "HE3", "HE3"},  {"TYR", "HE2", "HE2"},
        {"TYR", "HH", "HH"},    {"TYR", "HB2", "HB"},   {"TYR", "OH", "OH"},
        {"ALA", "OXT", "OXT"},  {"ALA", "H2", "H"}};
    for (const auto& [residue, atom, reduced] : rows) {
      const std::string name = std::string(residue) + " " + std::string(reduced);
      CHECK(std::string(residue) + " " + reduced_atom_name(residue, atom) == name);
    }
  }

  TEST_CASE("rows of a batch are padded with zeros") {
    const auto a = encode_molecule(md::Topology::from_sequence("GG")),
               b = encode_molecule(md::Topology::from_sequence("AG"));
    const std::vector<const MoleculeEncoding*> rows = {&b, &a};
    const auto batch = stack_molecules(rows, b.atom_count() + 1, nn::Backend::reference);
    batch.check();
    CHECK(batch.most_atoms() == b.atom_count() + 1);
    const auto counts = batch.atom_count.indices(), lengths = batch.chain_length.indices();
    CHECK(std::vector(counts.begin(), counts.end()) == std::vector<std::int32_t>{20, 17});
    CHECK(std::vector(lengths.begin(), lengths.end()) == std::vector<std::int32_t>{2, 2});
    for (const auto& [all, of_a] : {std::pair{batch.atom_type.indices(), &a.atom_type},
                                    {batch.residue_type.indices(), &a.residue_type},
                                    {batch.residue_index.indices(), &a.residue_index}}) {
      CHECK(all[20] == 0);
      CHECK(std::equal(of_a->begin(), of_a->end(), all.begin() + 21));
      for (std::size_t i = 21 + 17; i < 42; ++i) CHECK(all[i] == 0);
    }
    CHECK(error_message([&] {
            stack_molecules(rows, 19, nn::Backend::reference);
          }).find("a molecule of 20 atoms") != std::string::npos);
  }

  TEST_CASE("what has no code is named") {
    const auto refusal = [](const md::Topology& topology) {
      return error_message([&] { encode_molecule(topology); });
    };
    CHECK(
        refusal(md::Topology::from_sequence("Ace-A-Nme")).starts_with("residue ACE1 has no code"));
    CHECK(refusal(md::Topology::from_sequence("AA-Nme")).starts_with("residue NME3 has no code"));
    const md::ResidueState acid[] = {{"ASP", 2, "ASH"}};
    CHECK(
        refusal(md::Topology::from_sequence("ADA", acid)).starts_with("residue ASH2 has no code"));
    auto strange = md::Topology::from_sequence("AA");
    strange.atoms[4].name = "XX";
    CHECK(refusal(strange).starts_with("atom ALA1:XX has no code"));
  }

  TEST_CASE("HIE is HIS by another name") {
    const md::ResidueState state[] = {{"HIS", 1, "HIE"}};
    const auto hie = encode_molecule(md::Topology::from_sequence("HA", state));
    const auto his = encode_molecule(md::Topology::from_sequence("HA"));
    CHECK(hie.atom_type == his.atom_type);
    CHECK(hie.residue_type == his.residue_type);
  }
}
