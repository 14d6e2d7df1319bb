// A run folder of the backend cuda.
#include <doctest/doctest.h>
#include <unistd.h>

#include "md/dynamics/simulation.h"
#include "tensor/base/files.h"
#include "tests/backends.h"
#include "tests/md/dynamics_testing.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;

  explicit Folder(const std::string& name)
      : path(fs::temp_directory_path() / ("arbg-cuda-" + name + "-" + std::to_string(::getpid()))) {
  }
  ~Folder() { fs::remove_all(path); }

  void run(Backend backend, std::int64_t steps) const {
    SimulationOptions options;
    options.sequence = "Ace-A-Nme";
    options.forcefield = "amber99sbildn-obc2";
    options.top_temperature_kelvin = 400;
    options.ladder = 2;
    options.replicas = 2;
    options.warmup_steps = 20;
    options.steps = steps;
    options.save_interval = 10;
    options.swap_interval = 5;
    options.checkpoint_interval = 1;
    options.backend = backend;
    run_simulation(path, Topology::from_sequence("Ace-A-Nme"), alanine_dipeptide(), options,
                   alanine_positions());
  }
};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a run that goes on ends like one that never stopped, and no other backend goes on") {
    if (!is_here(Backend::cuda)) return;
    const Folder whole("whole"), stopped("stopped");
    whole.run(Backend::cuda, 60);
    stopped.run(Backend::cuda, 30);
    stopped.run(Backend::cuda, 60);
    for (const char* name :
         {"topology.pdb", "positions.npy", "energy.npy", "run.json", "checkpoint.bin"}) {
      CAPTURE(std::string(name));
      CHECK((read_file(whole.path / name) == read_file(stopped.path / name)));
    }
    CHECK(error_message([&] { whole.run(Backend::cpu, 70); }).find("backend is \"cuda\" there") !=
          std::string::npos);
  }
}

}  // namespace arbg::md
