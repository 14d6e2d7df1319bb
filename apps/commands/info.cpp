// arbg info: what a checkpoint, run folder or array file contains.
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/model_file.h"
#include "nn/checkpoint.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{"info",
                        "what a checkpoint, run folder or array file contains",
                        "PATH",
                        {},
                        {"arbg info runs/ala2/checkpoint.safetensors", "arbg info runs/ala2-md",
                         "arbg info runs/ala2-md/positions.npy"},
                        {"seed", "threads", "backend"}};

Json describe_checkpoint(const std::filesystem::path& path) {
  const auto checkpoint = nn::Checkpoint::read(path, nn::Backend::cpu);
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
  out["averaged_weights"] = !checkpoint.averaged_weights.empty();
  out["tensors"] = std::move(tensors);
  for (const char* member : {"forcefield", "temperature_kelvin"}) {
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

Json describe_folder(const std::filesystem::path& path) {
  if (std::filesystem::exists(path / "run.json")) {
    return Json::parse(read_file(path / "run.json"), (path / "run.json").string());
  }
  require(std::filesystem::exists(path / "checkpoint.safetensors"), path.string(),
          ": expected a folder made by arbg md, train or sample (with run.json or "
          "checkpoint.safetensors)");
  return describe_checkpoint(path / "checkpoint.safetensors");
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
  if (std::filesystem::is_directory(path)) {
    out = describe_folder(path);
  } else if (path.extension() == ".npy") {
    out = describe_array(path);
  } else {
    out = describe_checkpoint(path);
  }
  if (common.json)
    std::puts(out.dump().c_str());
  else
    print_members(out, 0);
  return 0;
}

}  // namespace arbg::apps
