// What a network is made of: the sizes and options of the published networks and our own
// extensions.
//
// JSON has the published member names (num_bins, channels, num_layers, num_heads, expansion,
// pos_embed_type, use_global_cond, conditioning, ...) plus ours (dim_index, atom_index, start_row,
// output_bias, bin_features, placement, ...); a file whose members are `network`, `conditioning`
// and `num_atoms` is read as well. Options that are not supported, members that nothing reads, and
// sizes that are missing (num_bins, channels, num_layers, num_heads, num_atoms, those of the
// conditioning) are refused by name.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/transformer/placement.h"
#include "tensor/base/json.h"

namespace arbg::nn {

// The vectors c of the atoms (conditioning.h).
struct ConditioningConfig {
  std::int64_t hidden = 64;  // of the embeddings and between the two matrices
  std::int64_t atom_types = 64, residue_types = 32;  // rows of the tables
  bool atom_index = true;                            // S(atom index) is a part

  std::int64_t inputs() const { return (atom_index ? 5 : 4) * hidden; }
};

struct TransformerConfig {
  std::int64_t num_bins = 256;  // V
  std::int64_t channels = 64;   // C
  std::int64_t num_layers = 3;
  std::int64_t num_heads = 4;  // H
  std::int64_t head_dim = 0;   // D; 0: C / H
  std::int64_t expansion =
      4;  // feed-forward hidden size floor(2 expansion C / 3), GELU's expansion C

  // Coordinate j is dimension dim_index[j] of atom atom_index[j]; the sequence length T is their
  // size.
  std::vector<std::int32_t> dim_index, atom_index;
  std::int64_t num_dims = 3;
  std::int64_t num_atoms = 0;

  bool learned_positions = false;  // otherwise sinusoidal
  bool own_start_row =
      false;  // row V of the token table starts a sequence; otherwise row 0, as published

  bool swiglu = true;        // otherwise GELU
  bool rms_norm = true;      // otherwise LayerNorm
  bool input_norm = false;   // a norm of h before the layers
  bool zero_output = false;  // the output matrix of a new network is zero
  double dropout = 0;        // rate, in every branch, in training

  // What is done with the vectors of the atoms: added to the input, looked at by one attention
  // before the layers, or by one in every layer.
  std::optional<ConditioningConfig> conditioning;
  bool add_cond_to_input = false, global_cond = false, cross_attention = false;
  bool cross_head_norm = false, cross_gate = false;  // options of the one in every layer

  // Ours. output_bias: numbers [T, V] added to the logits. bin_features: sin and cos of 1, 2, 4, 8
  // turns over the bins times a learned matrix [8, C], added to the token table.
  bool output_bias = false;
  bool bin_features = false;
  std::optional<PlacementConfig> placement;  // energies of bins in the logits (placement.h)

  std::int64_t length() const { return static_cast<std::int64_t>(dim_index.size()); }  // T
  std::int64_t token_rows() const {
    return num_bins + (own_start_row ? 1 : 0);
  }  // of the token table
  // F, D, and H D, which is C unless head_dim says otherwise.
  std::int64_t hidden() const {
    return swiglu ? 2 * expansion * channels / 3 : expansion * channels;
  }
  std::int64_t head_size() const { return head_dim > 0 ? head_dim : channels / num_heads; }
  std::int64_t attention_width() const { return num_heads * head_size(); }

  // dim_index j % 3 and atom_index j / 3 for x, y, z of every atom: what published networks use.
  void set_cartesian(std::int64_t atoms);

  // Operations (a multiplication and an addition are two) to generate one token: every matrix once,
  // and attention over half of the sequence, the mean, and over the atoms. Training takes three
  // times as many: backwards every product is done twice.
  double flops_per_token() const;

  // Of device memory, about what the forward and backward of one molecule keep at a time.
  double training_bytes_a_molecule() const;

  // Throws Error naming the first member that makes no sense.
  void check() const;

  Json to_json() const;
  // Without dim_index and atom_index in the JSON, num_atoms gives the Cartesian ones. `name` is for
  // messages.
  static TransformerConfig from_json(const Json& json, const std::string& name);
};

}  // namespace arbg::nn
