#include "nn/checkpoint.h"

#include <string_view>

#include "nn/safetensors.h"
#include "tensor/base/error.h"

namespace arbg::nn {
namespace {

constexpr std::string_view kAveraged = "ema.", kFirstMoment = "adamw.m.",
                           kSecondMoment = "adamw.v.";
constexpr std::string_view kFormat = "arbg checkpoint 1";

void append(NamedTensors& all, std::string_view prefix, const NamedTensors& part) {
  for (const auto& [name, tensor] : part) all.emplace_back(std::string(prefix) + name, tensor);
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
  const std::string name = path.string();
  const auto file = Safetensors::read(path);
  Checkpoint checkpoint;
  const Json own_config = parse_metadata(file, "config", name);
  require(config || !own_config.is_null(), name,
          ": the file does not describe its network (no \"config\" in its metadata); give the "
          "config beside it");
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
  return checkpoint;
}

void Checkpoint::write(const std::filesystem::path& path) const {
  NamedTensors all = weights;
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
  Transformer network(config, backend, 0);
  network.load(averaged && !averaged_weights.empty() ? averaged_weights : weights);
  return network;
}

}  // namespace arbg::nn
