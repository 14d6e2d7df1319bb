#include "apps/runs/refine_folder.h"

#include "apps/runs/refine_log.h"
#include "nn/files/safetensors.h"
#include "tensor/base/error.h"
#include "tensor/base/json_file.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

void require_shape(const std::filesystem::path& path, const std::vector<std::int64_t>& shape,
                   const sampling::Refinement& refinement) {
  const std::vector<std::int64_t> expected = {refinement.options().walkers,
                                              refinement.coordinates()};
  require(shape == expected, path.string(), ": expected walkers of shape ",
          Json(Json::List(expected.begin(), expected.end())).dump(), ", found ",
          Json(Json::List(shape.begin(), shape.end())).dump());
}

Json settings_in(const Json& state, const std::filesystem::path& path) {
  return located(path.string(), [&] {
    return member(state, "settings", [](const Json& settings) { return Json(settings.members()); });
  });
}

}  // namespace

void RefineFolder::require_same_settings(const Json& there) const {
  const std::string different = differences(there, settings_);
  require(different.empty(), "cannot go on in ", folder_.string(),
          ", a run with other settings: ", different, "; choose another --output");
}

std::filesystem::path RefineFolder::settings_path() const {
  return std::filesystem::exists(checkpoint_path()) ? checkpoint_path() : warm_up_path();
}

std::optional<Json> RefineFolder::settings_there() const {
  if (std::filesystem::exists(checkpoint_path())) {
    const auto saved = nn::Checkpoint::read(checkpoint_path(), nn::Backend::cpu);
    if (!saved.description.is_object() || !saved.description.has("refine")) return {};
    return settings_in(saved.description.at("refine"), checkpoint_path());
  }
  if (!std::filesystem::exists(warm_up_path())) return {};
  return settings_in(warm_up_state(), warm_up_path());
}

std::optional<nn::Checkpoint> RefineFolder::read_checkpoint(nn::Backend backend) const {
  if (!std::filesystem::exists(checkpoint_path())) {
    const bool warming = std::filesystem::exists(warm_up_path());
    warming ? require_same_settings(settings_in(warm_up_state(), warm_up_path()))
            : require_no_rounds();
    return {};
  }
  auto saved = nn::Checkpoint::read(checkpoint_path(), backend);
  require(saved.description.is_object() && saved.description.has("refine"), folder_.string(),
          " holds a model that is not of arbg refine; choose another --output");
  require_same_settings(settings_in(saved.description.at("refine"), checkpoint_path()));
  return saved;
}

// The first checkpoint comes after the first walkers and log, the end of the warm-up's file after
// it: where neither is, rounds are not to be started over.
void RefineFolder::require_no_rounds() const {
  if (!std::filesystem::exists(folder_)) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    require(entry.path() != log_path() && !name.starts_with("walkers-"), checkpoint_path().string(),
            " is missing beside ", name, ": bring it back or choose another --output");
  }
}

// What the checkpoint and the log beside it say.
sampling::RefinementState RefineFolder::state_of(const nn::Checkpoint& checkpoint) const {
  sampling::RefinementState out;
  const std::string where = checkpoint_path().string();
  const std::int64_t rounds = located(where, [&] {
    const Json& state = checkpoint.description.at("refine");
    out.energies = member(state, "energies", &Json::integer);
    out.eps = member(state, "eps", &Json::number);
    return member(state, "rounds", &Json::integer);
  });
  require(rounds >= 1, where, ": expected at least one round, found ", rounds);
  const std::int64_t step =
      located(where, [&] { return member(checkpoint.trainer, "step", &Json::integer); });
  const std::int64_t steps = settings_.at("steps").integer();
  require(step % steps == 0 && step / steps == rounds, where, ": expected ", steps,
          " steps of training in each of ", rounds, " rounds, found ", step, " steps");
  require(std::filesystem::exists(log_path()), log_path().string(),
          " is missing, and the checkpoint beside it is of ", rounds,
          " rounds: bring it back or choose another --output");
  out.history = read_refine_log(log_path(), rounds);
  require(std::ssize(out.history) == rounds, log_path().string(), " has ", out.history.size(),
          " rounds, the checkpoint beside it ", rounds);
  require(out.history.back().energies == out.energies, where, ": expected ",
          out.history.back().energies, " energies, as ", log_path().filename().string(),
          " says of round ", rounds - 1, ", found ", out.energies);
  out.seconds = out.history.back().seconds;
  return out;
}

