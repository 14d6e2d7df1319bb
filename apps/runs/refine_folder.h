// The folder of a refinement, saved so that the same call goes on from it bit for bit.
//
// topology.pdb, checkpoint.safetensors, rounds.jsonl (one JSON object a round), walkers-R.npy
// (coordinates [W, K] after R rounds), report.html; until the first round is saved
// warm-up.safetensors (walkers and settings) instead. Killed at any moment, it holds the last
// complete round, or the last moves of the warm-up.
// Of several ranks all read and the first alone writes.
#pragma once

#include <filesystem>
#include <optional>

#include "apps/runs/run_folder.h"
#include "nn/files/checkpoint.h"
#include "sampling/training/refinement.h"

namespace arbg::apps {

class RefineFolder {
 public:
  // `settings`: what a run must agree in to go on. `lock`, of the folder, must outlive this.
  RefineFolder(std::filesystem::path folder, Json settings, const RunFolder& lock)
      : folder_(std::move(folder)), settings_(std::move(settings)), lock_(lock) {}

  std::filesystem::path checkpoint_path() const { return folder_ / "checkpoint.safetensors"; }

  // The settings of the run that is there, if it has saved anything: no more than what it says. And
  // the file that has them, or will have.
  std::optional<Json> settings_there() const;
  std::filesystem::path settings_path() const;

  // The checkpoint of the last complete round, if there is one. This and the following throw Error
  // if the folder is of another run, or naming the file that is missing or not as a run leaves it.
  std::optional<nn::Checkpoint> read_checkpoint(nn::Backend backend) const;
  // Goes on from it and what belongs to it; removes what is of other rounds.
  void resume(sampling::Refinement& refinement, const nn::Checkpoint& checkpoint) const;
  // Goes on with a warm-up that an earlier call has begun; false if there is none.
  bool resume_warm_up(sampling::Refinement& refinement) const;

  // After a round. This and the next throw Error if the folder is no longer ours.
  void save(const sampling::Refinement& refinement) const;
  void save_warm_up(const sampling::Refinement& refinement) const;

 private:
  std::filesystem::path log_path() const { return folder_ / "rounds.jsonl"; }
  std::filesystem::path warm_up_path() const { return folder_ / "warm-up.safetensors"; }
  std::filesystem::path walkers_path(std::int64_t rounds) const {
    return folder_ / ("walkers-" + std::to_string(rounds) + ".npy");
  }
  void require_same_settings(const Json& there) const;
  void require_no_rounds() const;
  sampling::RefinementState state_of(const nn::Checkpoint& checkpoint) const;
  Json warm_up_state() const;
  void clear_up(std::int64_t rounds) const;

  std::filesystem::path folder_;
  Json settings_;
  const RunFolder& lock_;
};

}  // namespace arbg::apps
