#include "nn/transformer/transformer_config.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "tensor/base/error.h"
#include "tensor/base/nearest_name.h"

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

void check_size(const char* name, std::int64_t value, std::int64_t largest) {
  require(value >= 1 && value <= largest, "the network's ", name, " is ", value, ", expected 1 to ",
          largest);
}

// A member of the JSON and what is done with its value.
template <class Config>
struct Member {
  std::string_view name;
  void (*read)(Config& config, const Json& value);
  bool required = false;
};

// Throws Error for a member that is unknown, and for one that is required and not there. `whose`
// stands before "option" in messages.
template <class Config>
void read_members(Config& config, const Json& json, std::span<const Member<Config>> known,
                  const char* whose) {
  for (const auto& [key, value] : json.members()) {
    const auto member = std::ranges::find(known, key, &Member<Config>::name);
    if (member == known.end()) {
      std::vector<std::string_view> names;
      for (const auto& other : known) names.push_back(other.name);
      fail("unknown ", whose, " option \"", key, "\"", nearest_hint(key, names));
    }
    member->read(config, value);
  }
  for (const auto& member : known)
    require(!member.required || json.has(member.name), "the ", whose, " option \"", member.name,
            "\" is missing");
}

constexpr Member<ConditioningConfig> kConditioningMembers[] = {
    {"hidden_dim", [](auto& c, const Json& v) { c.hidden = v.integer(); }, true},
    {"output_dim", [](auto&, const Json&) {}},  // checked against the channels
    {"num_atom_emb", [](auto& c, const Json& v) { c.atom_types = v.integer(); }, true},
    {"num_residue_emb", [](auto& c, const Json& v) { c.residue_types = v.integer(); }, true},
    {"use_atom_pos_embed", [](auto& c, const Json& v) { c.atom_index = v.boolean(); }}};

void read_conditioning(TransformerConfig& config, const Json& json) {
  if (json.is_null()) return;
  read_members<ConditioningConfig>(config.conditioning.emplace(), json, kConditioningMembers,
                                   "conditioning");
}

// The energies are a part of the density: where they are computed in another way, the number is
// another, and what was drawn before belongs to an older program. (Closures of rings, which came
// later, are told to those networks alone whose checkpoints hold their constants. What differs by
// rounding, as between backends, is the same way.)
constexpr std::int64_t kPlacementVersion = 1;

void read_placement_version(PlacementConfig&, const Json& json) {
  require(json.integer() == kPlacementVersion, "placement energies of version ", json.dump(),
          " are not those of this program, which has version ", kPlacementVersion);
}

constexpr Member<PlacementConfig> kPlacementMembers[] = {
    {"version", read_placement_version, true},
    {"components", [](auto& c, const Json& v) { c.components = v.integer(); }, true},
    {"features", [](auto& c, const Json& v) { c.features = v.integer(); }, true}};

void read_placement(TransformerConfig& config, const Json& json) {
  if (json.is_null()) return;
  read_members<PlacementConfig>(config.placement.emplace(), json, kPlacementMembers, "placement");
}

void read_positions(TransformerConfig& config, const Json& json) {
  const auto& kind = json.string();
  require(kind == "sinusoidal" || kind == "learned", "the network option \"pos_embed_type\": \"",
          kind, "\" is not supported (only \"sinusoidal\" and \"learned\")");
  config.learned_positions = kind == "learned";
}

void read_start_row(TransformerConfig& config, const Json& json) {
  const auto& row = json.string();
  require(row == "shared" || row == "own", "expected \"shared\" or \"own\" for start_row, found \"",
          row, "\"");
  config.own_start_row = row == "own";
}

void read_head_dim(TransformerConfig& config, const Json& json) {
  if (json.is_null()) return;  // C / H
  config.head_dim = json.integer();
  check_size("head_dim", config.head_dim, 1 << 16);
}

void read_coordinate_embedding(TransformerConfig&, const Json& json) {
  require(json.dump() == "\"embedding\"",
          "the network option \"coordinate_embedding_type\": ", json.dump(),
          " is not supported (only \"embedding\")");
}

