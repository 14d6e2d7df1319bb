#include "nn/transformer/transformer.h"

#include <algorithm>

#include "autograd/functions.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/shift_right.h"

namespace arbg::nn {

namespace ag = autograd;

void Transformer::check_rows(std::int64_t batch, std::int64_t n, const Molecules& molecules) const {
  const auto T = config_.length();
  require(molecules.defined() || !config_.conditioning,
          "this network is conditioned: it has to be told what molecules the rows are of");
  const bool fits = molecules.defined() ? n <= T : n == T;
  require(fits, "expected rows of ", T, " positions, found ", n);
  if (!molecules.defined()) return;
  molecules.check();
  require(molecules.batch() == batch, "encodings of ", molecules.batch(), " molecules for ", batch,
          " rows");
}

std::vector<std::int64_t> Transformer::positions_of(const Molecules& molecules,
                                                    std::int64_t n) const {
  std::vector<std::int64_t> positions;
  for (const auto atoms : molecules.atom_count.indices()) {
    std::int64_t real = 0;
    for (std::int64_t t = 0; t < n; ++t) {
      const auto atom = config_.atom_index[static_cast<std::size_t>(t)];
      require(atom < molecules.most_atoms(), "position ", t, " is of atom ", atom,
              ", the encodings have ", molecules.most_atoms(), " atoms");
      if (atom >= atoms) continue;
      require(real == t, "a molecule of ", atoms, " atoms has its coordinates in ", real,
              " positions and then in position ", t, ": padding must stand at the end");
      ++real;
    }
    positions.push_back(real);
  }
  return positions;
}

std::int32_t Transformer::start_token() const {
  if (planted(Defect::start_shares_bin_0)) return 0;
  return static_cast<std::int32_t>(config_.own_start_row ? config_.num_bins : 0);
}

// positions_of as int32 [B] where the network works. The numbers of atoms are read only if not all
// that they may be are in order.
Tensor Transformer::position_count(const Molecules& molecules, std::int64_t n) const {
  const auto atom = std::span(config_.atom_index).first(static_cast<std::size_t>(n));
  const auto N = molecules.most_atoms();
  const bool in_order = std::ranges::is_sorted(atom) && (n == 0 || atom.back() < N) &&
                        molecules.atom_count.index_bounds().inside(0, N);
  if (!in_order) {
    const auto counts = positions_of(molecules, n);
    return Tensor::from_indices(std::vector<std::int32_t>(counts.begin(), counts.end()),
                                {molecules.batch()}, backend_);
  }
  std::vector<std::int32_t> positions_of_atoms;
  for (std::int64_t atoms = 0; atoms <= N; ++atoms) {
    positions_of_atoms.push_back(
        static_cast<std::int32_t>(std::ranges::lower_bound(atom, atoms) - atom.begin()));
  }
  return tensor::gather_rows(Tensor::from_indices(positions_of_atoms, {N + 1}, backend_),
                             molecules.atom_count);
}

// [start, t_0 ... t_{n-2}] of every row.
Tensor Transformer::shift_right(const Tensor& tokens) const {
  if (planted(Defect::sees_own_token)) return tokens;
  const Tensor input = tensor::shift_right(tokens, start_token());
  // The last column may hold anything. Only then are the numbers read, to know the bounds of
  // others.
  const bool inside = tokens.index_bounds().inside(0, config_.num_bins - 1);
  return inside ? input : Tensor::from_indices(input.indices(), input.shape(), backend_);
}

// E_token, plus the learned function of the bin's place, [rows, C].
Variable Transformer::input_table() const {
  if (!config_.bin_features) return token_embed_;
  return ag::add(token_embed_, ag::matmul(Variable(bin_turns_), bin_features_));
}

// All that depends on the position but not on tokens or molecules, for the first n, [n, C].
Variable Transformer::position_rows(std::int64_t n) const {
  const bool all = n == config_.length();
  const Variable place = !config_.learned_positions ? Variable(sinusoid_.rows(0, n))
                         : all                      ? pos_embed_
                                                    : ag::rows(pos_embed_, 0, n);
  const Variable dim = ag::embedding(coord_dim_embed_, dim_index_.rows(0, n));
  return ag::add(ag::add(place, dim), ag::embedding(atom_pos_embed_, atom_index_.rows(0, n)));
}

void Transformer::check_placement(const PlacementRows& placement) const {
  require(config_.placement.has_value() == placement.told, "this network ",
          config_.placement ? "needs placement energies, which tokens alone do not give"
                            : "takes no placement energies");
}

// Plus what is told of the distributions of these positions.
Variable Transformer::with_features(const Variable& embedded,
                                    const PlacementRows& placement) const {
  if (!placement_features_.defined() || !placement.features.defined()) return embedded;
  return ag::add(embedded, ag::linear(Variable(placement.features), placement_features_));
}

// The attention before the layers. Its three matrices are rows of one.
std::optional<CrossWeights<Variable>> Transformer::global_attention() const {
  if (!config_.global_cond) return {};
  const auto C = config_.channels;
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return LinearWeights<Variable>{ag::rows(global_in_weight_, first, count),
                                   ag::rows(global_in_bias_, first, count)};
  };
  CrossWeights<Variable> weights;
  weights.query = part(0, C);
  weights.key_value = part(C, 2 * C);
  weights.out = global_out_;
  return weights;
}

