// Which parameters a network has: their names (PyTorch's), shapes and first values.
#include <cmath>
#include <numbers>
#include <numeric>

#include "nn/transformer/transformer.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/ops/sinusoid.h"

namespace arbg::nn {
namespace {

constexpr double kInitialDeviation = 0.02;
constexpr int kTurns[] = {1, 2, 4, 8};

Tensor normal_values(const Shape& shape, Backend backend, std::uint64_t seed,
                     const std::string& name) {
  // Learned positions keep the values that a seed gave them under their older name.
  const std::string_view stream = name == "pos_embed" ? streams::kPositions : name;
  const Random random(seed, stream_id(stream));
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = kInitialDeviation * random.normal_pair(i / 2)[i % 2];
  }
  return Tensor::from_values(values, shape, backend);
}

Tensor new_weight(const std::string& name, const Shape& shape, const TransformerConfig& config,
                  Backend backend, std::uint64_t seed) {
  const bool zero = name == "output_bias" || name == "placement.strength.weight" ||
                    name == "placement.features.weight" ||
                    name.ends_with("cross_attn.out_proj.weight") ||
                    (config.zero_output && name == "output_proj.weight");
  const bool one = name == "placement.strengths";
  if (shape.rank() == 2 && !zero && !one) return normal_values(shape, backend, seed, name);
  Tensor constant = Tensor::zeros(shape, tensor::real_dtype(backend), backend);
  const bool norm = name.find("norm") != std::string::npos && name.ends_with(".weight");
  // A gate of zero before a matrix of zeros would have no gradient, nor would the matrix: for ever.
  if (norm || one || name.ends_with("cross_attn_gate")) constant.fill(1.0);
  return constant;
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
    : Transformer(config, backend, [&](const std::string& name, const Shape& shape) {
        return new_weight(name, shape, config, backend, seed);
      }) {
  lay_out_values();
}

Transformer::Transformer(TransformerConfig config, Backend backend, const NamedTensors& weights)
    : Transformer(std::move(config), backend, [&](const std::string& name, const Shape& shape) {
        const Tensor weight = find_tensor(weights, name);
        require_weight_shape(name, weight.shape(), shape);
        return weight.to(backend);
      }) {
  require_known(weights);
  lay_out_values();
}

Transformer Transformer::replica() const {
  return Transformer(config_, backend_,
                     [this, next = std::size_t{0}](const std::string&, const Shape&) mutable {
                       return parameters()[next++].variable.value();
                     });
}

Transformer::Transformer(TransformerConfig config, Backend backend, const MakeValue& make)
    : config_(std::move(config)), backend_(backend) {
  config_.check();
  const auto V = config_.num_bins, C = config_.channels, T = config_.length();
  const auto table = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    return add_parameter(name, make(name, {rows, columns}));
  };
  token_embed_ = table("token_embed.weight", config_.token_rows(), C);
  coord_dim_embed_ = table("coord_dim_embed.weight", config_.num_dims, C);
  atom_pos_embed_ = table("atom_pos_embed.weight", config_.num_atoms, C);
  if (config_.learned_positions) pos_embed_ = table("pos_embed", T, C);
  if (config_.bin_features) bin_features_ = table("bin_features.weight", 2 * std::ssize(kTurns), C);
  if (config_.conditioning) add_conditioning(make);
  if (config_.input_norm) weights_.input_norm = add_norm("input_norm", make);
  for (std::int64_t i = 0; i < config_.num_layers; ++i)
    weights_.layers.push_back(add_layer("blocks." + std::to_string(i) + ".", make));
  weights_.final_norm = add_norm("final_norm", make);
  weights_.output_proj = table("output_proj.weight", V, C);
  // Decay would pull the histogram of the marginals towards the uniform one.
  if (config_.output_bias)
    output_bias_ = add_parameter("output_bias", make("output_bias", {T, V}), false);
  if (config_.placement) add_placement(make);

  std::vector<std::int32_t> positions(static_cast<std::size_t>(T));
  std::iota(positions.begin(), positions.end(), 0);
  dim_index_ = Tensor::from_indices(config_.dim_index, {T}, backend);
  atom_index_ = Tensor::from_indices(config_.atom_index, {T}, backend);
  if (!config_.learned_positions)
    sinusoid_ = tensor::sinusoid(Tensor::from_indices(positions, {T}, backend), C);
  if (config_.bin_features) bin_turns_ = turns_of_bins(V, config_.token_rows(), backend);
}

NormWeights Transformer::add_norm(const std::string& name, const MakeValue& make) {
  const auto part = [&](const std::string& which) {
    return add_parameter(name + which, make(name + which, {config_.channels}));
  };
  const Variable weight = part(".weight");
  return {weight, config_.rms_norm ? Variable() : part(".bias")};
}

LinearWeights<Variable> Transformer::add_linear(const std::string& name, std::int64_t outputs,
                                                std::int64_t inputs, bool bias,
                                                const MakeValue& make) {
  const std::string weight = name + ".weight", bias_name = name + ".bias";
  LinearWeights<Variable> linear{add_parameter(weight, make(weight, {outputs, inputs})), {}};
  if (bias) linear.bias = add_parameter(bias_name, make(bias_name, {outputs}));
  return linear;
}

LayerWeights<Variable> Transformer::add_layer(const std::string& block, const MakeValue& make) {
  const auto C = config_.channels, F = config_.hidden(), width = config_.attention_width();
  LayerWeights<Variable> layer;
  layer.norm1 = add_norm(block + "norm1", make);
  layer.norm2 = add_norm(block + "norm2", make);
  layer.qkv = add_linear(block + "attn.qkv", 3 * width, C, false, make).weight;
  layer.attention_out = add_linear(block + "attn.out_proj", C, width, false, make).weight;
  if (config_.cross_attention) layer.cross = add_cross(block, make);
  if (config_.swiglu) {
    layer.gate = add_linear(block + "ff.net.0.w1", F, C, false, make).weight;
    layer.up = add_linear(block + "ff.net.0.w2", F, C, false, make);
    layer.down = add_linear(block + "ff.net.2", C, F, true, make);  // net.1 drops out
  } else {
    layer.up = add_linear(block + "ff.net.0", F, C, true, make);
    layer.down =
        add_linear(block + "ff.net.3", C, F, true, make);  // net.1 is GELU, net.2 drops out
  }
  return layer;
}

CrossWeights<Variable> Transformer::add_cross(const std::string& block, const MakeValue& make) {
  const auto C = config_.channels, width = config_.attention_width();
  const auto matrix = [&](const char* name, std::int64_t outputs, std::int64_t inputs) {
    return add_linear(block + "cross_attn." + name, outputs, inputs, false, make);
  };
  const auto vector = [&](const std::string& name, std::int64_t size) {
    return add_parameter(block + name, make(block + name, {size}));
  };
  CrossWeights<Variable> cross;
  cross.norm = add_norm(block + "norm_cross", make);
  cross.query = matrix("q_proj", width, C);
  cross.key_value = matrix("kv_proj", 2 * width, C);
  cross.out = matrix("out_proj", C, width);
  if (config_.cross_head_norm) {
    cross.query_norm = vector("cross_attn.q_norm.weight", config_.head_size());
    cross.key_norm = vector("cross_attn.k_norm.weight", config_.head_size());
  }
  if (config_.cross_gate) cross.gate = vector("cross_attn_gate", 1);
  return cross;
}

void Transformer::add_conditioning(const MakeValue& make) {
  const ConditioningConfig& config = *config_.conditioning;
  const auto C = config_.channels;
  const auto table = [&](const std::string& name, std::int64_t rows) {
    return add_linear("cond_embed." + name, rows, config.hidden, false, make).weight;
  };
  conditioning_.atom_types = table("atom_embed", config.atom_types);
  conditioning_.residue_types = table("residue_embed", config.residue_types);
  conditioning_.in = add_linear("cond_embed.proj.0", config.hidden, config.inputs(), true, make);
  conditioning_.out = add_linear("cond_embed.proj.2", C, config.hidden, true, make);
  if (!config_.global_cond) return;
  const std::string name = "global_cond_attn.";
  global_in_weight_ =
      add_parameter(name + "in_proj_weight", make(name + "in_proj_weight", {3 * C, C}));
  global_in_bias_ = add_parameter(name + "in_proj_bias", make(name + "in_proj_bias", {3 * C}));
  global_out_ = add_linear(name + "out_proj", C, C, true, make);
}

// Decay would pull strengths towards no energies at all.
void Transformer::add_placement(const MakeValue& make) {
  const auto C = config_.channels, T = config_.length();
  const auto [components, features] = *config_.placement;
  const auto add = [&](const std::string& name, const Shape& shape, bool decays) {
    return add_parameter("placement." + name, make("placement." + name, shape), decays);
  };
  placement_strengths_ = add("strengths", {T, components}, false);
  weights_.placement_strength = add("strength.weight", {components, C}, true);
  if (features > 0) placement_features_ = add("features.weight", {C, features}, true);
}

void Transformer::initialise_from_marginals(std::span<const double> counts, double smoothing,
                                            std::span<const double> curves) {
  const auto V = static_cast<std::size_t>(config_.num_bins),
             T = static_cast<std::size_t>(config_.length());
  require(config_.output_bias,
          "marginals can only be loaded into a network with \"output_bias\": true");
  require(counts.size() == T * V, "expected ", T, " x ", V, " counts, found ", counts.size());
  require(curves.empty() || curves.size() == T * V, "expected ", T, " x ", V,
          " means of curves, found ", curves.size());
  require(smoothing > 0, "the smoothing of the marginals must be positive, not ", smoothing);
  std::vector<double> bias(counts.size());
  for (std::size_t t = 0; t < T; ++t) {
    double total = smoothing * static_cast<double>(V), counted = 0;
    for (std::size_t v = 0; v < V; ++v) total += counts[t * V + v], counted += counts[t * V + v];
    for (std::size_t v = 0; v < V; ++v) {
      // Where nothing was counted, and energies would give nothing, the two agree: no bias.
      const double expected = curves.empty() ? total : counted * curves[t * V + v] + smoothing;
      bias[t * V + v] = std::log((counts[t * V + v] + smoothing) / expected);
    }
  }
  Tensor rows = output_bias_.value(), matrix = weights_.output_proj.value();
  rows.copy_from(Tensor::from_values(bias, rows.shape(), backend_));
  matrix.fill(0.0);
}

}  // namespace arbg::nn
