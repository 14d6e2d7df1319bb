#include "nn/files/checkpoint.h"

#include <string_view>
#include <utility>

#include "nn/files/parameter_names.h"
#include "nn/files/safetensors.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::nn {
namespace {

constexpr std::string_view kAveraged = "ema.", kFirstMoment = "adamw.m.",
                           kSecondMoment = "adamw.v.";
constexpr std::string_view kFormat = "arbg checkpoint 1";

void append(NamedTensors& all, std::string_view prefix, const NamedTensors& part) {
  for (const auto& [name, tensor] : part)
    all.emplace_back(std::string(prefix) + name, shaped_for_file(name, tensor));
}

// The list that a tensor of the file belongs to; takes the prefix off its name.
NamedTensors& sort_in(Checkpoint& checkpoint, std::string& name) {
  for (const auto& [prefix, list] : {std::pair{kAveraged, &checkpoint.averaged_weights},
                                     std::pair{kFirstMoment, &checkpoint.first_moments},
                                     std::pair{kSecondMoment, &checkpoint.second_moments}}) {
    if (!name.starts_with(prefix)) continue;
    name.erase(0, prefix.size());
    return *list;
  }
  return checkpoint.weights;
}

Json parse_metadata(const Safetensors& file, std::string_view key, const std::string& name) {
  const std::string* text = file.metadata(key);
  return text == nullptr ? Json()
                         : Json::parse(*text, name + " (metadata \"" + std::string(key) + "\")");
}

}  // namespace

Checkpoint Checkpoint::read(const std::filesystem::path& path, Backend backend,
                            const std::optional<TransformerConfig>& config) {
  return from(Safetensors::read(path), path.string(), backend, config);
}

Checkpoint Checkpoint::parse(std::string bytes, const std::string& name, Backend backend,
                             const std::optional<TransformerConfig>& config) {
  return from(Safetensors::parse(std::move(bytes), name), name, backend, config);
}

Checkpoint Checkpoint::from(const Safetensors& file, const std::string& name, Backend backend,
                            const std::optional<TransformerConfig>& config) {
  Checkpoint checkpoint;
  const Json own_config = parse_metadata(file, "config", name);
  require(
      config || !own_config.is_null(), name,
      ": the file does not describe its network (no \"config\" in its metadata); give that with "
      "--config, where the command has it, or take a checkpoint of arbg train");
  checkpoint.config = config ? *config : TransformerConfig::from_json(own_config, name);
  if (const Json bins = parse_metadata(file, "bins", name); !bins.is_null()) {
    try {
      checkpoint.bins = CoordinateBins::from_json(bins);
    } catch (const Error& error) {
      fail(name, ": bins: ", error.what());
    }
  }
  if (Json description = parse_metadata(file, "description", name); !description.is_null()) {
    checkpoint.description = std::move(description);
  }
  checkpoint.trainer = parse_metadata(file, "trainer", name);
  for (const auto& entry : file.entries()) {
    std::string own_name = entry.name;
    NamedTensors& list = sort_in(checkpoint, own_name);
    list.emplace_back(own_name, file.tensor(entry.name, backend));
  }
  try {
    for (auto* list : {&checkpoint.weights, &checkpoint.averaged_weights, &checkpoint.first_moments,
                       &checkpoint.second_moments})
      take_file_names(*list, checkpoint.config);
  } catch (const Error& error) {
    fail(name, ": ", error.what());
  }
  return checkpoint;
}

void Checkpoint::write(const std::filesystem::path& path) const {
  NamedTensors all;
  append(all, "", weights);
  append(all, kAveraged, averaged_weights);
  append(all, kFirstMoment, first_moments);
  append(all, kSecondMoment, second_moments);
  std::vector<std::pair<std::string, std::string>> metadata{{"format", "pt"},
                                                            {"written_as", std::string(kFormat)},
                                                            {"config", config.to_json().dump()},
                                                            {"description", description.dump()}};
  if (bins) metadata.emplace_back("bins", bins->to_json().dump());
  if (!trainer.is_null()) metadata.emplace_back("trainer", trainer.dump());
  write_safetensors(path, all, metadata);
}

Transformer Checkpoint::network(Backend backend, bool averaged) const {
  const NamedTensors& values = averaged && !averaged_weights.empty() ? averaged_weights : weights;
  // A forged config must not ask for memory that the file could never fill.
  double stored = 0;
  for (const auto& [name, tensor] : values) stored += static_cast<double>(tensor.elements());
  const auto c = static_cast<double>(config.channels);
  const double tables = static_cast<double>(config.token_rows() + config.num_atoms) * c;
  const double attention =
      4 * c * static_cast<double>(config.attention_width() * config.num_layers);
  require(tables + attention <= stored, "the config describes a network of more than ",
          tables + attention, " numbers, the weights are ", stored);
  return Transformer(config, backend, values);
}

}  // namespace arbg::nn
