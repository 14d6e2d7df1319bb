// A resumable molecular dynamics run in a folder.
//
//   topology.pdb    the minimised start
//   positions.npy   float32 [frames, N, 3] nm; frame f is of independent replica f % replicas
//   energy.npy      float32 [frames], reduced energy in kT at the target temperature
//   run.json        settings, steps, frames, swap acceptance of neighbouring temperatures, and of
//                   turns of peptide bonds (md/dynamics/peptide_turns.h)
//   checkpoint.bin  a line of JSON (step, saves, swaps, turns), then float32 positions and
//                   velocities (reference backend: float64)
//
// All replicas begin as one minimised conformation. With scramble_steps each, at every temperature,
// forgets it before the warm-up (md/dynamics/scramble.h). During the hot start, the first fifth of
// the warm-up, every thermostat has the top temperature, so that they part; then each takes its
// own.
//
// A run that was killed at any moment goes on from its last checkpoint to the very numbers of an
// uninterrupted one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "md/molecule/system.h"
#include "md/molecule/topology.h"
#include "tensor/base/backend.h"
#include "tensor/base/ranks.h"

namespace arbg::md {

struct SimulationOptions {
  std::string sequence, forcefield;     // names, for run.json
  double temperature_kelvin = 300;      // the target: what is saved
  double top_temperature_kelvin = 300;  // of each ladder, and of the hot start
  int ladder = 1;                       // temperatures in a ladder; 1: plain dynamics, no swaps
  int replicas = 16;                    // ladders; replicas * ladder is best a multiple of 32
  double timestep_ps = 0.001;
  double friction_per_ps = 1.0;
  std::int64_t scramble_steps = 0;         // before the warm-up; 0: all begin alike
  double scramble_kelvin = 1200;           // of the scramble's hot part
  std::int64_t warmup_steps = 50000;       // nothing saved
  std::int64_t steps = 1000000;            // after the warm-up; may grow in the same folder
  std::int64_t save_interval = 1000;       // steps between saves; each save is one frame a replica
  std::int64_t swap_interval = 100;        // steps between sweeps of swaps
  std::int64_t turn_interval = 0;          // steps between tries to turn peptide bonds; 0: none
  std::int64_t checkpoint_interval = 100;  // saves between checkpoints
  double most_seconds = 0;  // of a call: complete with the first save after so long; 0: no limit
  std::uint64_t seed = 1;
  Backend backend = Backend::cpu;
  std::function<void()> before_writing;  // may throw, and nothing more is written

  std::int64_t steps_before_saves() const { return scramble_steps + warmup_steps; }
};

struct SimulationResult {
  std::int64_t frames = 0;  // saved, of all replicas together
  bool finished = false;    // false: arbg::interrupted() came first, and a checkpoint was written
  std::vector<double> swap_acceptance;    // [ladder - 1]
  std::optional<double> turn_acceptance;  // of peptide bonds, at all temperatures together
};

// Starts a run in `folder`, or goes on with the one there. Starting positions [N, 3] in nm are
// minimised first. progress(done, total) is called with steps, scramble and warm-up included.
// Throws Error if the folder holds a run of other settings (saying which differ), lacks one of the
// files above or holds one that cannot be of the same run (naming it), if options make no sense, or
// if a replica blows up.
//
// Several ranks do it together: they share the ladders, of which there must be one for each, and
// the first alone writes and has the result's swap acceptance.
SimulationResult run_simulation(
    const std::filesystem::path& folder, const Topology& topology, const System& system,
    const SimulationOptions& options, std::span<const double> start_nm,
    const std::function<void(std::int64_t, std::int64_t)>& progress = {},
    const Ranks& ranks = Ranks::alone());

}  // namespace arbg::md
