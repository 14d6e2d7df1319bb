#include "md/files/prmtop_supported.h"

#include <string_view>

namespace arbg::md {

namespace {

struct Refusal {
  std::string_view flag;  // beginning of a section's name
  const char* what;
};
constexpr Refusal kRefusals[] = {
    {"CTITLE", "CHARMM topologies (chamber)"},
    {"FORCE_FIELD_TYPE", "CHARMM topologies (chamber)"},
    {"CHARMM_", "CHARMM topologies (chamber)"},
    {"CMAP_", "CMAP terms (of ff19SB, say; ff14SB has none)"},
    {"LENNARD_JONES_14_", "CHARMM topologies (chamber)"},
    {"LENNARD_JONES_CCOEF", "12-6-4 terms"},
    {"AMOEBA_", "AMOEBA terms"},
    {"POLARIZABILITY", "polarisable atoms"},
    {"SOLVENT_POINTERS", "periodic boxes"},
    {"ATOMS_PER_MOLECULE", "periodic boxes"},
    {"BOX_DIMENSIONS", "periodic boxes"},
    {"CAP_INFO", "solvent caps"},
    {"PERT_", "perturbed systems"},
};

// Sections that prmtop.cpp reads, and at the end those that say nothing of the energy.
constexpr std::string_view kKnown =
    " POINTERS ATOM_NAME CHARGE ATOMIC_NUMBER MASS ATOM_TYPE_INDEX NUMBER_EXCLUDED_ATOMS"
    " NONBONDED_PARM_INDEX RESIDUE_LABEL RESIDUE_POINTER BOND_FORCE_CONSTANT BOND_EQUIL_VALUE"
    " ANGLE_FORCE_CONSTANT ANGLE_EQUIL_VALUE DIHEDRAL_FORCE_CONSTANT DIHEDRAL_PERIODICITY"
    " DIHEDRAL_PHASE SCEE_SCALE_FACTOR SCNB_SCALE_FACTOR LENNARD_JONES_ACOEF LENNARD_JONES_BCOEF"
    " BONDS_INC_HYDROGEN BONDS_WITHOUT_HYDROGEN ANGLES_INC_HYDROGEN ANGLES_WITHOUT_HYDROGEN"
    " DIHEDRALS_INC_HYDROGEN DIHEDRALS_WITHOUT_HYDROGEN EXCLUDED_ATOMS_LIST HBOND_ACOEF"
    " HBOND_BCOEF AMBER_ATOM_TYPE RADII SCREEN IPOL"
    " TITLE SOLTY HBCUT TREE_CHAIN_CLASSIFICATION JOIN_ARRAY IROTAT RADIUS_SET RESIDUE_NUMBER"
    " RESIDUE_CHAINID RESIDUE_ICODE ATOM_NUMBER ATOM_ELEMENT ATOM_OCCUPANCY ATOM_BFACTOR ";

struct Switch {
  std::size_t pointer;  // place in POINTERS, from 0
  const char* what;
};
constexpr Switch kSwitches[] = {{20, "perturbed systems (IFPERT)"},
                                {27, "periodic boxes (IFBOX)"},
                                {29, "solvent caps (IFCAP)"}};

}  // namespace

void check_supported(const PrmtopSections& file) {
  for (const std::string& flag : file.flags()) {
    for (const Refusal& refusal : kRefusals) {
      file.check(!flag.starts_with(refusal.flag), flag, 0, refusal.what, " are not supported");
    }
    file.check(kKnown.find(" " + flag + " ") != std::string_view::npos, flag, 0,
               "this section is not known here; what it adds to the energy would be lost");
  }
  const auto pointers = file.integers("POINTERS", PrmtopSections::kAny);
  for (const auto& [pointer, what] : kSwitches) {
    const bool off = pointer >= pointers.size() || pointers[pointer] == 0;
    file.check(off, "POINTERS", pointer, what, " are not supported");
  }
  if (!file.has("IPOL")) return;
  for (const int ipol : file.integers("IPOL", PrmtopSections::kAny))
    file.check(ipol == 0, "IPOL", 0, "polarisation is not supported");
}

}  // namespace arbg::md
