#include "apps/runs/run_folder.h"

#include <algorithm>

#include "apps/runs/samples_run.h"
#include "md/dynamics/simulation_file.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

namespace arbg::apps {
namespace {

RunKind kind_of_json(const std::filesystem::path& path) {
  const Json run = Json::parse(read_file(path), path.string());
  if (md::is_of_simulation(run)) return RunKind::md;
  return is_of_samples(run) ? RunKind::sample : RunKind::other;
}

}  // namespace

const char* name_of(RunKind kind) {
  switch (kind) {
    case RunKind::none:
      return "nobody";
    case RunKind::md:
      return "arbg md";
    case RunKind::train:
      return "arbg train";
    case RunKind::refine:
      return "arbg refine";
    case RunKind::sample:
      return "arbg sample";
    case RunKind::energy:
      return "arbg energy";
    case RunKind::evaluate:
      return "arbg evaluate";
    case RunKind::demo:
      return "arbg demo";
    case RunKind::other:
      break;
  }
  return "another program";
}

RunKind kind_of(const std::filesystem::path& folder) {
  const auto has = [&](const char* file) { return std::filesystem::exists(folder / file); };
  if (has("run.json")) return kind_of_json(folder / "run.json");
  if (has("rounds.jsonl") || has("warm-up.safetensors")) return RunKind::refine;
  if (has("checkpoint.safetensors") || has("train_log.jsonl")) return RunKind::train;
  if (has("tokens.npy") || has("log_q.npy")) return RunKind::sample;  // stopped before its run.json
  if (has("energy_terms.npy")) return RunKind::energy;
  if (!has("evaluation.json")) return RunKind::none;
  return has("md/run.json") && has("samples/run.json") ? RunKind::demo : RunKind::evaluate;
}

RunFolder::RunFolder(const std::filesystem::path& folder, RunKind kind,
                     std::vector<RunKind> goes_on)
    : folder_(folder), lock_(folder, name_of(kind)) {
  if (goes_on.empty()) goes_on = {kind};
  const RunKind found = kind_of(folder);
  require(found == RunKind::none || std::ranges::find(goes_on, found) != goes_on.end(),
          folder.string(), " holds a run of ", name_of(found), "; choose another --output");
  remove_temporaries(folder);
}

void RunFolder::write_together(std::span<const char* const> names,
                               const std::function<void()>& write) const {
  const auto remove_all = [&] {
    std::error_code ignored;  // what cannot be removed cannot be written either, which tells why
    for (const char* name : names) std::filesystem::remove(folder_ / name, ignored);
  };
  require_ours();
  remove_all();
  try {
    write();
  } catch (...) {
    if (lock_.is_held()) remove_all();
    throw;
  }
}

}  // namespace arbg::apps
