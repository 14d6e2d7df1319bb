// run.json of a run of dynamics: what it was asked for, how far it is, and what was found in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "md/dynamics/simulation.h"
#include "tensor/base/json.h"

namespace arbg::md {

struct SimulationFile {
  SimulationOptions options;  // the settings and steps
  std::int64_t atoms = 0;
  std::vector<std::string> unknown;  // settings of another version: the run does not go on here
  std::vector<double> ladder_kelvin, swap_acceptance;
  std::optional<double> turn_acceptance;
  std::int64_t step = 0, frames = 0;  // so far, with scramble and warm-up
  Json convergence;                   // as it was judged, once complete; null before

  bool complete() const { return step == options.steps_before_saves() + options.steps; }
};

// Whether a run.json is of dynamics at all.
bool is_of_simulation(const Json& run);

// Throws Error naming the file and what it lacks.
SimulationFile read_simulation_file(const std::filesystem::path& folder);
void write_simulation_file(const std::filesystem::path& folder, const SimulationFile& file);

// Everything that changes the numbers of a run, but for its length, must agree for it to go on:
// throws Error naming all that does not.
void require_same_settings(const std::filesystem::path& folder, const SimulationFile& there,
                           const SimulationFile& here);

}  // namespace arbg::md
