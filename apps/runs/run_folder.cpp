#include "apps/runs/run_folder.h"

#include <algorithm>
#include <array>
#include <string_view>

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

// walkers-R.npy, which arbg refine leaves after R rounds.
bool has_walkers(const std::filesystem::path& folder) {
  std::error_code unread;  // no folder: no walkers
  const std::filesystem::directory_iterator entries(folder, unread);
  return std::ranges::any_of(entries, [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    const std::string_view prefix = "walkers-", suffix = ".npy";
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) return false;
    return name.find_first_not_of("0123456789", prefix.size()) == name.size() - suffix.size();
  });
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
  if (has("train_log.jsonl")) return RunKind::train;
  if (has_walkers(folder)) return RunKind::refine;
  if (has("checkpoint.safetensors")) return RunKind::train;
  if (has("checkpoint.bin")) return RunKind::md;
  if (has("tokens.npy") || has("log_q.npy")) return RunKind::sample;  // stopped before its run.json
  if (has("energy_terms.npy")) return RunKind::energy;
  if (!has("evaluation.json")) return RunKind::none;
  return has("md/run.json") && has("samples/run.json") ? RunKind::demo : RunKind::evaluate;
}

namespace {

constexpr const char* kFresh = ".arbg.new";  // where files are made that stand together

// Files that a run of this kind replaces or removes, and leaves only beside others that tell whose
// run is there, wherever it is killed: in a folder of no run they are somebody's. (Others come too
// early for that: the topology.pdb of arbg md, the report.html of arbg evaluate.)
std::vector<const char*> replaced_by(RunKind kind) {
  constexpr std::array kArrays = {"positions.npy", "energy.npy", "forces.npy", "log_weight.npy"};
  std::vector<const char*> names;
  if (kind == RunKind::md || kind == RunKind::sample || kind == RunKind::energy)
    names.assign(kArrays.begin(), kArrays.end());
  if (kind != RunKind::energy && kind != RunKind::evaluate) names.push_back("report.html");
  if (kind == RunKind::train) names.push_back("best.safetensors");
  if (kind == RunKind::sample)
    names.insert(names.end(), {"topology.pdb", "tica.json", "view.html", "smc.html", "audit.json",
                               "audit.html"});
  return names;
}

void require_nothing_replaced(const std::filesystem::path& folder, RunKind kind) {
  for (const char* name : replaced_by(kind))
    require(!std::filesystem::exists(folder / name), folder.string(), " holds ", name, ", which ",
            name_of(kind),
            " would replace or remove, and does not say of which run; choose another --output");
}

}  // namespace

RunFolder::RunFolder(const std::filesystem::path& folder, RunKind kind,
                     std::vector<RunKind> goes_on, const Ranks& ranks)
    : folder_(folder.empty() ? "." : folder), ranks_(ranks) {
  if (ranks.is_first()) take(kind, std::move(goes_on));
  ranks.barrier();  // the others read what is there now
}

void RunFolder::take(RunKind kind, std::vector<RunKind> goes_on) {
  lock_.emplace(folder_, name_of(kind));
  if (goes_on.empty()) goes_on = {kind};
  const RunKind found = kind_of(folder_);
  require(found == RunKind::none || std::ranges::find(goes_on, found) != goes_on.end(),
          folder_.string(), " holds a run of ", name_of(found), "; choose another --output");
  if (found == RunKind::none) require_nothing_replaced(folder_, kind);
  remove_temporaries(folder_);
  std::error_code ignored;  // what is left is replaced later
  std::filesystem::remove_all(folder_ / kFresh, ignored);
}

std::string differences(const Json& there, const Json& here) {
  const auto text = [](const Json& json, const std::string& name) {
    return json.has(name) ? json.at(name).dump() : "the default";
  };
  std::string out;
  Json all = here;
  for (const auto& [name, value] : there.members()) all[name] = value;
  for (const auto& [name, ignored] : all.members()) {
    const std::string a = text(there, name), b = text(here, name);
    if (a == b) continue;
    constexpr std::size_t kLongest = 40;
    out += (out.empty() ? "" : ", ") + name;
    if (a.size() <= kLongest && b.size() <= kLongest)
      out += " is " + a + " there and " + b + " here";
    else
      out += " differs";
  }
  return out;
}

void replace_together(const FolderLock& lock, std::span<const char* const> names,
                      const std::function<void(const std::filesystem::path&)>& write) {
  namespace fs = std::filesystem;
  const fs::path folder = lock.folder(), fresh = folder / kFresh;
  std::error_code ignored;
  lock.require_held();
  fs::remove_all(fresh, ignored);
  try {
    create_folder(fresh);
    write(fresh);
    for (const char* name : names)
      require(!fs::is_directory(folder / name), (folder / name).string(),
              ": expected a file that may be replaced, found a folder");
    lock.require_held();
  } catch (...) {
    fs::remove_all(fresh, ignored);
    throw;
  }
  try {
    for (const char* name : names) fs::remove(folder / name);
    for (auto name = names.rbegin(); name != names.rend(); ++name)
      if (fs::exists(fresh / *name)) fs::rename(fresh / *name, folder / *name);
    fs::remove(fresh);
  } catch (const fs::filesystem_error& error) {
    fail("cannot replace ", error.path1().string(), ": ", error.code().message());
  }
}

}  // namespace arbg::apps
