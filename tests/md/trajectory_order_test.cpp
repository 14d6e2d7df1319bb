#include "md/files/trajectory_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/structure_check.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::md {

namespace {

const std::string kCases = ARBG_GOLDEN_DIR "/cases/";

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

std::string mismatch(const Topology& from, const Topology& to) {
  return error_message([&] { atom_order(from, to); });
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("atoms in another order are matched by residue and name, with their positions") {
    const auto built = Topology::from_sequence("Ace-A-Nme");
    for (const char* folder : {"published-heavy", "published-ch3first"}) {
      CAPTURE(folder);
      const Pdb pdb = read_pdb(kCases + folder + "/Ace-A-Nme_300K.pdb");
      const auto order = atom_order(pdb.topology, built);
      CHECK(!is_same_order(order));
      for (int i = 0; i < built.atom_count(); ++i)
        CHECK(pdb.topology.describe(order[static_cast<std::size_t>(i)]) == built.describe(i));
      CHECK(is_same_order(atom_order(pdb.topology, pdb.topology)));
      const auto there = reordered(pdb.positions_nm, order),
                 back = reordered(there, atom_order(built, pdb.topology));
      CHECK(there != pdb.positions_nm);
      CHECK(back == pdb.positions_nm);
    }
  }

  TEST_CASE("an order is said, but for that of a run of MD where no atom moved") {
    CHECK(order_note("md/positions.npy", "md/topology.pdb", false).empty());
    CHECK(order_note("md/positions.npy", "md/topology.pdb", true) ==
          "md/positions.npy: atoms are ordered as in md/topology.pdb, and matched by names");
    CHECK(order_note("AAA_310K_train.npy", "AAA.pdb", false) ==
          "AAA_310K_train.npy: atoms are ordered as in AAA.pdb");
  }

  TEST_CASE("another molecule is refused with the first atom that does not match") {
    const auto alanine = Topology::from_sequence("Ace-A-Nme");
    const auto glycine = Topology::from_sequence("Ace-G-Nme");
    CHECK(contains(mismatch(glycine, alanine), "expected the atom ALA2:N, found none"));
    CHECK(contains(mismatch(Topology::from_sequence("AA"), Topology::from_sequence("AAA")),
                   "expected the atom ALA3:N,"));
    auto less = alanine;
    less.atoms.pop_back();
    --less.residues.back().atom_count;
    std::erase_if(less.bonds, [&](const auto& bond) { return bond.second == 21; });
    CHECK(contains(mismatch(alanine, less), "found the atom NME3:HH33, which should not be there"));
    const std::pair<int, int> one[] = {{1, 4}, {2, 5}}, other[] = {{1, 5}, {2, 4}};
    CHECK(contains(mismatch(Topology::from_sequence("CCACC", {}, one),
                            Topology::from_sequence("CCACC", {}, other)),
                   "found a bond between CYX1:SG and CYX4:SG"));
  }

  TEST_CASE("the PDB file of a trajectory is found beside it, that of its temperature first") {
    const TemporaryFolder folder;
    const auto beside = [&](const char* name) {
      return pdb_beside(folder / name).filename().string();
    };
    CHECK(beside("AAA_310K_train.npy").empty());
    write_file(folder / "AAA.pdb", "");
    CHECK(beside("AAA_310K_train.npy") == "AAA.pdb");
    write_file(folder / "AAA_310K.pdb", "");
    for (const char* name : {"AAA_310K_train.npy", "AAA_310K_val.npy", "AAA_310K_test.npz"})
      CHECK(beside(name) == "AAA_310K.pdb");
    CHECK(beside("AAA_300K_train.npy") == "AAA.pdb");
    CHECK(beside("AAA_310K.npy").empty());
    CHECK(beside("positions.npy").empty());
    write_file(folder / "topology.pdb", "");
    CHECK(beside("positions.npy") == "topology.pdb");
    CHECK(published_name("x/Ace-A-Nme_300.5K_test.npz")->temperature_kelvin == "300.5");
    CHECK(!published_name("Ace-A-Nme_300K.npy"));
  }

  TEST_CASE("a unit or order that is not the molecule's shows in the bonds") {
    const auto topology = Topology::from_sequence("Ace-A-Nme");
    const auto system = ForceField::named("amber99sbildn-obc2").create_system(topology);
    auto positions =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    const auto message = [&](const std::vector<double>& x) {
      return error_message([&] { require_bonded(topology, system, x, "x.npy"); });
    };
    CHECK(message(positions).empty());
    auto angstrom = positions;
    for (double& x : angstrom) x *= 10;
    CHECK(contains(message(angstrom), "nm long, it should be about 0.1"));
    CHECK(contains(message(angstrom), "these are in Angstrom"));
    for (double& x : angstrom) x /= 1000;
    CHECK(contains(message(angstrom), "positions must be in nm"));
    std::vector<double> heavy = read_npy(kCases + "published-heavy/Ace-A-Nme_300K_test.npy").data;
    CHECK(contains(message(heavy), "atoms must have the order of the topology"));
    // A single frame that came apart, as a model may draw it, is neither.
    std::fill_n(positions.begin(), 3, 5.0);
    CHECK(message(positions).empty());
  }

  TEST_CASE("zeros and what is no number are no conformation") {
    std::vector<double> x = {0, 0, 0, 0, 0, 0, 0, 0, 0};
    CHECK(contains(conformation_fault(x), "has all atoms at one place"));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::vector<double>{1, 2, 3}[i % 3];
    CHECK(contains(conformation_fault(x), "has all atoms at one place"));
    x[7] = 2.5;
    CHECK(conformation_fault(x).empty());
    x[3] = -INFINITY;
    CHECK(contains(conformation_fault(x), "not finite"));
    CHECK(conformation_fault(std::vector<double>{0, 0, 0}).empty());
  }

  TEST_CASE("the closest atoms are named") {
    const auto topology = Topology::from_sequence("Ace-A-Nme");
    auto x = read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    x.resize(3 * 22);
    std::copy_n(x.begin() + 3 * 4, 3, x.begin() + 3 * 15);
    CHECK(closest_atoms(topology, x) == topology.describe(4) + " and " + topology.describe(15));
  }
}

}  // namespace arbg::md
