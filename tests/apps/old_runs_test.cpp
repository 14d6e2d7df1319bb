// Folders that an old version left: what is read of them is all that is in them, and what is
// written now is what was written then.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "apps/runs/dataset.h"
#include "apps/runs/run_folder.h"
#include "apps/runs/samples_run.h"
#include "md/dynamics/simulation_file.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps::test {

namespace {

namespace fs = std::filesystem;

const fs::path kRuns = ARBG_GOLDEN_DIR "/runs";

void replace(std::string& text, const std::string& there, const std::string& by) {
  const auto at = text.find(there);
  if (at != std::string::npos) text.replace(at, there.size(), by);
}

// What has changed since: seeds are text, the size of a population is not given, and of annealing
// rungs and steps, which were not to be chosen then, are.
std::string as_now(std::string run_json) {
  replace(run_json, "\"seed\": 1,", "\"seed\": \"1\",");
  replace(run_json, "  \"particles\": 5,\n", "");
  replace(run_json, "\"moves\": 1,",
          "\"conditional_ess\": 0.9,\n  \"moves\": 1,\n  \"leapfrog_steps\": 1,");
  return run_json;
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("old folders are of the kinds that they are") {
    CHECK(kind_of(kRuns / "md") == RunKind::md);
    CHECK(kind_of(kRuns / "train") == RunKind::train);
    CHECK(kind_of(kRuns / "refine") == RunKind::refine);
    for (const char* name : {"tuned", "truncated", "twisted", "annealed"})
      CHECK(kind_of(kRuns / name) == RunKind::sample);
    CHECK(kind_of(kRuns) == RunKind::none);
    CHECK(kind_of(kRuns / "nothing") == RunKind::none);
  }

  TEST_CASE("an old run of dynamics is read whole, and written as it was") {
    const auto run = md::read_simulation_file(kRuns / "md");
    CHECK(run.complete());
    CHECK(run.options.steps == 3200);
    CHECK(run.options.seed == 1);
    CHECK(run.options.replicas == 2);
    CHECK(run.frames == 80);
    const TemporaryFolder folder;
    md::write_simulation_file(folder.path(), run);
    CHECK(read_file(folder / "run.json") == read_file(kRuns / "md/run.json"));
    const Dataset data = load_dataset(kRuns / "md");
    CHECK(data.frames() == 80);
    CHECK(data.reduced_energy.size() == 80);
    CHECK(data.temperature_kelvin == 300);
  }

  TEST_CASE("old samples are read whole, and written as they were") {
    for (const char* name : {"tuned", "truncated", "twisted", "annealed"}) {
      CAPTURE(name);
      const SamplesRun run = read_samples(kRuns / name);
      CHECK(run.count() == 10);
      CHECK(run.file.seed == 1);
      CHECK(run.tokens.size() == 600);
      const TemporaryFolder folder;
      write_samples(RunFolder(folder.path(), RunKind::sample), run);
      CHECK(read_file(folder / "run.json") == as_now(read_file(kRuns / name / "run.json")));
      for (const auto& entry : fs::directory_iterator(kRuns / name)) {
        const auto file = entry.path().filename();
        CAPTURE(file.string());
        if (file != "run.json") CHECK((read_file(folder.path() / file) == read_file(entry.path())));
      }
    }
  }

  TEST_CASE("what an old run.json says of samples is known by its type") {
    const auto tuned = read_samples_file(kRuns / "tuned");
    REQUIRE(tuned.tuning);
    CHECK(tuned.tuning->curve.size() == 11);
    CHECK(tuned.decoding.temperature == tuned.tuning->temperature);
    CHECK(tuned.averaged);
    CHECK(tuned.labels.empty());
    REQUIRE(tuned.weights);
    CHECK(tuned.weights->count == 10);
    const auto truncated = read_samples_file(kRuns / "truncated");
    CHECK(truncated.decoding.top_p == 0.9);
    CHECK(truncated.labels.size() == 1);
    const auto annealed = read_samples_file(kRuns / "annealed");
    CHECK_FALSE(annealed.weights);
    REQUIRE(annealed.smc);
    CHECK(annealed.smc->annealed);
    CHECK(annealed.smc->populations == 2);
    CHECK(annealed.smc->leapfrog_steps == 1);
    CHECK(annealed.smc->ladder.size() == annealed.smc->outcome.stages.size());
    CHECK(annealed.smc->outcome.log_z.size() == 2);
  }
}

TEST_SUITE("fast") {
  TEST_CASE("a run.json that lacks something, or is of another run, is named with what it lacks") {
    const TemporaryFolder folder;
    const auto refusals = [&](const std::string& json) {
      write_file(folder / "run.json", json);
      return error_message([&] { read_samples_file(folder.path()); }) + "\n" +
             error_message([&] { md::read_simulation_file(folder.path()); });
    };
    for (const char* json : {R"({"kind": "sampels"})", "[]"}) {
      const std::string other = refusals(json);
      CHECK(other.find("run.json is not of samples") != std::string::npos);
      CHECK(other.find("does not describe a run of arbg md") != std::string::npos);
      CHECK(kind_of(folder.path()) == RunKind::other);
    }
    CHECK(refusals(R"({"kind": "samples"})").find("run.json: JSON has no member \"model\"") !=
          std::string::npos);
    CHECK(refusals(R"({"settings": {}, "version": 1})")
              .find("run.json: JSON has no member \"sequence\"") != std::string::npos);
  }

  TEST_CASE("samples that cannot be written leave those that are there as they are") {
    const TemporaryFolder folder;
    SamplesRun run = read_samples(kRuns / "twisted");
    write_samples(RunFolder(folder.path(), RunKind::sample), run);
    write_file(folder / "evaluation.json", "{}");
    const std::string energies = read_file(folder / "energy.npy");
    fs::remove(folder / "log_weight.npy");
    fs::create_directories(folder / "log_weight.npy" / "in-the-way");
    run.reduced_energy[0] += 1;
    CHECK(error_message([&] {
            write_samples(RunFolder(folder.path(), RunKind::sample), run);
          }).find("log_weight.npy: expected a file that may be replaced, found a folder") !=
          std::string::npos);
    CHECK(read_file(folder / "energy.npy") == energies);
    CHECK(fs::exists(folder / "evaluation.json"));
    CHECK_FALSE(fs::exists(folder / ".arbg.new"));
  }
}

}  // namespace arbg::apps::test