void RefineFolder::resume(sampling::Refinement& refinement,
                          const nn::Checkpoint& checkpoint) const {
  auto state = state_of(checkpoint);
  const std::int64_t rounds = std::ssize(state.history);
  auto walkers = read_npy(walkers_path(rounds));
  require_shape(walkers_path(rounds), walkers.shape, refinement);
  state.walkers = std::move(walkers.data);
  located(walkers_path(rounds).string() + " and " + checkpoint_path().filename().string(),
          [&] { refinement.resume(state, checkpoint); });
  clear_up(rounds);
}

Json RefineFolder::warm_up_state() const {
  const auto file = nn::Safetensors::read(warm_up_path());
  const std::string* text = file.metadata("warm_up");
  require(text != nullptr, warm_up_path().string(),
          " is not of arbg refine; choose another --output");
  return Json::parse(*text, warm_up_path().string());
}

bool RefineFolder::resume_warm_up(sampling::Refinement& refinement) const {
  if (!std::filesystem::exists(warm_up_path())) return false;
  const auto file = nn::Safetensors::read(warm_up_path());
  require_shape(warm_up_path(), file.entry("walkers").shape, refinement);
  located(warm_up_path().string(), [&] {
    const Json json = warm_up_state();
    sampling::RefinementState state;
    state.warm_up_moves = member(json, "moves_done", &Json::integer);
    const std::int64_t all = refinement.options().warm_up;
    require(state.warm_up_moves >= 0 && state.warm_up_moves <= all, "expected from 0 to ", all,
            " moves done, found ", state.warm_up_moves);
    state.seconds = member(json, "seconds", &Json::number);
    state.eps = member(json, "eps", &Json::number);
    state.walkers = file.values("walkers");
    refinement.resume_warm_up(state);
  });
  return true;
}

void RefineFolder::save_warm_up(const sampling::Refinement& refinement) const {
  if (!lock_.ranks().is_first()) return;
  lock_.require_ours();
  const auto now = refinement.state();
  Json state = Json::object();
  state["settings"] = settings_;
  state["moves_done"] = now.warm_up_moves;
  state["eps"] = now.eps;
  state["seconds"] = now.seconds;
  const auto walkers = tensor::Tensor::from_values(
      now.walkers, {refinement.options().walkers, refinement.coordinates()},
      nn::Backend::reference);  // as double
  nn::write_safetensors(warm_up_path(), {{"walkers", walkers}}, {{"warm_up", state.dump()}});
}

// The checkpoint comes last but for clearing up: it says which rounds are complete.
void RefineFolder::save(const sampling::Refinement& refinement) const {
  if (!lock_.ranks().is_first()) return;
  lock_.require_ours();
  const auto now = refinement.state();
  const std::int64_t rounds = std::ssize(now.history),
                     shape[] = {refinement.options().walkers, refinement.coordinates()};
  write_npy(walkers_path(rounds), shape, std::span<const double>(now.walkers));
  write_refine_log(log_path(), now.history);
  nn::Checkpoint checkpoint = refinement.checkpoint();
  Json state = Json::object();
  state["settings"] = settings_;
  state["rounds"] = rounds;
  state["energies"] = now.energies;
  state["eps"] = now.eps;
  checkpoint.description["refine"] = std::move(state);
  checkpoint.write(checkpoint_path());
  clear_up(rounds);
}

// What this call, or one that was killed, left of other rounds.
void RefineFolder::clear_up(std::int64_t rounds) const {
  if (!lock_.ranks().is_first()) return;
  for (const auto old : {rounds - 1, rounds - 2}) std::filesystem::remove(walkers_path(old));
  std::filesystem::remove(warm_up_path());
}

}  // namespace arbg::apps
