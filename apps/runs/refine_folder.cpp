#include "apps/runs/refine_folder.h"

#include "apps/runs/refine_log.h"
#include "apps/runs/train_run.h"
#include "nn/files/safetensors.h"
#include "tensor/base/error.h"
#include "tensor/base/npy.h"

namespace arbg::apps {

void RefineFolder::require_same_settings(const Json& there) const {
  const std::string different = differences(there, settings_);
  require(different.empty(), "cannot go on in ", folder_.string(),
          ", a run with other settings: ", different, "; choose another --output");
}

std::optional<nn::Checkpoint> RefineFolder::read_checkpoint(nn::Backend backend) const {
  if (!std::filesystem::exists(checkpoint_path())) return {};
  auto saved = nn::Checkpoint::read(checkpoint_path(), backend);
  require(saved.description.is_object() && saved.description.has("refine"), folder_.string(),
          " holds a model that is not of arbg refine; choose another --output");
  require_same_settings(saved.description.at("refine").at("settings"));
  return saved;
}

sampling::RefinementState RefineFolder::read_state(const nn::Checkpoint& checkpoint) const {
  const Json& state = checkpoint.description.at("refine");
  const std::int64_t rounds = state.at("rounds").integer();
  sampling::RefinementState out;
  out.history = read_refine_log(log_path(), rounds);
  require(std::ssize(out.history) == rounds, log_path().string(), " has ", out.history.size(),
          " rounds, the checkpoint beside it ", rounds);
  out.energies = state.at("energies").integer();
  out.seconds = out.history.back().seconds;
  out.eps = state.at("eps").number();
  out.walkers = read_npy(walkers_path(rounds)).data;
  clear_up(rounds);
  return out;
}

std::optional<sampling::RefinementState> RefineFolder::read_warm_up() const {
  if (!std::filesystem::exists(warm_up_path())) return {};
  const auto file = nn::Safetensors::read(warm_up_path());
  const std::string* text = file.metadata("warm_up");
  require(text != nullptr, warm_up_path().string(),
          " is not of arbg refine; choose another --output");
  const Json state = Json::parse(*text, warm_up_path().string());
  require_same_settings(state.at("settings"));
  sampling::RefinementState out;
  out.warm_up_moves = state.at("moves_done").integer();
  out.seconds = state.at("seconds").number();
  out.eps = state.at("eps").number();
  out.walkers = file.values("walkers");
  return out;
}

void RefineFolder::save_warm_up(const sampling::Refinement& refinement) const {
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
  for (const auto old : {rounds - 1, rounds - 2}) std::filesystem::remove(walkers_path(old));
  std::filesystem::remove(warm_up_path());
}

}  // namespace arbg::apps
