// Which atoms make phi, psi and omega, with and without caps, and chi1 to chi5.
#include "md/molecule/torsion_atoms.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "md/files/pdb.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

using namespace arbg::md;

namespace {

std::string names(const Topology& t, const std::vector<std::array<int, 4>>& quadruples) {
  std::string text;
  for (const auto& q : quadruples) {
    for (const int atom : q) text += t.describe(atom) + " ";
    text += "; ";
  }
  return text;
}

std::vector<std::array<int, 4>> chi(const Topology& topology, int number) {
  std::vector<std::array<int, 4>> atoms;
  for (const auto& torsion : side_chain_torsions(topology)) {
    if (torsion.number == number) atoms.push_back(torsion.atoms);
  }
  return atoms;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("caps give the outer residues a phi and a psi, and no omega") {
  const Topology t = Topology::from_sequence("Ace-A-Nme");
  const BackboneTorsions torsions = backbone_torsions(t);
  CHECK(names(t, torsions.phi) == "ACE1:C ALA2:N ALA2:CA ALA2:C ; ");
  CHECK(names(t, torsions.psi) == "ALA2:N ALA2:CA ALA2:C NME3:N ; ");
  CHECK(torsions.omega.empty());

  const BackboneTorsions three = backbone_torsions(Topology::from_sequence("Ace-AAA-Nme"));
  CHECK(three.phi.size() == 3);
  CHECK(three.psi.size() == 3);
  CHECK(three.omega.size() == 2);
}

TEST_CASE("a free amino end has no phi, a free carboxyl end no psi") {
  Topology t;
  for (int r = 0; r < 2; ++r) {
    t.residues.push_back({"GLY", r + 1, 3 * r, 3});
    for (const char* name : {"N", "CA", "C"}) t.atoms.push_back({name, std::string(1, name[0]), r});
  }
  t.bonds = {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}};
  const BackboneTorsions torsions = backbone_torsions(t);
  CHECK(names(t, torsions.phi) == "GLY1:C GLY2:N GLY2:CA GLY2:C ; ");
  CHECK(names(t, torsions.psi) == "GLY1:N GLY1:CA GLY1:C GLY2:N ; ");
  CHECK(names(t, torsions.omega) == "GLY1:CA GLY1:C GLY2:N GLY2:CA ; ");
}

TEST_CASE("a side chain's torsions follow it outwards, in any protonation") {
  const Topology t = Topology::from_sequence("Ace-AGRI-Nme");
  const auto torsions = side_chain_torsions(t);
  REQUIRE(torsions.size() == 7);  // none of alanine, glycine and caps
  CHECK(torsions[0].residue == 3);
  CHECK(torsions[0].number == 1);
  CHECK(torsions[4].number == 5);
  CHECK(torsions[5].residue == 4);
  CHECK(names(t, {torsions[0].atoms}) == "ARG4:N ARG4:CA ARG4:CB ARG4:CG ; ");
  CHECK(names(t, {torsions[4].atoms}) == "ARG4:CD ARG4:NE ARG4:CZ ARG4:NH1 ; ");
  CHECK(names(t, {torsions[6].atoms}) == "ILE5:CA ILE5:CB ILE5:CG1 ILE5:CD1 ; ");

  const std::vector<ResidueState> states{{"HIS", 2, "HIP"},
                                         {"ASP", 3, "ASH"},
                                         {"GLU", 4, "GLH"},
                                         {"LYS", 5, "LYN"},
                                         {"CYS", 6, "CYM"}};
  CHECK(side_chain_torsions(Topology::from_sequence("Ace-HDEKC-Nme", states)).size() ==
        side_chain_torsions(Topology::from_sequence("Ace-HDEKC-Nme")).size());
  const std::pair<int, int> bond{1, 4};
  CHECK(side_chain_torsions(Topology::from_sequence("CGGC", {}, {&bond, 1})).size() == 2);
}

TEST_CASE("an atom that is missing ends the torsions of its side chain") {
  Topology t = Topology::from_sequence("Ace-K-Nme");
  t.atoms[static_cast<std::size_t>(t.find(1, "CE"))].name = "XX";
  const auto torsions = side_chain_torsions(t);
  REQUIRE(torsions.size() == 2);
  CHECK(torsions[1].number == 2);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("of all twenty residues, phi, psi, omega and chi1 to chi5 are of the atoms of MDTraj") {
  const std::filesystem::path golden(ARBG_GOLDEN_DIR);
  const arbg::Json molecules =
      arbg::Json::parse(arbg::read_file(golden / "metrics" / "evaluation.json"), "evaluation.json")
          .at("torsions");
  std::size_t compared = 0;
  for (const auto& member : molecules.members()) {
    const std::string& molecule = member.first;
    const auto folder = golden / "energies" / molecule;
    const Topology t = read_pdb(folder / (folder.filename().string() + ".pdb")).topology;
    const BackboneTorsions backbone = backbone_torsions(t);
    for (const auto& torsion : member.second.members()) {
      const std::string& name = torsion.first;
      CAPTURE(molecule);
      CAPTURE(name);
      std::vector<std::array<int, 4>> theirs;
      for (const arbg::Json& atoms : torsion.second.at("atoms").items()) {
        auto& quadruple = theirs.emplace_back();
        for (std::size_t k = 0; k < 4; ++k)
          quadruple[k] = static_cast<int>(atoms.items()[k].integer());
      }
      const auto ours = name == "phi"     ? backbone.phi
                        : name == "psi"   ? backbone.psi
                        : name == "omega" ? backbone.omega
                                          : chi(t, name.back() - '0');
      CHECK(ours == theirs);
      compared += theirs.size();
    }
  }
  CHECK(compared > 100);
}

TEST_SUITE_END();
