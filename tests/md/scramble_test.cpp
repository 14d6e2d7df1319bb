// Replicas that forget their start: what walls hold, and runs that begin with a scramble.
#include "md/dynamics/scramble.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <numbers>
#include <stdexcept>

#include "md/dynamics/builder.h"
#include "md/molecule/torsion_atoms.h"
#include "md/molecule/vector3.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/json.h"
#include "tensor/base/threads.h"
#include "tests/backends.h"
#include "tests/md/dynamics_testing.h"
#include "tests/md/error_message.h"
#include "tests/md/small_simulation.h"
#include "tests/sampling/turned_torsions.h"
#include "tests/tensor/thread_ranks.h"

namespace arbg::md {

namespace {

constexpr double kPi = std::numbers::pi;

struct Peptide {
  Topology topology;
  System system;
  std::vector<double> start;
  Walls walls;

  explicit Peptide(const std::string& sequence)
      : topology(Topology::from_sequence(sequence)),
        system(ForceField::named("amber99sbildn-obc2").create_system(topology)),
        start(build_structure(topology, system)),
        walls(topology, system, start) {}

  // What the walls say of half a turn about the bond between two atoms of these residues.
  std::string turned(int residue, const char* from, int other, const char* to) const {
    std::vector<double> x = start;
    sampling::turn(topology, x, topology.find(residue, from), topology.find(other, to), kPi);
    return walls.fault(x);
  }
};

// A run that begins with a scramble of two segments hot and one of each stage of cooling.
void scramble(Run& run) {
  run.options.scramble_steps = 500;
  run.options.warmup_steps = 30;
  run.options.steps = 200;
}

// How many of the first frames of a run have phi above 0, where the minimised start has it below.
int crossed(const Run& run) {
  const auto phi = backbone_torsions(run.topology).phi.front();
  const auto frames = read_npy(run.folder / "positions.npy").data;
  int count = 0;
  for (int r = 0; r < run.options.replicas; ++r) {
    const auto x = std::span(frames).subspan(static_cast<std::size_t>(r) * 66, 66);
    count += dihedral(at(x, phi[0]), at(x, phi[1]), at(x, phi[2]), at(x, phi[3])) > 0;
  }
  return count;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("walls hold the hand of every atom with four neighbours") {
    const Peptide peptide("Ace-IG-Nme");
    CHECK(peptide.walls.fault(peptide.start).empty());
    const auto swapped = [&](int residue, const char* one, const char* other) {
      std::vector<double> x = peptide.start;
      const Vector3 a = at(x, peptide.topology.find(residue, one));
      const Vector3 b = at(x, peptide.topology.find(residue, other));
      set_position(x, peptide.topology.find(residue, one), b);
      set_position(x, peptide.topology.find(residue, other), a);
      return peptide.walls.fault(x);
    };
    CHECK(swapped(1, "HA", "CB") == "ILE2:CA has another hand");
    CHECK(swapped(1, "CG1", "CG2") == "ILE2:CB has another hand");
    CHECK(swapped(1, "HG12", "HG13") == "ILE2:CG1 has another hand");
    CHECK(swapped(2, "HA2", "HA3") == "GLY3:CA has another hand");
    std::vector<double> mirrored = peptide.start;
    for (double& x : mirrored) x = -x;
    CHECK(peptide.walls.fault(mirrored) == "ACE1:CH3 has another hand");
  }

  TEST_CASE("walls hold cis and trans of all stiff bonds, and of no other") {
    const Peptide peptide("Ace-PNRY-Nme");
    CHECK(peptide.turned(0, "C", 1, "N") == "ACE1:C - PRO2:N is turned");
    CHECK(peptide.turned(1, "C", 2, "N") == "PRO2:C - ASN3:N is turned");
    CHECK(peptide.turned(4, "C", 5, "N") == "TYR5:C - NME6:N is turned");
    CHECK(peptide.turned(2, "CG", 2, "ND2") == "ASN3:CG - ASN3:ND2 is turned");
    CHECK(peptide.turned(3, "NE", 3, "CZ") == "ARG4:NE - ARG4:CZ is turned");
    CHECK(peptide.turned(3, "CZ", 3, "NH2") == "ARG4:CZ - ARG4:NH2 is turned");
    CHECK(peptide.turned(2, "N", 2, "CA").empty());   // phi
    CHECK(peptide.turned(1, "CA", 1, "C").empty());   // psi
    CHECK(peptide.turned(2, "CB", 2, "CG").empty());  // chi2
    CHECK(peptide.turned(4, "CB", 4, "CG").empty());  // of a ring
    CHECK(peptide.turned(4, "CZ", 4, "OH").empty());
  }

  TEST_CASE("a replica beyond a wall goes back to where the segment began, the others go on") {
    const Peptide peptide("Ace-A-Nme");
    std::vector<double> starts;
    for (const double sign : {1, -1, 1})  // the second is a mirror image
      for (const double x : peptide.start) starts.push_back(sign * x);
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      DynamicsOptions options;
      options.backend = backend;
      options.temperatures_kelvin.assign(3, 900);
      Dynamics held(peptide.system, options, starts), free(peptide.system, options, starts);
      const DynamicsState before = held.state();
      ScrambleOptions often{1000, 900, 0.01};  // segments of ten steps
      CHECK(scramble_segment(often, peptide.walls, options.temperatures_kelvin, held) == 1);
      free.run(10);
      const DynamicsState now = held.state(), undisturbed = free.state();
      REQUIRE(now.step == 10);
      for (std::size_t i = 0; i < now.positions_nm.size(); ++i) {
        const bool is_back = i / 66 == 1;
        CHECK(now.positions_nm[i] == (is_back ? before : undisturbed).positions_nm[i]);
        CHECK((now.velocities_nm_ps[i] == undisturbed.velocities_nm_ps[i]) == !is_back);
      }
    }
  }

