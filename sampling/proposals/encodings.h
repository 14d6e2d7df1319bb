// Topology -> the integers by which a conditioned network knows its atoms: the published encodings.
//
// atom_type 1 ... 54 of the reduced name, residue_type 1 ... 20, residue_index from 1 along the
// chain, chain_length in residues; 0 is padding. Reduced: a hydrogen's last 1, 2 or 3 is dropped
// (HB2 is HB, HG21 is HG2) but in the rings of HIS, PHE, TRP and TYR; OD1 and OD2 are OD, OE1 and
// OE2 are OE. Source: the conditioning of Rehman et al., "Autoregressive Boltzmann Generators",
// 2026, as released.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "md/molecule/topology.h"
#include "nn/transformer/conditioning.h"

namespace arbg::sampling {

struct MoleculeEncoding {
  std::vector<std::int32_t> atom_type, residue_type, residue_index;  // [N]
  std::int32_t chain_length = 0;

  std::int64_t atom_count() const { return std::ssize(atom_type); }  // N
};

// Throws Error naming the residue or atom that has no code (caps and protonation states have none).
MoleculeEncoding encode_molecule(const md::Topology& topology);

std::string reduced_atom_name(std::string_view residue, std::string_view atom);

// Rows of a batch, padded with zeros to `most_atoms`, which may not be fewer than any has.
nn::Molecules stack_molecules(std::span<const MoleculeEncoding* const> rows,
                              std::int64_t most_atoms, nn::Backend backend);

}  // namespace arbg::sampling
