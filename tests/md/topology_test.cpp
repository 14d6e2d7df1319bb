#include "md/molecule/topology.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "md/files/pdb.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

void check_same(const Topology& a, const Topology& b) {
  REQUIRE(a.atom_count() == b.atom_count());
  for (int i = 0; i < a.atom_count(); ++i) {
    const Atom &left = a.atoms[static_cast<std::size_t>(i)],
               &right = b.atoms[static_cast<std::size_t>(i)];
    CHECK(a.describe(i) == b.describe(i));
    CHECK(left.element == right.element);
    CHECK(left.residue == right.residue);
  }
  CHECK(a.bonds == b.bonds);
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("a sequence gives the atoms, order and bonds of the PDB file") {
    for (const std::string path :
         {"amber99sbildn-obc2/Ace-A-Nme", "amber99sbildn-obc2/Ace-ILDN-Nme", "amber14-obc1/AAA",
          "amber14-obc1/ACDEFGH", "amber14-obc1/IKLMNPQ", "amber14-obc1/RSTVWY"}) {
      const std::string sequence = path.substr(path.find('/') + 1);
      const std::string file = ARBG_GOLDEN_DIR "/energies/" + path + "/" + sequence + ".pdb";
      check_same(Topology::from_sequence(sequence), read_pdb(file).topology);
    }
  }
}