  TEST_CASE("walls hold what heat turns without them") {
    const Peptide peptide("Ace-A-Nme");
    const std::vector<double> kelvin(32, 2500);
    DynamicsOptions options;
    options.temperatures_kelvin = kelvin;
    const ScrambleOptions hot{10000, 2500, 0.001};
    Dynamics held(peptide.system, options, peptide.start),
        free(peptide.system, options, peptide.start);
    int put_back = 0;
    while (held.step() < 4000) put_back += scramble_segment(hot, peptide.walls, kelvin, held);
    free.run(held.step());
    const auto faults = [&](const Dynamics& dynamics) {
      const auto x = dynamics.state().positions_nm;
      int count = 0;
      for (std::size_t r = 0; r < 32; ++r)
        count += !peptide.walls.fault(std::span(x).subspan(66 * r, 66)).empty();
      return count;
    };
    CHECK(put_back > 0);
    CHECK(faults(held) == 0);
    CHECK(faults(free) > 0);
  }

  TEST_CASE("a start of another hand or with a turned bond is refused by its replica") {
    const Peptide peptide("Ace-A-Nme");
    std::vector<double> x = peptide.start, turned = x, mirrored = x;
    sampling::turn(peptide.topology, turned, peptide.topology.find(0, "C"),
                   peptide.topology.find(1, "N"), kPi);
    for (double& number : mirrored) number = -number;
    const auto refusal = [&](const std::vector<double>& second) {
      std::vector<double> two = x;
      two.insert(two.end(), second.begin(), second.end());
      return error_message([&] { peptide.walls.require_natural(two, 6); });
    };
    CHECK(refusal(x).empty());
    CHECK(refusal(mirrored).find("start of replica 7: ALA2 is a D residue; expected natural") !=
          std::string::npos);
    CHECK(refusal(turned).find("start of replica 7: ACE1:C - ALA2:N is turned") !=
          std::string::npos);
  }

  TEST_CASE("three fifths of the steps are hot, then temperatures fall alike in four stages") {
    const ScrambleOptions options{1000, 1600, 0.001};
    for (const auto& [step, kelvin] : std::vector<std::pair<std::int64_t, double>>{{0, 1600},
                                                                                   {599, 1600},
                                                                                   {600, 800},
                                                                                   {699, 800},
                                                                                   {700, 400},
                                                                                   {800, 200},
                                                                                   {900, 100},
                                                                                   {999, 100}})
      CHECK(scramble_kelvin(options, step, 100) == doctest::Approx(kelvin));
    CHECK(scramble_kelvin(options, 0, 2000) == doctest::Approx(2000));  // never below the run
    CHECK(scramble_steps(0.001) == 50000);
    CHECK(scramble_steps(0.002) == 25000);
  }

