// What arbg evaluate does with a folder of samples: refusals, budgets, and several ranks.
#include "apps/jobs/evaluate_job.h"

#include <doctest/doctest.h>

#include "apps/pages/budget_page.h"
#include "apps/runs/results_json.h"
#include "md/dynamics/simulation_file.h"
#include "tensor/base/npy.h"
#include "tests/audit/small_runs.h"
#include "tests/md/error_message.h"
#include "tests/tensor/thread_ranks.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;

EvaluateJob small_job() {
  EvaluateJob job;
  job.samples = small_run().path() / "samples";
  job.reference = small_run().path() / "md";
  job.options.tica.lag = 0;
  job.options.points = 100;
  return job;
}

TEST_SUITE("fast") {
  TEST_CASE("a folder of samples in Angstrom is refused") {
    const TemporaryFolder here;
    EvaluateJob job = small_job();
    fs::copy(job.samples, here / "samples");
    job.samples = here / "samples";
    auto positions = read_npy(job.samples / "positions.npy");
    for (double& x : positions.data) x *= 10;
    write_npy(job.samples / "positions.npy", positions.shape,
              std::span<const double>(positions.data));
    const auto refusal = error_message([&] { run_evaluate_job(job); });
    CHECK(refusal.find("samples/positions.npy: the bond") != std::string::npos);
    CHECK(refusal.find("these are in Angstrom") != std::string::npos);
  }

  TEST_CASE("a budget is evaluated as the first samples are alone") {
    EvaluateJob job = small_job();
    job.budgets = {60, 150};
    const auto outcome = run_evaluate_job(job);
    REQUIRE(outcome.budgets.size() == 2);
    CHECK(outcome.budgets[0].samples == 60);
    CHECK(outcome.budgets[0].points == 60);
    CHECK(outcome.budgets[1].points == 100);
    auto first = outcome.samples.ensemble();
    first.positions_nm = first.positions_nm.first(60 * 66);
    first.reduced_energy = first.reduced_energy.first(60);
    first.log_weight = first.log_weight.first(60);
    const auto alone =
        sampling::evaluate(first, outcome.reference.ensemble(), nullptr, job.options);
    CHECK(outcome.budgets[0].energy_w2_kt.weighted.estimate ==
          alone.energy_w2_kt.weighted.estimate);
    CHECK(outcome.budgets[0].torsion_w2_rad.floor.estimate == alone.torsion_w2_rad.floor.estimate);
    CHECK(outcome.budgets[0].ess == alone.weights.ess);
  }

  TEST_CASE("ranks share an evaluation, and the first finds what one alone does") {
    const TemporaryFolder here;
    EvaluateJob job = small_job();
    fs::copy(job.reference / "positions.npy", here / "Ace-A-Nme_300K_test.npy");  // no energies
    fs::copy(job.reference / "topology.pdb", here / "Ace-A-Nme_300K.pdb");
    job.reference = here / "Ace-A-Nme_300K_test.npy";
    job.model = small_run().path() / "model" / "checkpoint.safetensors";
    job.budgets = {60, 150};
    const auto figures = [](const EvaluateOutcome& outcome) {
      return to_json(outcome.evaluation).dump() + to_json(outcome.budgets).dump();
    };
    const std::string alone = figures(run_evaluate_job(job));
    for (const int count : {2, 5}) {
      CAPTURE(count);
      std::string found;
      on_ranks(count, [&](const Ranks& ranks) {
        const auto outcome = run_evaluate_job(job, ranks);
        if (ranks.is_first()) found = figures(outcome);
      });
      CHECK(found == alone);
    }
  }

  TEST_CASE("a reference that is shorter than a budget asks for is refused, with the way out") {
    EvaluateJob job = small_job();
    const TemporaryFolder here;
    fs::copy(job.reference, here / "md");
    auto positions = read_npy(here / "md" / "positions.npy"),
         energy = read_npy(here / "md" / "energy.npy");
    constexpr std::int64_t kFrames = 64;  // of its 32 replicas two each
    positions.shape[0] = energy.shape[0] = kFrames;
    positions.data.resize(kFrames * 66);
    energy.data.resize(kFrames);
    write_npy(here / "md" / "positions.npy", positions.shape,
              std::span<const double>(positions.data));
    write_npy(here / "md" / "energy.npy", energy.shape, std::span<const double>(energy.data));
    auto run = md::read_simulation_file(here / "md");
    run.frames = kFrames;
    md::write_simulation_file(here / "md", run);
    job.reference = here / "md";
    job.budgets = {60};
    CHECK(error_message([&] {
            run_evaluate_job(job);
          }).find("which has 64 frames: run more dynamics, or give --points 32") !=
          std::string::npos);
    job.options.points = 32;
    CHECK(run_evaluate_job(job).budgets.size() == 1);
  }
}

}  // namespace
}  // namespace arbg::apps