TEST_SUITE("fast") {
  TEST_CASE("Ace-AAA-Nme is a tree of 42 atoms in five residues") {
    const Topology topology = Topology::from_sequence("Ace-AAA-Nme");
    CHECK(topology.atom_count() == 42);
    CHECK(topology.bonds.size() == 41);
    REQUIRE(topology.residues.size() == 5);
    CHECK(topology.residues[0].name == "ACE");
    CHECK(topology.residues[3].name == "ALA");
    CHECK(topology.residues[3].number == 4);
    CHECK(topology.residues[4].name == "NME");
  }

  TEST_CASE("neighbouring residues are bonded from C to N") {
    const Topology topology = Topology::from_sequence("Ace-AG-Nme");
    for (int r = 0; r + 1 < static_cast<int>(topology.residues.size()); ++r) {
      const std::pair<int, int> peptide = {topology.find(r, "C"), topology.find(r + 1, "N")};
      CHECK(std::count(topology.bonds.begin(), topology.bonds.end(), peptide) == 1);
    }
  }

  TEST_CASE("atoms are found by name and described by residue") {
    const Topology topology = Topology::from_sequence("Ace-A-Nme");
    const int cb = topology.find(1, "CB");
    CHECK(topology.describe(cb) == "ALA2:CB");
    CHECK(topology.atoms[static_cast<std::size_t>(cb)].element == "C");
    CHECK(topology.find(0, "CB") == -1);
  }

  TEST_CASE("neighbours are ascending and mutual") {
    const Topology topology = Topology::from_sequence("Ace-P-Nme");  // proline has a ring
    const auto neighbours = topology.neighbours();
    std::size_t ends = 0;
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      ends += neighbours[i].size();
      CHECK(std::is_sorted(neighbours[i].begin(), neighbours[i].end()));
      for (const int j : neighbours[i]) {
        const auto& back = neighbours[static_cast<std::size_t>(j)];
        CHECK(std::count(back.begin(), back.end(), static_cast<int>(i)) == 1);
      }
    }
    CHECK(ends == 2 * topology.bonds.size());
  }

  TEST_CASE("beyond a bond is what hangs on its second atom, and nothing in a ring") {
    const Topology topology = Topology::from_sequence("APA");
    const auto neighbours = topology.neighbours();
    const auto beyond = [&](const char* from, const char* to) {
      std::vector<std::string> names;
      for (const int atom : atoms_beyond(neighbours, topology.find(1, from), topology.find(1, to)))
        names.push_back(topology.describe(atom));
      return names;
    };
    CHECK(beyond("CB", "HB2").empty());
    CHECK(beyond("N", "CD").empty());
    CHECK(beyond("CA", "CB").empty());
    CHECK(beyond("C", "CA").size() + beyond("CA", "C").size() + 2 == topology.atoms.size());
    const auto behind = beyond("CA", "C");
    REQUIRE(behind.size() == 12);
    CHECK(behind.front() == "PRO2:O");
    CHECK(behind[1] == "ALA3:N");
    CHECK(behind.back() == "ALA3:OXT");
  }

  TEST_CASE("uncapped peptides have charged ends") {
    const Topology topology = Topology::from_sequence("AAA");
    CHECK(topology.atom_count() == 33);
    CHECK(topology.find(0, "H3") >= 0);
    CHECK(topology.find(2, "OXT") >= 0);
  }

  TEST_CASE("states and disulfide bonds choose the residues") {
    const std::pair<int, int> bridge[] = {{2, 6}};
    const ResidueState states[] = {{"HIS", 3, "HIP"}, {"ASP", 4, "ASH"}, {"LYS", 5, "LYN"}};
    const Topology topology = Topology::from_sequence("Ace-CHDKC-Nme", states, bridge);
    const char* const names[] = {"ACE", "CYX", "HIP", "ASH", "LYN", "CYX", "NME"};
    for (std::size_t r = 0; r < topology.residues.size(); ++r)
      CHECK(topology.residues[r].name == names[r]);
    CHECK(topology.find(2, "HD1") >= 0);
    CHECK(topology.find(2, "HE2") >= 0);
    CHECK(topology.find(1, "HG") == -1);
    const std::pair<int, int> sulfurs = {topology.find(1, "SG"), topology.find(5, "SG")};
    CHECK(std::count(topology.bonds.begin(), topology.bonds.end(), sulfurs) == 1);
    CHECK(topology.bonds.size() == topology.atoms.size() + 1);  // a tree and two rings
  }

  TEST_CASE("a state or disulfide bond that does not fit says why") {
    const auto state_message = [](const ResidueState& state) {
      return error_message([&] { Topology::from_sequence("AHA", {&state, 1}); });
    };
    const auto bridge_message = [](const char* sequence, std::pair<int, int> pair) {
      return error_message([&] { Topology::from_sequence(sequence, {}, {&pair, 1}); });
    };
    CHECK(state_message({"HIS", 1, "HIP"}) ==
          "state HIS1=HIP: expected HIS as residue 1, found ALA");
    CHECK(state_message({"HIS", 4, "HIP"}) ==
          "state HIS4=HIP: there is no residue 4; the sequence has residues 1 to 3, caps included");
    CHECK(state_message({"HIS", 2, "ASH"}) ==
          "state HIS2=ASH: the states of HIS are HIS, HID, HIE, HIP; found 'ASH'");
    CHECK(state_message({"ALA", 1, "ALA"}).find("expected one of HIS, ASP") != std::string::npos);
    CHECK(bridge_message("ACA", {1, 2}) == "disulfide 1-2: expected CYS as residue 1, found ALA");
    CHECK(bridge_message("CAC", {1, 4}).find("no residue 4") != std::string::npos);
    CHECK(bridge_message("CAC", {1, 1}) == "disulfide 1-1: a residue cannot be its own partner");
  }

  TEST_CASE("a sequence that cannot be built says why") {
    CHECK(error_message([] { Topology::from_sequence("Ace-AXA-Nme"); }).find("found 'X'") !=
          std::string::npos);
    CHECK(error_message([] { Topology::from_sequence("ace-A-nme"); }).find("found 'ace-'") !=
          std::string::npos);
    CHECK(error_message([] {
            Topology::from_sequence("A\n\xc3\x84");
          }).find("'A\\x0a\\xc3\\x84'") != std::string::npos);
    CHECK(error_message([] { Topology::from_sequence(""); }).find("no amino acid") !=
          std::string::npos);
    CHECK(error_message([] { Topology::from_sequence("Ace--Nme"); }) != "");
    CHECK(error_message([] { Topology::from_sequence("A"); }).find("no template of ALA") !=
          std::string::npos);
  }
}

}  // namespace arbg::md
