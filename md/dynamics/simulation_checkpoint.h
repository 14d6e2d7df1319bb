// checkpoint.bin of a run of dynamics: where it stands, and all that it needs to go on from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "md/dynamics/dynamics.h"
#include "md/dynamics/simulation.h"
#include "md/dynamics/simulation_file.h"

namespace arbg::md {

struct SimulationCheckpoint {
  DynamicsState state;
  std::int64_t saves = 0, sweeps = 0;
  std::vector<std::int64_t> swapped;        // [ladder - 1], over all ladders
  std::int64_t turn_tries = 0, turned = 0;  // of peptide bonds, over all replicas
};

void write_checkpoint(const std::filesystem::path& path, Backend backend,
                      const SimulationCheckpoint& checkpoint);

// Throws Error naming the file unless it holds so many positions, as many velocities, and a count
// of swaps for each pair of neighbouring temperatures.
SimulationCheckpoint read_checkpoint(const std::filesystem::path& path, Backend backend,
                                     std::size_t numbers, std::size_t neighbours);

// Throws Error unless it can be of the run whose run.json, `there`, is beside it.
void require_of_run(const std::filesystem::path& path, const SimulationCheckpoint& checkpoint,
                    const SimulationOptions& options, const SimulationFile& there);

}  // namespace arbg::md
