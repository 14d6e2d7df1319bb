// A force field as its text table states it: classes of atoms, rules about them, residue templates.
//
// The grammar is in md/forcefields/README.md. Classes and atoms are indices into `classes` and into
// a template's `atoms`; rules keep the order of the file, which decides between rules that both
// match. Units as in md/molecule/system.h.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "md/molecule/system.h"

namespace arbg::md {

inline constexpr int kAnyClass = -1;  // the wildcard * of torsion rules

struct AtomClass {
  std::string name, element;
  double mass_amu, sigma_nm, epsilon_kj_mol;
};

struct BondRule {
  std::array<int, 2> classes;
  double length_nm, k_kj_mol_nm2;
};

struct AngleRule {
  std::array<int, 3> classes;
  double angle_rad, k_kj_mol_rad2;
};

struct TorsionTerm {
  int periodicity;
  double phase_rad, k_kj_mol;
};

struct TorsionRule {  // proper: in order along the chain; improper: the central atom first
  std::array<int, 4> classes;
  std::vector<TorsionTerm> terms;

  bool has_wildcard() const;
};

struct TemplateAtom {
  std::string name;
  int atom_class;
  double charge_e;
  BornAtom born;
};

struct ResidueTemplate {
  std::string name;
  std::vector<TemplateAtom> atoms;
  std::vector<std::pair<int, int>> bonds;
  // Atoms bonded to other residues, or -1: to the neighbours in the chain, by a disulfide bond.
  int previous = -1, next = -1, disulfide = -1;

  int find(std::string_view atom_name) const;  // -1 if there is none
};

struct ForceFieldTables {
  std::string name;
  double cutoff_nm = 0;
  double coulomb_scale14 = 0, lennard_jones_scale14 = 0;
  bool amber_improper_order = false;  // see md/forcefields/impropers.cpp
  BornModel born;
  std::vector<AtomClass> classes;
  std::vector<BondRule> bonds;
  std::vector<AngleRule> angles;
  std::vector<TorsionRule> propers, impropers;
  std::map<std::string, ResidueTemplate, std::less<>> residues;
  std::map<std::string, std::vector<std::string>, std::less<>> aliases;  // HIS: HIE, HID, HIP

  int find_class(std::string_view class_name) const;  // -1 if there is none
};

// Throws Error naming the line (as NAME:LINE) and what was expected there.
ForceFieldTables parse_tables(std::string_view text, std::string_view name);

// The texts of md/forcefields/*.txt, compiled in.
struct EmbeddedTable {
  const char* name;
  const char* text;
};
const std::vector<EmbeddedTable>& embedded_tables();

// The parsed table of that name. Throws Error listing the names there are.
const ForceFieldTables& tables_named(std::string_view name);

// Atoms and bonds of residues, which every force field here shares.
const ForceFieldTables& residue_library();

}  // namespace arbg::md