constexpr Member<TransformerConfig> kMembers[] = {
    {"num_bins", [](auto& c, const Json& v) { c.num_bins = v.integer(); }, true},
    {"channels", [](auto& c, const Json& v) { c.channels = v.integer(); }, true},
    {"num_layers", [](auto& c, const Json& v) { c.num_layers = v.integer(); }, true},
    {"num_heads", [](auto& c, const Json& v) { c.num_heads = v.integer(); }, true},
    {"head_dim", read_head_dim},
    {"expansion", [](auto& c, const Json& v) { c.expansion = v.integer(); }},
    {"input_dim", [](auto& c, const Json& v) { c.num_dims = v.integer(); }},
    {"num_atoms", [](auto& c, const Json& v) { c.num_atoms = v.integer(); }, true},
    {"dim_index", [](auto& c, const Json& v) { c.dim_index = to_indices(v); }},
    {"atom_index", [](auto& c, const Json& v) { c.atom_index = to_indices(v); }},
    {"pos_embed_type", read_positions},
    {"coordinate_embedding_type", read_coordinate_embedding},
    {"start_row", read_start_row},
    {"output_bias", [](auto& c, const Json& v) { c.output_bias = v.boolean(); }},
    {"bin_features", [](auto& c, const Json& v) { c.bin_features = v.boolean(); }},
    {"placement", read_placement},
    {"use_swiglu", [](auto& c, const Json& v) { c.swiglu = v.boolean(); }},
    {"use_rms_norm", [](auto& c, const Json& v) { c.rms_norm = v.boolean(); }},
    {"use_input_norm", [](auto& c, const Json& v) { c.input_norm = v.boolean(); }},
    {"zero_init_output", [](auto& c, const Json& v) { c.zero_output = v.boolean(); }},
    {"dropout", [](auto& c, const Json& v) { c.dropout = v.number(); }},
    {"add_cond_to_input", [](auto& c, const Json& v) { c.add_cond_to_input = v.boolean(); }},
    {"use_global_cond", [](auto& c, const Json& v) { c.global_cond = v.boolean(); }},
    {"use_cross_attention", [](auto& c, const Json& v) { c.cross_attention = v.boolean(); }},
    {"cross_attention_qk_norm", [](auto& c, const Json& v) { c.cross_head_norm = v.boolean(); }},
    {"cross_attention_gate", [](auto& c, const Json& v) { c.cross_gate = v.boolean(); }},
    {"conditioning", read_conditioning}};

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

// A layer keeps what its backward needs: two norms, two sums and the output of the attention, q, k
// and v, and the gate, the other half and the product of the feed-forward part; at the end stand
// logits, their gradient, and one more for what works on them.
double TransformerConfig::training_bytes_a_molecule() const {
  const double C = static_cast<double>(channels), F = static_cast<double>(hidden()),
               W = static_cast<double>(attention_width());
  const double layer = 5 * C + 4 * W + 3 * F;
  const double position =
      static_cast<double>(num_layers) * layer + 3 * static_cast<double>(num_bins);
  return static_cast<double>(sizeof(float)) * position * static_cast<double>(length());
}

double TransformerConfig::flops_per_token() const {
  const double C = static_cast<double>(channels), F = static_cast<double>(hidden()),
               W = static_cast<double>(attention_width());
  const double keys = static_cast<double>(length() + 1) / 2;
  const auto look_at_atoms = [&](double width) {
    return 2 * 2 * C * width + 4 * width * static_cast<double>(num_atoms);
  };
  const double layer = 2 * (4 * C * W + (swiglu ? 3 : 2) * C * F) + 4 * W * keys +
                       (cross_attention ? look_at_atoms(W) : 0.0);
  return static_cast<double>(num_layers) * layer + (global_cond ? look_at_atoms(C) : 0.0) +
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
  check_size("head_dim", head_size(), 1 << 16);
  require(channels % num_heads == 0 || (head_dim > 0 && !global_cond), "num_heads ", num_heads,
          " does not divide channels ", channels,
          head_dim > 0 ? ", as the heads of use_global_cond need" : "");
  require(learned_positions || channels % 2 == 0,
          "sinusoidal positions need an even number of channels, not ", channels);
  require(dim_index.size() == atom_index.size(), "dim_index has ", dim_index.size(),
          " entries, atom_index ", atom_index.size());
  check_indices("dim_index", dim_index, num_dims);
  check_indices("atom_index", atom_index, num_atoms);
  if (placement) {
    check_size("placement components", placement->components, 64);
    check_size("placement features + 1", placement->features + 1, 4096);
  }
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
  if (attention_width() != channels) json["head_dim"] = head_dim;
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
  if (placement) {
    Json& part = json["placement"] = Json::object();
    part["version"] = kPlacementVersion;
    part["components"] = placement->components;
    part["features"] = placement->features;
  }
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
// Such a file may say more, but no option of the network beside "network".
Json flat(const Json& json) {
  if (!json.has("network")) return json;
  Json all = json.at("network");
  for (const auto& [key, value] : json.members()) {
    const bool known =
        std::ranges::find(kMembers, key, &Member<TransformerConfig>::name) != std::end(kMembers);
    require(!known || key == "conditioning" || key == "num_atoms", "the network option \"", key,
            "\" stands beside \"network\"; put it inside");
  }
  for (const char* key : {"conditioning", "num_atoms"}) {
    if (json.has(key)) all[key] = json.at(key);
  }
  return all;
}

void check_redundant_members(const Json& json, const TransformerConfig& config) {
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
    read_members<TransformerConfig>(config, json, kMembers, "network");
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
