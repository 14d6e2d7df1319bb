// PDB files: a molecule and one or more conformations of it.
//
// Read: ATOM and HETATM (fixed columns; Angstrom becomes nm), conformations between MODEL, ENDMDL
// and END, disulfide bonds from SSBOND and CONECT; everything else is skipped. One chain, without
// water; its residues are told apart by number and insertion code, 52A after 52, and stand in the
// order of the file, whatever their numbers. Atoms keep their order; names become those of the
// residue templates (md/files/pdb_names.h), from which elements and bonds come. Of alternate
// locations one is taken (md/files/alternate_locations.h), which `note` says. Throws Error as
// PATH:LINE: what was expected and found; nothing is guessed or repaired. What is supported:
// md/SUPPORTED.md. Source: wwPDB, "Atomic Coordinate Entry Format" 3.3.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

struct Pdb {
  Topology topology;
  std::vector<double> positions_nm;  // [models, N, 3]
  int models = 0;
  std::string note;  // one sentence for the user about what was left out, or empty
};

Pdb read_pdb(const std::filesystem::path& path);

// Whether the name ends in .pdb or .ent, capitals or not.
bool is_pdb_path(const std::filesystem::path& path);

// The same from text already in memory; `name` stands for the path in messages.
Pdb parse_pdb(std::string_view text, const std::string& name);

// Conformations [models, N, 3] in nm, rounded to 1e-4 nm; several as MODEL records. The chain is A,
// serial numbers count from 1, residues have the numbers and insertion codes of the topology: those
// of the PDB file it was read from, or from 1. Throws Error if one does not fit the columns or is
// not finite.
void write_pdb(const std::filesystem::path& path, const Topology& topology,
               std::span<const double> positions_nm);

// The text that write_pdb writes; `path` is for messages.
std::string pdb_text(const Topology& topology, std::span<const double> positions_nm,
                     const std::filesystem::path& path = "PDB text");

}  // namespace arbg::md
