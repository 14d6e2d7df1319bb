#include "md/files/pdb.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "tensor/base/files.h"
#include "tensor/base/random.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

const char* const kGolden = ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/Ace-A-Nme.pdb";

// A file in the temporary folder that goes with its owner.
struct TemporaryFile {
  std::filesystem::path path;
  explicit TemporaryFile(const std::string& name, const std::string& text = "")
      : path(std::filesystem::temp_directory_path() / ("arbg_pdb_test_" + name)) {
    write_file(path, text);
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
};

Pdb read_text(const std::string& text) { return read_pdb(TemporaryFile("read.pdb", text).path); }

std::string message_for(const std::string& text) {
  return error_message([&] { read_text(text); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t place = text.find(from);
  REQUIRE(place != std::string::npos);
  return text.replace(place, from.size(), to);
}

std::string replaced_everywhere(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  for (std::size_t place = 0; (place = text.find(from, place)) != std::string::npos;
       place += to.size())
    text.replace(place, from.size(), to);
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

// The text with another name for some atoms: rename(residue name, atom name).
std::string renamed(const std::string& text,
                    std::string (*rename)(const std::string&, const std::string&)) {
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("ATOM") || line.starts_with("HETATM")) {
      std::string name = line.substr(12, 4);
      name.erase(0, name.find_first_not_of(' '));
      name.erase(name.find_last_not_of(' ') + 1);
      name = rename(line.substr(17, 3), name);
      name.resize(4, ' ');
      line.replace(12, 4, name);
    }
    result += line + "\n";
  }
  return result;
}

// The two hydrogens of a CH2 count from 1 in all conventions but the dictionary's.
std::string from_one(const std::string& residue, const std::string& name) {
  static const std::set<std::string> kMethyls = {"ALAHB3",  "VALHG13", "VALHG23", "LEUHD13",
                                                 "LEUHD23", "ILEHG23", "ILEHD13", "THRHG23",
                                                 "METHE3",  "LYSHZ3",  "TRPHZ3",  "TRPHE3"};
  if (name[0] != 'H' || name.back() != '3' || name == "H3") return name;
  return kMethyls.contains(residue + name) ? name : name.substr(0, name.size() - 1) + "1";
}

std::string digits_first(const std::string& residue, const std::string& name) {
  const std::string one = from_one(residue, name);
  const bool ends_with_digit = one.back() >= '0' && one.back() <= '9';
  return one[0] == 'H' && ends_with_digit ? one.back() + one.substr(0, one.size() - 1) : one;
}

std::string charmm_name(const std::string& residue, const std::string& name) {
  static const std::map<std::string, std::string> kNames = {
      {"H", "HN"}, {"H1", "HT1"}, {"H2", "HT2"}, {"H3", "HT3"}, {"OXT", "OT2"}};
  if (const auto found = kNames.find(name); found != kNames.end()) return found->second;
  if (residue == "ILE" && name == "CD1") return "CD";
  if (residue == "ILE" && name.starts_with("HD1")) return "HD" + name.substr(3);
  if ((residue == "SER" || residue == "CYS") && name == "HG") return "HG1";
  return from_one(residue, name);
}

std::string gromacs_name(const std::string& residue, const std::string& name) {
  if (name == "OXT") return "OC2";
  return residue == "ILE" && name == "CD1" ? "CD" : from_one(residue, name);
}

std::string dictionary_name(const std::string& residue, const std::string& name) {
  if (residue == "ALA") return name;
  if (name.starts_with("HH3")) return "H" + name.substr(3);
  return residue == "NME" && name == "CH3" ? "C" : name;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a byte order mark before the first atom is no part of it") {
    const std::string text = read_file(kGolden), atoms = text.substr(text.find("HETATM"));
    CHECK(read_text("\xef\xbb\xbf" + atoms).topology.atom_count() == 22);
  }

  TEST_CASE("coordinates become nm") {
    const Pdb pdb = read_pdb(kGolden);
    CHECK(pdb.models == 1);
    REQUIRE(pdb.positions_nm.size() == 66);
    CHECK(pdb.positions_nm[0] == doctest::Approx(0.2837));
    CHECK(pdb.positions_nm[65] == doctest::Approx(0.3796));
  }

  TEST_CASE("a written file reads back as the same molecule") {
    const Pdb pdb = read_pdb(kGolden);
    const TemporaryFile file("write.pdb");
    write_pdb(file.path, pdb.topology, pdb.positions_nm);
    const Pdb again = read_pdb(file.path);
    REQUIRE(again.topology.atom_count() == pdb.topology.atom_count());
    CHECK(again.topology.bonds == pdb.topology.bonds);
    for (int i = 0; i < pdb.topology.atom_count(); ++i)
      CHECK(again.topology.describe(i) == pdb.topology.describe(i));
    for (std::size_t i = 0; i < pdb.positions_nm.size(); ++i) {
      CHECK(std::abs(again.positions_nm[i] - pdb.positions_nm[i]) < 1e-12);
    }
  }

  TEST_CASE("several conformations are written as models, and read again") {
    const Pdb pdb = read_pdb(kGolden);
    std::vector<double> two = pdb.positions_nm;
    for (const double x : pdb.positions_nm) two.push_back(-x);
    const TemporaryFile file("models.pdb");
    write_pdb(file.path, pdb.topology, two);
    const Pdb again = read_pdb(file.path);
    CHECK(again.models == 2);
    REQUIRE(again.positions_nm.size() == two.size());
    for (std::size_t i = 0; i < two.size(); ++i)
      CHECK(std::abs(again.positions_nm[i] - two[i]) < 1e-12);
  }

  TEST_CASE("conformations may end with END, as VMD writes them") {
    const std::string text = read_file(kGolden);
    CHECK(read_text(text + text).models == 2);
  }

  TEST_CASE("names of other programs are understood, atoms keep their order") {
    for (const char* sequence : {"AAA", "ACDEFGH", "IKLMNPQ", "RSTVWY"}) {
      const std::string name = std::string("/energies/amber14-obc1/") + sequence + "/" + sequence;
      const std::string text = read_file(ARBG_GOLDEN_DIR + name + ".pdb");
      const Pdb expected = read_text(text);
      for (const auto& convention : {digits_first, charmm_name, gromacs_name}) {
        const Pdb found = read_text(renamed(text, convention));
        CAPTURE(sequence);
        CHECK(found.topology.bonds == expected.topology.bonds);
        CHECK(found.positions_nm == expected.positions_nm);
        for (std::size_t i = 0; i < expected.topology.atoms.size(); ++i)
          CHECK(found.topology.atoms[i].name == expected.topology.atoms[i].name);
      }
    }
  }

  TEST_CASE("caps may have the names of the chemical component dictionary") {
    const Pdb expected = read_pdb(kGolden);
    const Pdb found = read_text(renamed(read_file(kGolden), dictionary_name));
    for (int i = 0; i < expected.topology.atom_count(); ++i)
      CHECK(found.topology.describe(i) == expected.topology.describe(i));
  }

  TEST_CASE("every missing atom is named in one sentence") {
    std::string heavy;
    std::istringstream lines(read_file(kGolden));
    for (std::string line; std::getline(lines, line);) {
      if (line.size() < 54 || line.find('H', 12) > 13 || line.substr(12, 4) == " CH3")
        heavy += line + "\n";
    }
    CHECK(contains(message_for(heavy),
                   ": ACE1 lacks HH31, HH32, HH33; ALA2 lacks H, HA, HB1, HB2, HB3; NME3 lacks H, "
                   "HH31, HH32, HH33 (add what is missing"));
  }

  TEST_CASE("the most occupied of alternate locations is read, and said") {
    const std::string text = read_file(kGolden);
    const std::string cb =
        "ATOM     11  CB  ALA A   2       3.557  -0.874  -1.316  1.00  0.00           C  \n";
    const auto located = [&](const std::string& occupancy_a, const std::string& occupancy_b) {
      const std::string a = replaced(replaced(cb, " CB  ALA", " CB AALA"), "1.00", occupancy_a);
      const std::string b = replaced(replaced(cb, " CB  ALA", " CB BALA"), "1.00", occupancy_b);
      return read_text(replaced(text, cb, a + replaced(b, "   3.557", "   4.557")));
    };
    CHECK(located("0.60", "0.40").positions_nm[30] == doctest::Approx(0.3557));
    CHECK(located("0.50", "0.50").positions_nm[30] == doctest::Approx(0.3557));
    CHECK(located("0.40", "0.60").positions_nm[30] == doctest::Approx(0.4557));
    CHECK(contains(located("0.40", "0.60").note, "alternate locations"));
    CHECK(contains(located("0.40", "0.60").note, "ALA2 B"));
    CHECK(read_text(text).note.empty());
  }

  TEST_CASE("every model is a conformation") {
    const std::string atoms = replaced(read_file(kGolden), "\nEND\n", "\n");
    const std::string moved = replaced(atoms, "   2.837   4.131", "  -2.837   4.131");
    const Pdb pdb = read_text("MODEL        1\n" + atoms + "ENDMDL\nMODEL        2\n" + moved +
                              "ENDMDL\nEND\n");
    CHECK(pdb.models == 2);
    REQUIRE(pdb.positions_nm.size() == 132);
    CHECK(pdb.positions_nm[66] == -pdb.positions_nm[0]);
    CHECK(pdb.positions_nm[67] == pdb.positions_nm[1]);
  }

  TEST_CASE("carriage returns do no harm") {
    std::string text = read_file(kGolden), windows;
    for (const char c : text) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
    CHECK(read_text(windows).positions_nm == read_text(text).positions_nm);
  }

  TEST_CASE("disulfide bonds come from CONECT, SSBOND, or the only two CYX") {
    const std::pair<int, int> bridges[] = {{1, 4}, {2, 6}};
    const Topology topology = Topology::from_sequence("CCGCGC", {}, bridges);
    const TemporaryFile file("bridges.pdb");
    std::vector<double> positions(3 * topology.atoms.size());
    write_pdb(file.path, topology, positions);
    const std::string text = read_file(file.path), atoms = text.substr(0, text.find("CONECT"));
    CHECK(read_text(text).topology.bonds == topology.bonds);
    const std::string ssbond =
        "SSBOND   1 CYX A    1    CYX A    4\nSSBOND   2 CYX A    2    CYX A    6\n";
    CHECK(read_text(ssbond + text).topology.bonds == topology.bonds);
    CHECK(read_text(ssbond + atoms).topology.bonds == topology.bonds);
    CHECK(read_text(ssbond.substr(0, 36) + atoms).topology.bonds == topology.bonds);
    CHECK(contains(message_for(atoms), "CYX1 has no HG, as in a disulfide bond, but its partner"));
    CHECK(contains(message_for(replaced(ssbond, "A    4", "A    3") + atoms), "GLY3 cannot take"));
    CHECK(contains(message_for(replaced(ssbond, "A    4", "A    9") + atoms),
                   ":1: there is no residue 9"));
    CHECK(contains(message_for(replaced(text, "CONECT", "CONECTx")), "expected a serial number"));
  }

  TEST_CASE("52, 52A and 52B are three residues, in every record and message") {
    const std::pair<int, int> bridges[] = {{1, 4}, {2, 6}};
    Topology topology = Topology::from_sequence("CCGCGC", {}, bridges);
    const std::pair<int, char> places[] = {{52, ' '}, {52, 'A'}, {52, 'B'},
                                           {52, 'C'}, {53, ' '}, {60, ' '}};
    for (std::size_t r = 0; r < topology.residues.size(); ++r)
      std::tie(topology.residues[r].number, topology.residues[r].insertion_code) = places[r];
    const TemporaryFile file("inserted.pdb");
    write_pdb(file.path, topology, std::vector<double>(3 * topology.atoms.size()));
    const std::string text = read_file(file.path), atoms = text.substr(0, text.find("CONECT"));

    const Pdb two = read_text(text + text);
    CHECK(two.models == 2);
    CHECK(two.topology.bonds == topology.bonds);
    REQUIRE(two.topology.atom_count() == topology.atom_count());
    for (int i = 0; i < topology.atom_count(); ++i)
      CHECK(two.topology.describe(i) == topology.describe(i));
    CHECK(two.topology.describe(two.topology.find(1, "SG")) == "CYX52A:SG");
    CHECK(contains(message_for(text + replaced_everywhere(text, " 52A ", " 52D ")),
                   "expected CYX52A:N as in the first model, found CYX52D:N"));

    const std::string ssbond =
        "SSBOND   1 CYX A   52    CYX A   52C\nSSBOND   2 CYX A   52A   CYX A   60\n";
    CHECK(read_text(ssbond + atoms).topology.bonds == topology.bonds);
    CHECK(contains(message_for(replaced(ssbond, "52C", "52D") + atoms),
                   "read.pdb:1: there is no residue 52D for"));
    CHECK(contains(message_for(replaced(ssbond, "A   60", "B   60") + atoms),
                   "read.pdb:2: there is no residue 60 of chain B"));

    const std::size_t start = text.rfind("ATOM", text.find(" CB  CYX A  52A"));
    const std::string cb = text.substr(start, text.find('\n', start) + 1 - start);
    CHECK(contains(message_for(replaced(text, cb, "")), ": CYX52A lacks CB"));
    const std::string a = replaced(cb, "CB  ", "CB A"), b = replaced(cb, "CB  ", "CB B");
    CHECK(
        contains(read_text(replaced(text, cb, replaced(a, "1.00", "0.30") + b)).note, "CYX52A B"));
  }

  TEST_CASE("protonation states are read off the hydrogens, whatever the residue is called") {
    const ResidueState states[] = {{"ASP", 2, "ASH"}, {"GLU", 3, "GLH"}, {"LYS", 4, "LYN"}};
    const Topology topology = Topology::from_sequence("ADEKA", states);
    const TemporaryFile file("states.pdb");
    write_pdb(file.path, topology, std::vector<double>(3 * topology.atoms.size()));
    std::string text = read_file(file.path);
    for (const auto& [special, common] :
         {std::pair("ASH", "ASP"), {"GLH", "GLU"}, {"LYN", "LYS"}}) {
      for (std::size_t at; (at = text.find(special)) != std::string::npos;)
        text.replace(at, 3, common);
    }
    CHECK(read_text(text).topology.bonds == topology.bonds);
  }

  TEST_CASE("errors name the line and the atom") {
    const std::string text = read_file(kGolden);
    const std::string cb =
        "ATOM     11  CB  ALA A   2       3.557  -0.874  -1.316  1.00  0.00           C  \n";
    CHECK(contains(message_for(""), "expected ATOM records, found none; is this a PDB file?"));
    CHECK(contains(message_for("\x1f\x8b\x08"), "; it is compressed by gzip: unpack it first"));
    CHECK(contains(message_for(replaced(text, cb, "")), "ALA2 lacks CB"));
    CHECK(contains(message_for(replaced(text, cb, cb + cb)), "ALA2 has two atoms CB"));
    CHECK(contains(message_for(replaced(text, " CB  ALA", " XB  ALA")),
                   "ALA2 lacks CB and has unknown atoms XB"));
    CHECK(contains(message_for(replaced(text, cb, cb.substr(0, 40) + "\n")),
                   ":12: expected coordinates"));
    CHECK(contains(message_for(replaced(text, "   3.557", "     nan")),
                   ":12: expected a finite coordinate"));
    const std::string cut = text.substr(0, text.find("HETATM   22"));
    CHECK(contains(message_for(cut), "NME3 lacks"));
    CHECK(contains(message_for(cut), "or is the file cut short?"));
    CHECK(message_for(cut + "END\n").find("cut short") == std::string::npos);
    CHECK(contains(message_for(replaced(text, "   3.557",
                                        " \x1b[1\xff"
                                        "7  ")),
                   ":12: expected a coordinate, found ' \\x1b[1\\xff7  '"));
    CHECK(contains(message_for(replaced(text, "   3.557", "   3.5x7")),
                   ":12: expected a coordinate"));
    CHECK(contains(message_for(replaced(text, "   2       3.557", "   2A      3.557")),
                   "residue ALA2 stands in two places"));
    CHECK(contains(message_for(replaced(text, "   2       3.557", "   27      3.557")),
                   ":12: expected a letter or nothing as insertion code (column 27), found '7'"));
    CHECK(contains(message_for(replaced(text, "NME A   3", "HOH A   3")), "found water (HOH 3)"));
    CHECK(contains(message_for(replaced(text, "NME A   3", "NME B   3")),
                   "expected one chain, found 'A' and 'B'"));
    CHECK(contains(message_for(text + cb), "model 2 has 1 atoms, the first has 22"));
    CHECK(contains(message_for(replaced(replaced(text, cb, ""), "TER ", cb + "TER ")),
                   "residue ALA2 stands in two places"));
    CHECK(contains(message_for(text.substr(text.find("ATOM "))),
                   "ALA2"));  // the cap before it is gone
    CHECK(contains(message_for("ATOM\n"), ":1: expected coordinates"));
    CHECK(contains(message_for(replaced(text, "TER      23      NME A   3\n", "TER\n" + cb)),
                   "after TER"));
    CHECK(contains(error_message([] { read_pdb("/nonexistent/file.pdb"); }),
                   "/nonexistent/file.pdb"));
  }

  TEST_CASE("models must hold the same atoms") {
    const std::string atoms = replaced(read_file(kGolden), "\nEND\n", "\n");
    const std::string other = replaced(atoms, " HB1 ALA", " HB2 ALA");
    CHECK(contains(message_for(atoms + "ENDMDL\n" + other),
                   "expected ALA2:HB1 as in the first model, found ALA2:HB2"));
    const std::string shorter = atoms.substr(0, atoms.find("HETATM   22"));
    CHECK(contains(message_for(atoms + "ENDMDL\n" + shorter + "ENDMDL\n"),
                   "model 2 has 21 atoms, the first has 22"));
    CHECK(contains(message_for(shorter + "ENDMDL\n" + atoms),
                   "model 2 has 22 atoms, the first has 21"));
  }

  TEST_CASE("a damaged file is read or refused, never more") {
    const std::string text = read_file(kGolden);
    const TemporaryFile file("damaged.pdb");
    const Random random(20261123, 1);
    int refused = 0;
    for (std::uint64_t trial = 0; trial < 400; ++trial) {
      std::string damaged =
          text.substr(0, static_cast<std::size_t>(
                             random.below(static_cast<std::int64_t>(text.size()) + 1, 4 * trial)));
      for (std::uint64_t change = 1; change < 4 && !damaged.empty(); ++change) {
        const std::int64_t drawn =
            random.below(256 * static_cast<std::int64_t>(damaged.size()), 4 * trial + change);
        damaged[static_cast<std::size_t>(drawn / 256)] = static_cast<char>(drawn % 256);
      }
      write_file(file.path, damaged);
      refused += error_message([&] { read_pdb(file.path); }).empty() ? 0 : 1;
    }
    CHECK(refused > 300);
  }

  TEST_CASE("positions that do not fit the columns are not written") {
    const Pdb pdb = read_pdb(kGolden);
    const TemporaryFile file("refused.pdb", "old");
    for (const double bad :
         {std::nan(""), std::numeric_limits<double>::infinity(), 1000.0, -100.0}) {
      std::vector<double> positions = pdb.positions_nm;
      positions[31] = bad;
      CHECK(contains(error_message([&] { write_pdb(file.path, pdb.topology, positions); }),
                     "ALA2:CB"));
    }
    CHECK(contains(
        error_message([&] { write_pdb(file.path, pdb.topology, std::vector<double>(3)); }), "66"));
    CHECK(read_file(file.path) == "old");
  }
}

}  // namespace arbg::md