// Of c [B, N, C], the vectors of the atoms of the first n positions: [B, n, C]. Undefined if they
// are not added to the input.
Variable Transformer::vectors_of_positions(const Variable& c, std::int64_t n) const {
  if (!config_.add_cond_to_input) return {};
  const auto B = c.value().extent(0), N = c.value().extent(1), C = config_.channels;
  std::vector<std::int32_t> row;
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int64_t t = 0; t < n; ++t)
      row.push_back(static_cast<std::int32_t>(b * N) +
                    config_.atom_index[static_cast<std::size_t>(t)]);
  }
  return ag::embedding(ag::reshape(c, {B * N, C}), Tensor::from_indices(row, {B, n}, backend_));
}

Variable Transformer::logits(const Tensor& tokens, const Molecules& molecules,
                             const std::optional<DropoutKey>& dropout,
                             const PlacementRows& placement) const {
  require(tokens.defined() && tokens.dtype() == DType::i32 && tokens.shape().rank() == 2,
          "expected int32 tokens [batch, ", config_.length(), "]");
  check_rows(tokens.extent(0), tokens.extent(1), molecules);
  return outputs(ag::embedding(input_table(), shift_right(tokens)), molecules, dropout, placement);
}

Variable Transformer::outputs(const Variable& embedded, const Molecules& molecules,
                              const std::optional<DropoutKey>& dropout,
                              const PlacementRows& placement) const {
  check_placement(placement);
  require(embedded.defined() && embedded.value().shape().rank() == 3,
          "expected embeddings [batch, ", config_.length(), ", ", config_.channels, "]");
  const auto n = embedded.value().extent(1);
  check_rows(embedded.value().extent(0), n, molecules);
  const Tensor& atoms = molecules.atom_count;
  const auto widest = std::max(config_.channels, config_.hidden());
  Dropout drop =
      dropout ? Dropout(config_.dropout, *dropout, config_.length() * widest) : Dropout();
  Variable c, of_positions;
  Memory memory;
  const auto global = global_attention();
  if (config_.conditioning) {
    position_count(molecules, n);  // for its checks
    c = condition(conditioning_, *config_.conditioning, molecules);
    of_positions = vectors_of_positions(c, n);
    if (global) memory = make_memory(*global, c, atoms);
  }
  const Variable placed = ag::add_rows(with_features(embedded, placement), position_rows(n));
  Variable h =
      apply_input(weights_.input_norm, placed, of_positions, global, memory, heads(), drop);
  for (const auto& layer : weights_.layers) {
    if (layer.cross) memory = make_memory(*layer.cross, c, atoms);
    const auto attend = [&](const Variable& qkv) {  // between products
      return ag::causal_attention(qkv, heads(), Readers::products, Readers::products);
    };
    h = apply_layer(layer, h, attend, memory, heads(), drop);
  }
  const auto of_positions_of_h = [&](const Variable& rows) {
    return rows.defined() && n < config_.length() ? ag::rows(rows, 0, n) : rows;
  };
  return apply_output(weights_, h, of_positions_of_h(output_bias_),
                      of_positions_of_h(placement_strengths_), placement);
}

Variable Transformer::log_prob(const Tensor& tokens, const Molecules& molecules,
                               const std::optional<DropoutKey>& dropout) const {
  return without_padding(ag::log_prob(logits(tokens, molecules, dropout), tokens), molecules);
}

Variable Transformer::without_padding(const Variable& terms, const Molecules& molecules) const {
  if (!molecules.defined()) return terms;
  return ag::mask_rows(terms, position_count(molecules, terms.value().extent(1)), 0);
}

}  // namespace arbg::nn
