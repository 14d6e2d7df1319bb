#include "nn/transformer_config.h"

#include <algorithm>
#include <string_view>

#include "tensor/base/error.h"

namespace arbg::nn {
namespace {

Json to_json_list(const std::vector<std::int32_t>& values) {
  Json list = Json::list();
  for (const auto value : values) list.push_back(value);
  return list;
}

std::vector<std::int32_t> to_indices(const Json& list) {
  std::vector<std::int32_t> indices;
  for (const auto& item : list.items()) {
    const auto value = item.integer();
    require(value >= 0 && value < 1'000'000, "expected an index, found ", value);
    indices.push_back(static_cast<std::int32_t>(value));
  }
  return indices;
}

ConditioningConfig read_conditioning(const Json& json) {
  ConditioningConfig config;
  for (const auto& [key, value] : json.members()) {
    if (key == "hidden_dim") {
      config.hidden = value.integer();
    } else if (key == "num_atom_emb") {
      config.atom_types = value.integer();
    } else if (key == "num_residue_emb") {
      config.residue_types = value.integer();
    } else if (key == "use_atom_pos_embed") {
      config.atom_index = value.boolean();
    } else {  // output_dim is checked against the channels by the caller
      require(key == "output_dim", "unknown option \"", key, "\" of the conditioning");
    }
  }
  return config;
}

// Reads one member; false if the key is unknown.
bool read_member(TransformerConfig& config, const std::string& key, const Json& value) {
  if (key == "num_bins") return config.num_bins = value.integer(), true;
  if (key == "channels") return config.channels = value.integer(), true;
  if (key == "num_layers") return config.num_layers = value.integer(), true;
  if (key == "num_heads") return config.num_heads = value.integer(), true;
  if (key == "expansion") return config.expansion = value.integer(), true;
  if (key == "input_dim") return config.num_dims = value.integer(), true;
  if (key == "num_atoms") return config.num_atoms = value.integer(), true;
  if (key == "dim_index") return config.dim_index = to_indices(value), true;
  if (key == "atom_index") return config.atom_index = to_indices(value), true;
  if (key == "use_swiglu") return config.swiglu = value.boolean(), true;
  if (key == "use_rms_norm") return config.rms_norm = value.boolean(), true;
  if (key == "use_input_norm") return config.input_norm = value.boolean(), true;
  if (key == "zero_init_output") return config.zero_output = value.boolean(), true;
  if (key == "dropout") return config.dropout = value.number(), true;
  if (key == "add_cond_to_input") return config.add_cond_to_input = value.boolean(), true;
  if (key == "use_global_cond") return config.global_cond = value.boolean(), true;
  if (key == "use_cross_attention") return config.cross_attention = value.boolean(), true;
  if (key == "cross_attention_qk_norm") return config.cross_head_norm = value.boolean(), true;
  if (key == "cross_attention_gate") return config.cross_gate = value.boolean(), true;
  if (key == "conditioning") {
    if (!value.is_null()) config.conditioning = read_conditioning(value);
    return true;
  }
  if (key == "output_bias") return config.output_bias = value.boolean(), true;
  if (key == "bin_features") return config.bin_features = value.boolean(), true;
  if (key == "start_row") {
    const auto& row = value.string();
    require(row == "shared" || row == "own",
            "expected \"shared\" or \"own\" for start_row, found \"", row, "\"");
    return config.own_start_row = row == "own", true;
  }
  if (key == "pos_embed_type") {
    const auto& kind = value.string();
    require(kind == "sinusoidal" || kind == "learned", "the network option \"pos_embed_type\": \"",
            kind, "\" is not supported (only \"sinusoidal\" and \"learned\")");
    return config.learned_positions = kind == "learned", true;
  }
  if (key == "coordinate_embedding_type") {
    require(value.dump() == "\"embedding\"", "the network option \"", key, "\": ", value.dump(),
            " is not supported (only \"embedding\")");
    return true;
  }
  return key == "head_dim";  // checked against channels / num_heads by the caller
}

void check_size(const char* name, std::int64_t value, std::int64_t largest) {
  require(value >= 1 && value <= largest, "the network's ", name, " is ", value, ", expected 1 to ",
          largest);
}

void check_indices(const char* name, const std::vector<std::int32_t>& indices, std::int64_t count) {
  const auto outside =
      std::ranges::find_if(indices, [&](std::int32_t i) { return i < 0 || i >= count; });
  require(outside == indices.end(), "the network's ", name, " holds ",
          outside == indices.end() ? 0 : *outside, ", expected 0 to ", count - 1);
}

}  // namespace

void TransformerConfig::set_cartesian(std::int64_t atoms) {
  check_size("num_atoms", atoms, 1'000'000);
  num_atoms = atoms;
  num_dims = 3;
  dim_index.clear();
  atom_index.clear();
  for (std::int64_t j = 0; j < 3 * atoms; ++j) {
    dim_index.push_back(static_cast<std::int32_t>(j % 3));
    atom_index.push_back(static_cast<std::int32_t>(j / 3));
  }
}

double TransformerConfig::flops_per_token() const {
  const double C = static_cast<double>(channels), F = static_cast<double>(hidden());
  const double keys = static_cast<double>(length() + 1) / 2;
  const double look_at_atoms = 2 * 2 * C * C + 4 * C * static_cast<double>(num_atoms);
  const double layer = 2 * (4 * C * C + (swiglu ? 3 : 2) * C * F) + 4 * C * keys +
                       (cross_attention ? look_at_atoms : 0.0);
  return static_cast<double>(num_layers) * layer + (global_cond ? look_at_atoms : 0.0) +
         2 * C * static_cast<double>(num_bins);
}

void TransformerConfig::check() const {
  check_size("num_bins", num_bins, 1 << 24);
  check_size("channels", channels, 1 << 16);
  check_size("num_layers", num_layers, 1 << 12);
  check_size("num_heads", num_heads, channels);
  check_size("expansion", expansion, 64);
  check_size("num_dims", num_dims, 1'000'000);
  check_size("num_atoms", num_atoms, 1'000'000);
  check_size("length", length(), 3'000'000);
  require(channels % num_heads == 0, "num_heads ", num_heads, " does not divide channels ",
          channels);
  require(learned_positions || channels % 2 == 0,
          "sinusoidal positions need an even number of channels, not ", channels);
  require(dim_index.size() == atom_index.size(), "dim_index has ", dim_index.size(),
          " entries, atom_index ", atom_index.size());
  check_indices("dim_index", dim_index, num_dims);
  check_indices("atom_index", atom_index, num_atoms);
  require(dropout >= 0 && dropout < 1, "the network's dropout is ", dropout,
          ", expected 0 <= dropout < 1");
  require(conditioning || (!add_cond_to_input && !global_cond && !cross_attention),
          "add_cond_to_input, use_global_cond and use_cross_attention need the member "
          "\"conditioning\"");
  require(!conditioning || add_cond_to_input || global_cond || cross_attention,
          "the network has \"conditioning\" that nothing uses: set add_cond_to_input, "
          "use_global_cond or use_cross_attention");
  require(cross_attention || (!cross_head_norm && !cross_gate),
          "cross_attention_qk_norm and cross_attention_gate need use_cross_attention");
  if (!conditioning) return;
  check_size("conditioning hidden_dim", conditioning->hidden, 1 << 16);
  check_size("num_atom_emb", conditioning->atom_types, 1 << 20);
  check_size("num_residue_emb", conditioning->residue_types, 1 << 20);
  require(conditioning->hidden % 2 == 0, "sinusoids need an even hidden_dim, not ",
          conditioning->hidden);
}

Json TransformerConfig::to_json() const {
  Json json = Json::object();
  json["num_bins"] = num_bins;
  json["input_dim"] = num_dims;
  json["channels"] = channels;
  json["num_layers"] = num_layers;
  json["num_heads"] = num_heads;
  json["expansion"] = expansion;
  json["pos_embed_type"] = learned_positions ? "learned" : "sinusoidal";
  json["num_atoms"] = num_atoms;
  json["dim_index"] = to_json_list(dim_index);
  json["atom_index"] = to_json_list(atom_index);
  json["start_row"] = own_start_row ? "own" : "shared";
  json["output_bias"] = output_bias;
  json["bin_features"] = bin_features;
  // Only what differs from the defaults: a file of a plain network reads as before.
  if (!swiglu) json["use_swiglu"] = false;
  if (!rms_norm) json["use_rms_norm"] = false;
  if (input_norm) json["use_input_norm"] = true;
  if (zero_output) json["zero_init_output"] = true;
  if (dropout > 0) json["dropout"] = dropout;
  if (add_cond_to_input) json["add_cond_to_input"] = true;
  if (global_cond) json["use_global_cond"] = true;
  if (cross_attention) json["use_cross_attention"] = true;
  if (cross_head_norm) json["cross_attention_qk_norm"] = true;
  if (cross_gate) json["cross_attention_gate"] = true;
  if (conditioning) {
    Json& part = json["conditioning"] = Json::object();
    part["hidden_dim"] = conditioning->hidden;
    part["output_dim"] = channels;
    part["num_atom_emb"] = conditioning->atom_types;
    part["num_residue_emb"] = conditioning->residue_types;
    part["use_atom_pos_embed"] = conditioning->atom_index;
  }
  return json;
}

namespace {

// One list of members, also of a file {"network": {...}, "conditioning": {...}, "num_atoms": N}.
Json flat(const Json& json) {
  if (!json.has("network")) return json;
  Json all = json.at("network");
  for (const char* key : {"conditioning", "num_atoms"}) {
    if (json.has(key)) all[key] = json.at(key);
  }
  return all;
}

void check_redundant_members(const Json& json, const TransformerConfig& config) {
  if (json.has("head_dim")) {
    require(json.at("head_dim").integer() * config.num_heads == config.channels,
            "head_dim times num_heads is not ", config.channels,
            " (channels): such networks are not supported");
  }
  if (config.conditioning && json.at("conditioning").has("output_dim")) {
    require(json.at("conditioning").at("output_dim").integer() == config.channels,
            "the conditioning's output_dim is not ", config.channels, " (channels)");
  }
}

}  // namespace

TransformerConfig TransformerConfig::from_json(const Json& file, const std::string& name) {
  try {
    const Json json = flat(file);
    TransformerConfig config;
    for (const auto& [key, value] : json.members()) {
      require(read_member(config, key, value), "unknown network option \"", key, "\"");
    }
    if (!json.has("dim_index") && !json.has("atom_index")) {
      require(config.num_dims == 3, "input_dim ", config.num_dims,
              " needs dim_index and atom_index");
      config.set_cartesian(config.num_atoms);
    }
    config.check();
    check_redundant_members(json, config);
    return config;
  } catch (const Error& error) {
    fail(name, ": ", error.what());
  }
}

}  // namespace arbg::nn
