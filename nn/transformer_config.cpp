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

void refuse_unless(const Json& value, std::string_view expected, std::string_view key) {
  require(value.dump() == expected, "the network option \"", key, "\": ", value.dump(),
          " is not supported (only ", expected, ")");
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
  // Published options of which we have one value.
  if (key == "use_rms_norm" || key == "use_swiglu") return refuse_unless(value, "true", key), true;
  if (key == "coordinate_embedding_type") return refuse_unless(value, "\"embedding\"", key), true;
  if (key == "use_global_cond" || key == "add_cond_to_input" || key == "use_cross_attention") {
    return refuse_unless(value, "false", key), true;
  }
  if (key == "dropout") return refuse_unless(value, "0", key), true;
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
  return json;
}

TransformerConfig TransformerConfig::from_json(const Json& json, const std::string& name) {
  try {
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
    if (json.has("head_dim")) {
      require(json.at("head_dim").integer() * config.num_heads == config.channels,
              "head_dim times num_heads is not ", config.channels,
              " (channels): such networks are not supported");
    }
    return config;
  } catch (const Error& error) {
    fail(name, ": ", error.what());
  }
}

}  // namespace arbg::nn
