#include "nn/transformer.h"

#include <cmath>
#include <numbers>

#include "autograd/functions.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::nn {
namespace {

namespace ag = autograd;

constexpr double kInitialDeviation = 0.02;
constexpr int kTurns[] = {1, 2, 4, 8};

Tensor normal_values(const Shape& shape, Backend backend, std::uint64_t seed,
                     const std::string& name) {
  const Random random(seed, stream_id(name));
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = kInitialDeviation * random.normal_pair(i / 2)[i % 2];
  }
  return Tensor::from_values(values, shape, backend);
}

Tensor new_weight(const std::string& name, const Shape& shape, Backend backend,
                  std::uint64_t seed) {
  if (shape.rank() == 2 && name != "output_bias") return normal_values(shape, backend, seed, name);
  Tensor constant = Tensor::zeros(shape, real_dtype(backend), backend);
  if (name.find("norm") != std::string::npos) constant.fill(1.0);
  return constant;
}

// PE[t, 2i] = sin(t / 10000^(2i/C)), PE[t, 2i+1] = cos of the same; [T, C].
Tensor sinusoids(std::int64_t length, std::int64_t channels, Backend backend) {
  std::vector<double> values;
  for (std::int64_t t = 0; t < length; ++t) {
    for (std::int64_t i = 0; i < channels; i += 2) {
      const double rate =
          std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(channels));
      values.push_back(std::sin(static_cast<double>(t) * rate));
      values.push_back(std::cos(static_cast<double>(t) * rate));
    }
  }
  return Tensor::from_values(values, {length, channels}, backend);
}

// sin and cos of the turns at the middle of every bin, [rows, 8]; zeros for a start row after the V
// bins.
Tensor turns_of_bins(std::int64_t bins, std::int64_t rows, Backend backend) {
  std::vector<double> values;
  for (std::int64_t v = 0; v < rows; ++v) {
    for (const int turns : kTurns) {
      const double angle =
          2 * std::numbers::pi * turns * (static_cast<double>(v) + 0.5) / static_cast<double>(bins);
      values.push_back(v < bins ? std::sin(angle) : 0.0);
      values.push_back(v < bins ? std::cos(angle) : 0.0);
    }
  }
  return Tensor::from_values(values, {rows, 2 * std::ssize(kTurns)}, backend);
}

}  // namespace

Transformer::Transformer(TransformerConfig config, Backend backend, std::uint64_t seed)
    : Transformer(std::move(config), backend, [&](const std::string& name, const Shape& shape) {
        return new_weight(name, shape, backend, seed);
      }) {}

Transformer Transformer::replica() const {
  return Transformer(config_, backend_,
                     [this, next = std::size_t{0}](const std::string&, const Shape&) mutable {
                       return parameters()[next++].variable.value();
                     });
}

Transformer::Transformer(TransformerConfig config, Backend backend,
                         const std::function<Tensor(const std::string&, const Shape&)>& make)
    : config_(std::move(config)), backend_(backend) {
  config_.check();
  const auto V = config_.num_bins, C = config_.channels, T = config_.length(), F = config_.hidden();
  const auto weight = [&](const std::string& name, const Shape& shape, bool decays = true) {
    return add_parameter(name, make(name, shape), decays);
  };
  token_embed_ = weight("token_embed.weight", {config_.token_rows(), C});
  coord_dim_embed_ = weight("coord_dim_embed.weight", {config_.num_dims, C});
  atom_pos_embed_ = weight("atom_pos_embed.weight", {config_.num_atoms, C});
  if (config_.learned_positions) pos_embed_ = weight("pos_embed.weight", {T, C});
  if (config_.bin_features)
    bin_features_ = weight("bin_features.weight", {2 * std::ssize(kTurns), C});
  for (std::int64_t i = 0; i < config_.num_layers; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    auto& layer = weights_.layers.emplace_back();
    layer.norm1 = weight(block + "norm1.weight", {C});
    layer.norm2 = weight(block + "norm2.weight", {C});
    layer.qkv = weight(block + "attn.qkv.weight", {3 * C, C});
    layer.attention_out = weight(block + "attn.out_proj.weight", {C, C});
    layer.gate = weight(block + "ff.net.0.w1.weight", {F, C});
    layer.up = weight(block + "ff.net.0.w2.weight", {F, C});
    layer.down = weight(block + "ff.net.2.weight", {C, F});
    layer.down_bias = weight(block + "ff.net.2.bias", {C});
  }
  weights_.final_norm = weight("final_norm.weight", {C});
  weights_.output_proj = weight("output_proj.weight", {V, C});
  // Decay would pull the histogram of the marginals towards the uniform one.
  if (config_.output_bias) output_bias_ = weight("output_bias", {T, V}, false);

  dim_index_ = Tensor::from_indices(config_.dim_index, {T}, backend);
  atom_index_ = Tensor::from_indices(config_.atom_index, {T}, backend);
  if (!config_.learned_positions) sinusoid_ = sinusoids(T, C, backend);
  if (config_.bin_features) bin_turns_ = turns_of_bins(V, config_.token_rows(), backend);
}

