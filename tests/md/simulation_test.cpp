// A run folder: what is in it, and that interruptions leave no trace.
#include "md/dynamics/simulation.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <stdexcept>

#include "md/dynamics/dynamics.h"
#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/molecule/units.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"
#include "tests/md/error_message.h"
#include "tests/md/small_simulation.h"
#include "tests/tensor/thread_ranks.h"

namespace arbg::md {

TEST_SUITE("fast") {
  TEST_CASE("the folder holds the frames, their reduced energies and what was run") {
    const Run run("whole");
    const SimulationResult result = run.go();
    CHECK(result.finished);
    CHECK(result.frames == 60);
    REQUIRE(result.swap_acceptance.size() == 2);
    const Array<double> positions = read_npy(run.folder / "positions.npy"),
                        energy = read_npy(run.folder / "energy.npy");
    CHECK(positions.shape == std::vector<std::int64_t>{60, 22, 3});
    CHECK(energy.shape == std::vector<std::int64_t>{60});
    const EnergyResult exact =
        EnergyEngine(run.system, Backend::reference).evaluate(positions.data, false);
    for (std::size_t f = 0; f < 60; ++f) {
      CHECK(energy.data[f] ==
            doctest::Approx(exact.energy_kj_mol[f] / thermal_energy(300)).epsilon(1e-6));
    }
    const Json json = Json::parse(read_file(run.folder / "run.json"), "run.json");
    CHECK(json.at("settings").at("sequence").string() == "Ace-A-Nme");
    CHECK(json.at("frames").integer() == 60);
    CHECK(json.at("step").integer() == 1330);
    CHECK(json.at("ladder_kelvin").items().size() == 3);
    CHECK(read_pdb(run.folder / "topology.pdb").topology.atom_count() == 22);
  }

  TEST_CASE("out of time, a run is complete with the frames so far, and can be lengthened") {
    Run limited("limited"), whole("unlimited");
    limited.options.most_seconds = 1e-9;
    const SimulationResult result = limited.go();
    CHECK(result.finished);
    CHECK(result.frames == limited.options.replicas);
    const Json json = Json::parse(read_file(limited.folder / "run.json"), "run.json");
    CHECK(json.at("steps").integer() == limited.options.save_interval);
    CHECK(json.at("step").integer() ==
          limited.options.warmup_steps + limited.options.save_interval);
    CHECK(read_npy(limited.folder / "energy.npy").shape[0] == result.frames);
    limited.options.most_seconds = 0;
    limited.go();
    whole.go();
    check_same_files(limited, whole);
  }

  TEST_CASE("a plain run is Dynamics with frames of each replica in turn") {
    Run run("plain");
    run.options.ladder = 1;
    run.options.top_temperature_kelvin = 300;
    run.options.replicas = 3;
    run.go();
    std::vector<double> start = run.start;
    minimize(EnergyEngine(run.system), start);
    DynamicsOptions options;
    options.temperatures_kelvin.assign(3, 300);
    Dynamics dynamics(run.system, options, start);
    dynamics.run(130 + 40);
    const DynamicsState first = dynamics.state();
    const Array<double> frames = read_npy(run.folder / "positions.npy");
    REQUIRE(frames.shape[0] == 90);
    bool equal = true;
    for (std::size_t i = 0; i < 3 * 66; ++i) equal &= frames.data[i] == first.positions_nm[i];
    CHECK(equal);
  }

  TEST_CASE("replicas part during the hot start, and no swap counts before its end") {
    Run run("hot");
    run.options.ladder = 1;
    run.options.replicas = 4;
    run.options.top_temperature_kelvin = 600;
    run.go();
    std::vector<double> start = run.start;
    minimize(EnergyEngine(run.system), start);
    DynamicsOptions options;
    options.temperatures_kelvin.assign(4, 600);
    Dynamics dynamics(run.system, options, start);
    dynamics.run(26);  // a fifth of 130
    dynamics.set_temperatures(std::vector<double>(4, 300));
    dynamics.run(104 + 40);
    const DynamicsState first = dynamics.state();
    const Array<double> frames = read_npy(run.folder / "positions.npy");
    bool equal = true;
    for (std::size_t i = 0; i < 4 * 66; ++i) equal &= frames.data[i] == first.positions_nm[i];
    CHECK(equal);
  }

  TEST_CASE("a run that dies anywhere goes on to the files of one that did not") {
    const Run whole("undisturbed");
    whole.go();
    const Run broken("broken");
    for (const std::int64_t death :
         {20, 100, 250, 700, 701, 1300}) {  // in the hot start, before the first checkpoint, later
      const auto die = [&](std::int64_t done, std::int64_t) {
        if (done >= death) throw std::runtime_error("killed");
      };
      CHECK_THROWS_AS(broken.go(die), std::runtime_error);
    }
    CHECK(broken.go().finished);
    check_same_files(whole, broken);
  }

  TEST_CASE("a finished run may be made longer, and is then the long run") {
    Run longer("longer");
    longer.options.steps = 410;  // ends between two saves
    CHECK(longer.go().frames == 20);
    longer.options.steps = 1200;
    CHECK(longer.go().frames == 60);
    const Run whole("long");
    whole.go();
    check_same_files(whole, longer);
    longer.options.steps = 300;
    CHECK(error_message([&] { longer.go(); }).find("already holds 1330 steps") !=
          std::string::npos);
  }

  TEST_CASE("ranks share the ladders and leave the files of one, whoever goes on") {
    Run whole("one-rank");
    whole.options.replicas = 5;
    whole.go();
    for (const int count : {2, 3, 5}) {
      CAPTURE(count);
      Run parts("ranks");
      parts.options.replicas = 5;
      parts.options.steps = 600;
      const auto go_on = [&](const Ranks& ranks) {
        CHECK(error_message([&] { CHECK(parts.go({}, ranks).finished); }).empty());
      };
      on_ranks(count, go_on);
      parts.options.steps = whole.options.steps;
      on_ranks(6 - count, go_on);
      check_same_files(whole, parts);
    }
  }

  TEST_CASE("ranks without a replica are refused") {
    const Run run("few-replicas");
    on_ranks(3, [&](const Ranks& ranks) {
      CHECK(error_message([&] { run.go({}, ranks); }) ==
            "expected a replica for each of 3 processes, found 2");
    });
  }

  TEST_CASE("a finished run that is run again keeps what was added to its run.json") {
    const Run run("again");
    run.go();
    const auto path = run.folder / "run.json";
    Json json = Json::parse(read_file(path), "run.json");
    json["convergence"] = "assessed";
    write_file(path, json.dump(2));
    const SimulationResult again = run.go();
    CHECK(again.finished);
    CHECK(again.frames == 60);
    CHECK(Json::parse(read_file(path), "run.json").has("convergence"));
  }

  TEST_CASE("an interrupt saves a checkpoint and stops, and the run goes on from there") {
    const Run whole("uninterrupted"), run("interrupted");
    whole.go();
    // In a child, because the flag stays up for the rest of the process. Worker threads do not
    // survive a fork, so there must be none.
    const int threads = thread_count();
    set_thread_count(1);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      catch_interrupts();
      const SimulationResult result = run.go([](std::int64_t done, std::int64_t) {
        if (done == 600) std::raise(SIGINT);
      });
      ::_exit(result.finished ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    set_thread_count(threads);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(Json::parse(read_file(run.folder / "run.json"), "run.json").at("step").integer() == 600);
    CHECK(run.go().finished);
    check_same_files(whole, run);
  }

  TEST_CASE("a folder of other settings is refused, with what differs") {
    Run run("settings");
    run.options.steps = 40;
    run.go();
    run.options.friction_per_ps = 0.3;
    run.options.seed = 9;
    const std::string message = error_message([&] { run.go(); });
    CHECK(message.find("friction_per_ps is 1 there and 0.3 here") != std::string::npos);
    CHECK(message.find("seed is \"1\" there and \"9\" here") != std::string::npos);
    CHECK(message.find("timestep") == std::string::npos);
  }

  TEST_CASE("a run on the reference backend goes on bit for bit, and on no other backend") {
    Run whole("reference"), broken("reference-broken");
    for (Run* run : {&whole, &broken}) {
      run->options.backend = Backend::reference;
      run->options.ladder = 2;
      run->options.replicas = 1;
      run->options.warmup_steps = 30;
      run->options.steps = 180;
    }
    whole.go();
    CHECK_THROWS_AS(broken.go([](std::int64_t done, std::int64_t) {
      if (done >= 200) throw std::runtime_error("killed");
    }),
                    std::runtime_error);
    broken.options.backend = Backend::cpu;
    CHECK(error_message([&] { broken.go(); }).find("backend is \"reference\" there") !=
          std::string::npos);
    broken.options.backend = Backend::reference;
    CHECK(broken.go().finished);
    check_same_files(whole, broken);

    Run lanes("lanes");
    lanes.options.steps = 40;
    lanes.go();
    lanes.options.backend = Backend::reference;
    CHECK(error_message([&] { lanes.go(); }).find("\"reference\" here") != std::string::npos);
  }

  TEST_CASE("a damaged checkpoint is refused") {
    const Run run("damaged");
    run.go();
    const std::string bytes = read_file(run.folder / "checkpoint.bin");
    write_file(run.folder / "checkpoint.bin", std::string_view(bytes).substr(0, bytes.size() - 4));
    CHECK(error_message([&] { run.go(); }).find("checkpoint.bin: expected") != std::string::npos);
  }

  TEST_CASE("options that make no sense are refused") {
    Run run("senseless");
    run.options.save_interval = 0;
    CHECK(error_message([&] { run.go(); }).find("intervals") != std::string::npos);
    run.options.save_interval = 40;
    run.options.top_temperature_kelvin = 200;
    CHECK(error_message([&] { run.go(); }).find("top temperature") != std::string::npos);
  }
}

}  // namespace arbg::md
