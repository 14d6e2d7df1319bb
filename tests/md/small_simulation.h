// A small run of dynamics in a folder of its own, for the tests of run folders.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "md/dynamics/simulation.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"

namespace arbg::md {

struct Run {
  std::filesystem::path folder;
  Topology topology = Topology::from_sequence("Ace-A-Nme");
  System system = ForceField::named("amber99sbildn-obc2").create_system(topology);
  std::vector<double> start;
  SimulationOptions options;

  explicit Run(const std::string& name)
      : folder(std::filesystem::temp_directory_path() /
               ("arbg-simulation-" + std::to_string(::getpid())) / name) {
    const auto all =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    start.assign(all.begin(), all.begin() + 66);
    options.sequence = "Ace-A-Nme";
    options.forcefield = "amber99sbildn-obc2";
    options.top_temperature_kelvin = 500;
    options.ladder = 3;
    options.replicas = 2;
    options.warmup_steps = 130;
    options.steps = 1200;
    options.save_interval = 40;
    options.swap_interval = 25;
    options.turn_interval = 35;
    options.checkpoint_interval = 4;
  }
  ~Run() {
    std::error_code not_empty;
    std::filesystem::remove_all(folder);
    std::filesystem::remove(folder.parent_path(), not_empty);
  }

  SimulationResult go(const std::function<void(std::int64_t, std::int64_t)>& progress = {},
                      const Ranks& ranks = Ranks::alone()) const {
    return run_simulation(folder, topology, system, options, start, progress, ranks);
  }
};

inline void check_same_files(const Run& a, const Run& b) {
  for (const char* name :
       {"topology.pdb", "positions.npy", "energy.npy", "run.json", "checkpoint.bin"}) {
    CAPTURE(std::string(name));
    CHECK((read_file(a.folder / name) == read_file(b.folder / name)));
  }
}

}  // namespace arbg::md
