// What a conditioned network is told about its molecules, and the vector c of every atom that it
// makes of it.
//
// c = W2 gelu(W1 [E_atom_type | E_residue_type | S(residue index) | S(chain length) | S(atom
// index)]
// + b1) + b2, [B, N, C]; the last part is optional; S(n) is the sinusoid of an integer, sin on even
// and cos on odd channels, base 10000. Source: Rehman et al., "Autoregressive Boltzmann
// Generators", 2026, and their released code (order and names).
#pragma once

#include <cstdint>

#include "nn/transformer/transformer_config.h"
#include "nn/transformer/transformer_layers.h"

namespace arbg::nn {

// A batch of molecules of at most N atoms. Padding stands behind the atoms of a molecule.
struct Molecules {
  Tensor atom_type, residue_type, residue_index;  // int32 [B, N]
  Tensor chain_length;                            // int32 [B], residues
  Tensor atom_count;                              // int32 [B], 1 ... N

  bool defined() const { return atom_count.defined(); }
  std::int64_t batch() const { return atom_count.extent(0); }
  std::int64_t most_atoms() const { return atom_type.extent(1); }  // N
  Molecules rows(std::int64_t first, std::int64_t count) const;
  Molecules to(Backend backend) const;
  Molecules trimmed() const;  // without the atoms that are padding in every row; reads the counts

  // Throws Error naming what does not fit: shapes, a count outside 1 ... N, a negative index.
  void check() const;
};

struct ConditioningWeights {
  Variable atom_types, residue_types;
  LinearWeights<Variable> in, out;
};

Variable condition(const ConditioningWeights& w, const ConditioningConfig& config,
                   const Molecules& molecules);

}  // namespace arbg::nn