  TEST_CASE(
      "scrambled replicas begin in other basins, which as many steps otherwise do not reach") {
    Run scrambled("scrambled"), plain("not-scrambled");
    for (Run* run : {&scrambled, &plain}) {
      run->options.ladder = 1;
      run->options.top_temperature_kelvin = 300;
      run->options.replicas = 128;
      run->options.steps = run->options.save_interval = 10;
    }
    scrambled.options.scramble_steps = 8000;
    scrambled.options.warmup_steps = 1000;
    plain.options.warmup_steps = 9000;
    scrambled.go();
    plain.go();
    CHECK(crossed(scrambled) >= 2);  // of some 9
    CHECK(crossed(plain) == 0);
  }

  TEST_CASE("a scrambled run has the same files with any number of threads and of ranks") {
    Run one("one-thread"), two("two-threads");
    const int threads = thread_count();
    for (Run* run : {&one, &two}) {
      scramble(*run);
      run->options.replicas = 12;
      set_thread_count(run == &one ? 1 : 2);
      run->go();
    }
    set_thread_count(threads);
    check_same_files(one, two);
    for (const int count : {2, 5}) {
      CAPTURE(count);
      Run parts("scrambled-ranks");
      scramble(parts);
      parts.options.replicas = 12;
      on_ranks(count, [&](const Ranks& ranks) {
        CHECK(error_message([&] { CHECK(parts.go({}, ranks).finished); }).empty());
      });
      check_same_files(one, parts);
    }
  }

  TEST_CASE(
      "progress counts the steps of a scramble, which run.json tells and no other run goes on") {
    Run run("told");
    scramble(run);
    std::vector<std::int64_t> told;
    run.go([&](std::int64_t done, std::int64_t total) {
      told.push_back(done);
      CHECK(total == 730);
    });
    REQUIRE(told.size() > 2);
    CHECK(told[0] == 0);
    CHECK(told[1] == 100);
    const Json settings = Json::parse(read_file(run.folder / "run.json"), "it").at("settings");
    CHECK(settings.at("scramble_steps").integer() == 500);
    CHECK(settings.at("scramble_kelvin").number() == 1200);
    CHECK(read_npy(run.folder / "energy.npy").shape[0] == 10);
    CHECK(run.go().frames == 10);
    run.options.scramble_steps = 0;
    CHECK(error_message([&] { run.go(); }).find("scramble_steps is 500 there and nothing here") !=
          std::string::npos);
  }

  TEST_CASE("a run that dies or is interrupted in its scramble goes on to the same files") {
    Run whole("whole-scramble"), broken("broken-scramble"), stopped("stopped-scramble");
    for (Run* run : {&whole, &broken, &stopped}) scramble(*run);
    whole.go();
    for (const std::int64_t death : {100, 300, 500, 530}) {
      CHECK_THROWS_AS(broken.go([&](std::int64_t done, std::int64_t) {
        if (done >= death) throw std::runtime_error("killed");
      }),
                      std::runtime_error);
    }
    CHECK(broken.go().finished);
    check_same_files(whole, broken);
    // In children, because the flag stays up; without worker threads, which no fork survives.
    const int threads = thread_count();
    set_thread_count(1);
    for (const std::int64_t moment : {100, 300, 400, 500, 506}) {  // hot, cooled, between, after
      CAPTURE(moment);
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        catch_interrupts();
        const SimulationResult result = stopped.go([&](std::int64_t done, std::int64_t) {
          if (done == moment) std::raise(SIGINT);
        });
        ::_exit(result.finished ? 1 : 0);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
      CHECK(Json::parse(read_file(stopped.folder / "run.json"), "it").at("step").integer() ==
            moment);
    }
    set_thread_count(threads);
    CHECK(stopped.go().finished);
    check_same_files(whole, stopped);
  }

  TEST_CASE("a run from a D peptide is refused at the end of its scramble") {
    Run run("d-peptide");
    scramble(run);
    for (double& x : run.start) x = -x;
    CHECK(error_message([&] { run.go(); }).find("replica 0: ALA2 is a D residue") !=
          std::string::npos);
  }
}

}  // namespace arbg::md
