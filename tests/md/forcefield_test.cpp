#include "md/forcefields/forcefield.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "md/forcefields/impropers.h"
#include "md/forcefields/tables.h"
#include "md/forcefields/templates.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

const ForceField& amber99() { return ForceField::named("amber99sbildn-obc2"); }

std::string parse_message(const std::string& text) {
  return error_message([&] { parse_tables(text, "test"); });
}

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("golden") {
  // Counted in the system that OpenMM makes from the same files.
  TEST_CASE("the number of terms is OpenMM's") {
    const System small = amber99().create_system(Topology::from_sequence("Ace-A-Nme"));
    CHECK(small.bonds.size() == 21);
    CHECK(small.angles.size() == 36);
    CHECK(small.torsions.size() == 42);
    CHECK(small.exclusions.size() == 98);
    CHECK(small.scaled_pairs.size() == 41);
    const System large = amber99().create_system(Topology::from_sequence("Ace-ILDN-Nme"));
    CHECK(large.bonds.size() == 75);
    CHECK(large.angles.size() == 135);
    CHECK(large.torsions.size() == 229);
    CHECK(large.exclusions.size() == 396);
    CHECK(large.scaled_pairs.size() == 186);
  }
}

TEST_SUITE("fast") {
  TEST_CASE("every force field is listed and an unknown one is refused with the list") {
    for (const std::string& name : ForceField::names()) CHECK_NOTHROW(ForceField::named(name));
    CHECK(contains(error_message([] { ForceField::named("charmm"); }), "amber99sbildn-obc2"));
  }

  TEST_CASE("every amino acid has all its parameters, capped and at both ends") {
    for (const std::string& name : ForceField::names()) {
      for (const char letter : std::string("ACDEFGHIKLMNPQRSTVWY")) {
        for (const std::string& sequence :
             {"Ace-" + std::string(1, letter) + "-Nme", std::string(2, letter)}) {
          CAPTURE(sequence);
          const Topology topology = Topology::from_sequence(sequence);
          const System system = ForceField::named(name).create_system(topology);
          CHECK(system.atom_count() == topology.atom_count());
          CHECK(system.bonds.size() == topology.bonds.size());
        }
      }
    }
  }

  TEST_CASE("every residue template has an integer charge and is connected") {
    for (const std::string& name : ForceField::names()) {
      for (const auto& entry : tables_named(name).residues) {
        const ResidueTemplate& residue = entry.second;
        CAPTURE(residue.name);
        double charge = 0;
        for (const TemplateAtom& atom : residue.atoms) charge += atom.charge_e;
        CHECK(std::abs(charge - std::round(charge)) < 1e-3);
        CHECK(residue.bonds.size() >= residue.atoms.size() - 1);
      }
    }
  }

  TEST_CASE("force fields agree about atoms and bonds of residues") {
    for (const std::string& name : ForceField::names()) {
      for (const auto& entry : residue_library().residues) {
        const ResidueTemplate& residue = entry.second;
        CAPTURE(residue.name);
        const auto other = tables_named(name).residues.find(residue.name);
        if (other == tables_named(name).residues.end()) continue;
        REQUIRE(residue.atoms.size() == other->second.atoms.size());
        for (const TemplateAtom& atom : residue.atoms) CHECK(other->second.find(atom.name) >= 0);
        CHECK(residue.bonds.size() == other->second.bonds.size());
      }
    }
  }

  TEST_CASE("1-4 pairs are scaled and excluded, 1-2 and 1-3 pairs are only excluded") {
    const Topology topology = Topology::from_sequence("Ace-A-Nme");
    const System system = amber99().create_system(topology);
    CHECK(std::is_sorted(system.exclusions.begin(), system.exclusions.end()));
    const int n = topology.find(1, "N"), ca = topology.find(1, "CA"), c = topology.find(1, "C");
    const int next_n = topology.find(2, "N");
    const auto excluded = [&](int i, int j) {
      return std::binary_search(system.exclusions.begin(), system.exclusions.end(),
                                std::pair(i, j));
    };
    const auto scaled =
        std::find_if(system.scaled_pairs.begin(), system.scaled_pairs.end(),
                     [&](const ScaledPair& p) { return p.i == n && p.j == next_n; });
    CHECK(excluded(n, ca));
    CHECK(excluded(n, c));
    CHECK(excluded(n, next_n));
    CHECK(!excluded(n, topology.find(2, "CH3")));
    REQUIRE(scaled != system.scaled_pairs.end());
    CHECK(scaled->charge_product_e2 == doctest::Approx(0.4157 * 0.4157 / 1.2).epsilon(1e-6));
    CHECK(scaled->epsilon_kj_mol == doctest::Approx(0.71128 / 2));
    CHECK(scaled->sigma_nm == doctest::Approx(0.324999852378));
    CHECK(system.scaled_pairs.size() ==
          static_cast<std::size_t>(
              std::count_if(system.scaled_pairs.begin(), system.scaled_pairs.end(),
                            [&](const ScaledPair& p) { return excluded(p.i, p.j); })));
  }

  TEST_CASE("the protonation of histidine is read off its hydrogens") {
    Topology topology = Topology::from_sequence("Ace-H-Nme");
    CHECK(topology.find(1, "HE2") >= 0);  // HIE unless said otherwise
    const double epsilon_nitrogen_charge =
        amber99()
            .create_system(topology)
            .nonbonded[static_cast<std::size_t>(topology.find(1, "ND1"))]
            .charge_e;
    CHECK(epsilon_nitrogen_charge == -0.5432);
    topology.atoms[static_cast<std::size_t>(topology.find(1, "HE2"))].name = "HD1";
    complete_topology(topology);
    const double delta_nitrogen_charge =
        amber99()
            .create_system(topology)
            .nonbonded[static_cast<std::size_t>(topology.find(1, "ND1"))]
            .charge_e;
    CHECK(delta_nitrogen_charge == -0.3811);
  }

  TEST_CASE("a molecule without parameters says which residue or term lacks them") {
    Topology topology = Topology::from_sequence("Ace-A-Nme");
    topology.atoms[10].name = "CX";
    CHECK(
        contains(error_message([&] { amber99().create_system(topology); }), "ALA2 has an atom CX"));
    topology = Topology::from_sequence("Ace-A-Nme");
    topology.residues[1].name = "XYZ";
    CHECK(contains(error_message([&] { amber99().create_system(topology); }), "XYZ2"));
    topology = Topology::from_sequence("Ace-A-Nme");
    topology.bonds.insert(topology.bonds.begin(), {0, 2});  // hydrogen to hydrogen
    CHECK(contains(error_message([&] { amber99().create_system(topology); }),
                   "ACE1:HH31 - ACE1:HH32"));
  }

  TEST_CASE("outer atoms of impropers are ordered by element or by place in the chain") {
    ForceFieldTables tables = parse_tables(
        "name t\nclass C C 12 0 0\nclass O O 16 0 0\nclass H H 1 0 0\nclass N N 14 0 0\n"
        "improper C * * O 2 3.14 1\nimproper N C C H 2 3.14 2\n",
        "test");
    const int carbon = 0, oxygen = 1, hydrogen = 2, nitrogen = 3;
    // A peptide carbonyl: C with CA (atom 2), O (atom 9) and the next residue's N (atom 5).
    const std::array<OuterAtom, 3> carbonyl = {
        OuterAtom{2, carbon, 0, 1}, {5, nitrogen, 1, 0}, {9, oxygen, 0, 3}};
    const ImproperMatch by_element = match_improper(tables, 8, carbon, carbonyl);
    REQUIRE(by_element.rule == &tables.impropers[0]);
    CHECK(by_element.atoms == std::array<int, 4>{2, 5, 8, 9});
    // A specific rule wins over the wildcard; two atoms of one class ascend.
    const std::array<OuterAtom, 3> amide = {
        OuterAtom{1, hydrogen, 1, 1}, {3, carbon, 1, 2}, {7, carbon, 0, 8}};
    const ImproperMatch specific = match_improper(tables, 0, nitrogen, amide);
    REQUIRE(specific.rule == &tables.impropers[1]);
    CHECK(specific.atoms == std::array<int, 4>{3, 7, 0, 1});
    tables.amber_improper_order = true;  // atom 7 belongs to the residue before
    CHECK(match_improper(tables, 0, nitrogen, amide).atoms == std::array<int, 4>{7, 3, 0, 1});
    CHECK(match_improper(tables, 0, oxygen, amide).rule == nullptr);
  }

  TEST_CASE("a malformed table names the line") {
    CHECK(
        contains(parse_message("name t\nclass C C 12 0\n"), "test:2: the line ends where epsilon"));
    CHECK(contains(parse_message("name t\nclass C C twelve 0 0\n"),
                   "test:2: expected a number (mass in amu), found 'twelve'"));
    CHECK(contains(parse_message("name t\nbond_type C C 0.1 1\n"),
                   "test:2: class C has not been defined"));
    CHECK(contains(parse_message("name t\nclass C C 12 0 0\nclass C C 12 0 0\n"),
                   "test:3: class C is defined twice"));
    CHECK(contains(parse_message("name t\nclass C C 12 0 0\nproper * C C * 7 0 1\n"),
                   "periodicity from 1 to 6, found 7"));
    CHECK(contains(parse_message("name t\nresidue A\natom C C 0 0 0\n"),
                   "test:3: class C has not been defined"));
    CHECK(contains(parse_message("name t\nresidue A\n"), "residue A has no 'end'"));
    CHECK(contains(parse_message("name t\nfoo 1\n"), "test:2: unknown keyword 'foo'"));
    CHECK(contains(parse_message("name t u\n"), "test:1: more words"));
    CHECK(contains(parse_message("# nothing\n"), "no line 'name NAME'"));
  }
}

}  // namespace arbg::md