// [start, t_0 ... t_{T-2}] of every row.
Tensor Transformer::shift_right(const Tensor& tokens) const {
  const auto T = config_.length();
  require(tokens.dtype() == DType::i32 && tokens.shape().rank() == 2 && tokens.extent(1) == T,
          "expected int32 tokens [batch, ", T, "], found shape ", tokens.shape());
  const auto given = tokens.indices();
  std::vector<std::int32_t> input(given.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i] = i % static_cast<std::size_t>(T) == 0 ? start_token() : given[i - 1];
  }
  return Tensor::from_indices(input, tokens.shape(), backend_);
}

// E_token, plus the learned function of the bin's place, [rows, C].
Variable Transformer::token_table() const {
  if (!config_.bin_features) return token_embed_;
  return ag::add(token_embed_, ag::matmul(Variable(bin_turns_), bin_features_));
}

// All that depends on the position but not on the tokens, [T, C].
Variable Transformer::position_rows() const {
  const Variable place = config_.learned_positions ? pos_embed_ : Variable(sinusoid_);
  const Variable dim = ag::embedding(coord_dim_embed_, dim_index_);
  return ag::add(ag::add(place, dim), ag::embedding(atom_pos_embed_, atom_index_));
}

Variable Transformer::logits(const Tensor& tokens) const {
  const int heads = static_cast<int>(config_.num_heads);
  Variable h = ag::add_rows(ag::embedding(token_table(), shift_right(tokens)), position_rows());
  for (const auto& layer : weights_.layers) {
    h = apply_layer(layer, h,
                    [heads](const Variable& qkv) { return ag::causal_attention(qkv, heads); });
  }
  return apply_output(weights_, h, output_bias_);
}

Variable Transformer::log_prob(const Tensor& tokens) const {
  return ag::log_prob(logits(tokens), tokens);
}

void Transformer::initialise_from_marginals(std::span<const double> counts, double smoothing) {
  const auto V = static_cast<std::size_t>(config_.num_bins),
             T = static_cast<std::size_t>(config_.length());
  require(config_.output_bias,
          "marginals can only be loaded into a network with \"output_bias\": true");
  require(counts.size() == T * V, "expected ", T, " x ", V, " counts, found ", counts.size());
  require(smoothing > 0, "the smoothing of the marginals must be positive, not ", smoothing);
  std::vector<double> bias(counts.size());
  for (std::size_t t = 0; t < T; ++t) {
    double total = smoothing * static_cast<double>(V);
    for (std::size_t v = 0; v < V; ++v) total += counts[t * V + v];
    for (std::size_t v = 0; v < V; ++v)
      bias[t * V + v] = std::log((counts[t * V + v] + smoothing) / total);
  }
  Tensor rows = output_bias_.value(), matrix = weights_.output_proj.value();
  rows.copy_from(Tensor::from_values(bias, rows.shape(), backend_));
  matrix.fill(0.0);
}

}  // namespace arbg::nn
