// arbg info: what a checkpoint, run folder or array file contains.
#include <cstdio>
#include <optional>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/runs/model_file.h"
#include "nn/files/checkpoint.h"
#include "nn/files/safetensors.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tensor/base/npz.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "info",
    "what a checkpoint, run folder or array file contains",
    "PATH",
    {{"config", "FILE", "", "JSON: the network, for weights that do not describe it themselves"}},
    {"arbg info runs/ala2/checkpoint.safetensors", "arbg info runs/ala2-md",
     "arbg info runs/ala2-md/positions.npy"},
    {"seed", "threads", "backend"}};

// Bytes in float32. weights: 4 P. activations_per_sample, of a forward pass without gradients:
// 4 T (4 C + 4 H D + 3 F + V) for h, its norm, a branch and their sum, q k v and what attention
// makes of them, the hidden layer and the logits; conditioned networks 4 C (2 T + 3 N) more.
// cache_per_sample, of a sequence that is being generated: 8 L T H D for keys and values.
Json describe_memory(const nn::TransformerConfig& config, std::int64_t parameters) {
  constexpr std::int64_t kBytes = 4;
  const std::int64_t C = config.channels, width = config.attention_width();
  Json out = Json::object();
  out["weights_bytes"] = kBytes * parameters;
  out["activations_bytes_per_sample"] =
      kBytes * (config.length() * (4 * C + 4 * width + 3 * config.hidden() + config.num_bins) +
                (config.conditioning ? C * (2 * config.length() + 3 * config.num_atoms) : 0));
  out["cache_bytes_per_sample"] = 2 * kBytes * config.num_layers * config.length() * width;
  return out;
}

// A file with weights alone: what there is in it.
Json describe_tensors(const std::filesystem::path& path) {
  const auto file = nn::Safetensors::read(path);
  Json out = Json::object(), tensors = Json::object();
  std::int64_t numbers = 0;
  for (const auto& entry : file.entries()) {
    std::int64_t count = 1;
    Json shape = Json::list();
    for (const auto extent : entry.shape) {
      count *= extent;
      shape.push_back(extent);
    }
    numbers += count;
    tensors[entry.name] = entry.dtype + " " + shape.dump();
  }
  out["kind"] = "weights without a description of their network (give it with --config)";
  out["numbers"] = numbers;
  out["file_bytes"] = static_cast<std::int64_t>(std::filesystem::file_size(path));
  out["tensors"] = std::move(tensors);
  return out;
}

Json describe_checkpoint(const std::filesystem::path& path, const std::string& config_path) {
  std::optional<nn::TransformerConfig> config;
  if (!config_path.empty()) {
    config = nn::TransformerConfig::from_json(Json::parse(read_file(config_path), config_path),
                                              config_path);
  } else if (nn::Safetensors::read(path).metadata("config") == nullptr) {
    return describe_tensors(path);
  }
  const auto checkpoint = nn::Checkpoint::read(path, nn::Backend::cpu, config);
  try {
    checkpoint.network(nn::Backend::cpu, false);  // the config describes these weights
  } catch (const Error& error) {
    fail(path.string(), ": ", error.what());
  }
  Json out = Json::object();
  out["kind"] = "checkpoint";
  out["network"] = checkpoint.config.to_json();
  std::int64_t parameters = 0;
  Json tensors = Json::object();
  for (const auto& [name, tensor] : checkpoint.weights) {
    parameters += tensor.elements();
    tensors[name] = tensor.shape().text();
  }
  out["parameters"] = parameters;
  out["file_bytes"] = static_cast<std::int64_t>(std::filesystem::file_size(path));
  out["memory"] = describe_memory(checkpoint.config, parameters);
  out["flops_per_token"] = checkpoint.config.flops_per_token();
  out["averaged_weights"] = !checkpoint.averaged_weights.empty();
  out["tensors"] = std::move(tensors);
  for (const char* member : {"forcefield", "temperature_kelvin", "molecules", nn::kWithinBins,
                             "step", "held_out_nats_per_coordinate"}) {
    if (checkpoint.description.has(member)) out[member] = checkpoint.description.at(member);
  }
  if (checkpoint.bins) out["coordinates"] = checkpoint.bins->coordinates();
  if (!checkpoint.trainer.is_null()) out["trainer"] = checkpoint.trainer;
  return out;
}

Json describe_array(const std::filesystem::path& path) {
  const auto array = read_npy(path);
  Json out = Json::object();
  out["kind"] = "array";
  out["shape"] = Json(Json::List(array.shape.begin(), array.shape.end()));
  return out;
}

Json describe_arrays(const std::filesystem::path& path) {
  Json out = Json::object(), names = Json::list();
  for (const auto& name : npz_arrays(read_file(path), path)) names.push_back(name);
  out["kind"] = "arrays";
  out["arrays"] = std::move(names);
  return out;
}

Json describe_folder(const std::filesystem::path& path, const std::string& config) {
  if (std::filesystem::exists(path / "run.json")) {
    return Json::parse(read_file(path / "run.json"), (path / "run.json").string());
  }
  require(std::filesystem::exists(path / "checkpoint.safetensors"), path.string(),
          ": expected a folder made by arbg md, train or sample (with run.json or "
          "checkpoint.safetensors)");
  return describe_checkpoint(path / "checkpoint.safetensors", config);
}

// "name: value" lines, members of members indented; lists on one line.
void print_members(const Json& json, int indent) {
  for (const auto& [name, value] : json.members()) {
    const bool nested = value.is_object();
    std::printf("%*s%s:%s%s\n", indent, "", name.c_str(), nested ? "" : " ",
                nested ? "" : (value.is_string() ? value.string() : value.dump()).c_str());
    if (nested) print_members(value, indent + 2);
  }
}

}  // namespace

int info_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::filesystem::path path = arguments.positional();
  require(!path.empty(), "a PATH is needed; see arbg info --help");
  Json out;
  std::error_code not_there;  // which reading it says
  if (std::filesystem::is_directory(path, not_there)) {
    out = describe_folder(path, arguments.text("config"));
  } else if (path.extension() == ".npy") {
    out = describe_array(path);
  } else if (path.extension() == ".npz") {
    out = describe_arrays(path);
  } else {
    out = describe_checkpoint(path, arguments.text("config"));
  }
  if (common.json)
    std::puts(out.dump().c_str());
  else
    print_members(out, 0);
  return 0;
}

}  // namespace arbg::apps
