// Names of residues and atoms in other programs, and which supported name a refusal advises.
//
// The tables behind md/SUPPORTED.md. Names of residues are those of files, in capitals.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace arbg::md {

struct ResidueSynonym {
  std::string_view name, standard;  // HSD, HID
};
std::span<const ResidueSynonym> residue_synonyms();

// HID for HSD, ALA for NALA and CALA; any other name as it stands.
std::string standard_residue_name(std::string_view name);

struct AtomSynonym {
  std::string_view residue, name, standard;  // of the standard residue; "" is any
};
std::span<const AtomSynonym> atom_synonyms();

// What `name` most likely meant among the supported ones: a relative (MSE is nearest to MET, ff14SB
// to amber14-obc1), or the fewest changed letters, capitals or not, the first of equals. "" if less
// than half of the letters are right. For residues, atoms, caps, force fields and one-letter codes.
std::string nearest_supported(std::string_view name, std::span<const std::string> supported);

// "; the nearest is MET", or "".
std::string advice(std::string_view name, std::span<const std::string> supported);

// What files call water, and ions.
bool is_water(std::string_view residue_name);
bool is_ion(std::string_view residue_name);

}  // namespace arbg::md
