// Which atoms make phi, psi and omega, with and without caps.
#include "md/molecule/torsion_atoms.h"

#include <doctest/doctest.h>

#include <string>

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

TEST_SUITE_END();
