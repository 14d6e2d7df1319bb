#include "apps/runs/run_folder.h"

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

namespace arbg::apps {
namespace {

std::string run_of_json(const std::filesystem::path& path) {
  const Json run = Json::parse(read_file(path), path.string());
  if (run.has("settings")) return "arbg md";
  const bool samples =
      run.has("kind") && run.at("kind").is_string() && run.at("kind").string() == "samples";
  return samples ? "arbg sample" : "another program";
}

}  // namespace

std::string run_in(const std::filesystem::path& folder) {
  const auto has = [&](const char* file) { return std::filesystem::exists(folder / file); };
  if (has("run.json")) return run_of_json(folder / "run.json");
  if (has("rounds.jsonl") || has("warm-up.safetensors")) return "arbg refine";
  if (has("checkpoint.safetensors") || has("train_log.jsonl")) return "arbg train";
  if (has("log_q.npy")) return "arbg sample";  // stopped before its run.json
  if (has("energy_terms.npy")) return "arbg energy";
  if (!has("evaluation.json")) return "";
  return has("md/run.json") && has("samples/run.json") ? "arbg demo" : "arbg evaluate";
}

RunFolder::RunFolder(const std::filesystem::path& folder, const std::string& command,
                     std::vector<std::string> runs)
    : lock_(folder, command) {
  if (runs.empty()) runs = {command};
  const std::string found = run_in(folder);
  require(found.empty() || std::ranges::find(runs, found) != runs.end(), folder.string(),
          " holds a run of ", found, "; choose another --output");
  remove_temporaries(folder);
}

}  // namespace arbg::apps
