// The audit sees: every known defect, planted in the code or in a folder of samples, fails on the
// line that names it, and without a defect nothing fails.
#include "tensor/base/defects.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "apps/jobs/smc_job.h"
#include "apps/runs/results_json.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tests/audit/small_runs.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;
using sampling::Audit;
using sampling::Verdict;

struct Planted {
  Planted(Defect defect) { planted_defect = defect; }
  ~Planted() { planted_defect = Defect::none; }
};

constexpr std::size_t kLinesOfPlacement = 4;  // more than of a model without

std::string failing_lines(const Audit& audit) {
  std::string out;
  for (const auto& section : audit.sections)
    for (const auto& check : section.checks)
      if (check.verdict == Verdict::fail)
        out += "\n  " + check.name + ": " + std::to_string(check.measured) + ", " + check.note;
  return out;
}

std::size_t line_count(const Audit& audit) {
  std::size_t count = 0;
  for (const auto& section : audit.sections) count += section.checks.size();
  return count;
}

void check_seen(const AuditJob& job, const std::string& line) {
  const Audit audit = run_audit(job);
  const std::string failing = failing_lines(audit);
  INFO("expected to fail: ", line, "\nfailing:", failing);
  CHECK(failing.find("\n  " + line) != std::string::npos);
  CHECK_FALSE(audit.passed());
}

// A column of float64 numbers in a folder, changed.
void change(const fs::path& file, const std::function<void(std::vector<double>&)>& how) {
  auto array = read_npy(file);
  how(array.data);
  write_npy(file, array);
}

void change_run_json(const fs::path& folder, const std::function<void(Json&)>& how) {
  Json run = Json::parse(read_file(folder / "run.json"), "run.json");
  how(run);
  write_file(folder / "run.json", run.dump(2));
}

// Everything in the folder still agrees, but places within bins are not uniform.
void to_lower_edges(const fs::path& folder) {
  const Model model = load_model(small_run().job().model, nn::Backend::cpu, true);
  const auto& map = model.generator.map();
  const auto K = static_cast<std::size_t>(map.size());
  const auto tokens = read_npy(folder / "tokens.npy").data;
  std::vector<double> positions, volume, z(K);
  std::vector<double> x(static_cast<std::size_t>(map.atom_count()) * 3);
  for (std::size_t i = 0; i < tokens.size(); i += K) {
    for (std::size_t j = 0; j < K; ++j)
      z[j] = model.generator.bins().decode(static_cast<std::int64_t>(j),
                                           static_cast<std::int32_t>(tokens[i + j]), 1e-3);
    map.decode(z, x);
    positions.insert(positions.end(), x.begin(), x.end());
    volume.push_back(map.log_volume(z));
  }
  const auto u = model.target(Backend::cpu).reduced_energy(positions);
  const auto log_w = sampling::log_weights(u, volume, read_npy(folder / "log_q.npy").data);
  change(folder / "positions.npy", [&](std::vector<double>& v) { v = positions; });
  change(folder / "energy.npy", [&](std::vector<double>& v) { v = u; });
  change(folder / "log_weight.npy", [&](std::vector<double>& v) { v = log_w; });
  change_run_json(
      folder, [&](Json& run) { run["weights"] = summary_json(metrics::summarise_weights(log_w)); });
}

// A line that can only warn, where a defect is.
void check_warned(const AuditJob& job, const std::string& line) {
  const Audit audit = run_audit(job);
  bool warned = false;
  for (const auto& section : audit.sections)
    for (const auto& check : section.checks)
      warned = warned || (check.name.starts_with(line) && check.verdict == Verdict::warning);
  INFO("expected a warning: ", line);
  CHECK(warned);
}

// A copy of a folder of the small run, tampered with.
template <class Tamper>
fs::path tampered(const TemporaryFolder& copy, const char* name, const Tamper& tamper) {
  fs::copy(small_run().path() / name, copy.path() / name, fs::copy_options::recursive);
  tamper(copy.path() / name);
  return copy.path() / name;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("without a defect no line fails") {
  const Audit audit = run_audit(small_run().job());
  INFO(failing_lines(audit));
  CHECK(audit.passed());
  CHECK(audit.count(Verdict::pass) > 30);
}

TEST_CASE("without a defect no line fails of a model that is told placement energies") {
  const Audit audit = run_audit(told_run().job());
  INFO(failing_lines(audit));
  CHECK(audit.passed());
  CHECK(line_count(audit) == line_count(run_audit(small_run().job())) + kLinesOfPlacement);
}

TEST_CASE("a defect planted in the code fails on the line that names it") {
  const struct {
    const char* name;
    Defect defect;
    const char* line;
    const SmallRun& (*run)() = small_run;
  } kRows[] = {
      {"bins_rounded", Defect::bins_rounded, "cells of the bins: gaps and overlaps"},
      {"bins_without_width", Defect::bins_without_width, "log of a cell's volume"},
      {"outside_clamped", Defect::outside_clamped, "values outside the support"},
      {"start_shares_bin_0", Defect::start_shares_bin_0, "start token confused with bin 0"},
      {"sees_own_token", Defect::sees_own_token, "logits moved by a token at or after"},
      {"cached_position_early", Defect::cached_position_early, "log q with a cache against"},
      {"stale_cache_row", Defect::stale_cache_row, "log q with a cache against"},
      {"selection_keeps_rows", Defect::selection_keeps_rows, "logits of a cache with selected"},
      {"slope_of_bin_above", Defect::slope_of_bin_above, "log q against plain sums"},
      {"slope_without_density", Defect::slope_without_density, "log q against plain sums"},
      {"slope_without_density, again", Defect::slope_without_density, "density over a bin"},
      {"float32_total", Defect::float32_total, "conditionals: |sum - 1|"},
      {"float32_log_q", Defect::float32_log_q, "log q against plain sums"},
      {"volume_power", Defect::volume_power, "log volume factor against finite differences"},
      {"unscaled_1_4", Defect::unscaled_1_4, "1-4 pairs: scaled by 1/1.2"},
      {"lost_solvent", Defect::lost_solvent, "energies in lanes against plain loops"},
      {"lost_solvent, again", Defect::lost_solvent, "energies against the sum of their terms"},
      {"energy_sees_place", Defect::energy_sees_place, "energies after rotation and translation"},
      {"bins_without_width, again", Defect::bins_without_width, "q over all sequences"},
      {"bins_rounded, again", Defect::bins_rounded, "positions outside the cells of their tokens"},
      {"lost_force", Defect::lost_force, "forces against energy differences"},
      {"torsion_phase", Defect::torsion_phase, "energies of mirror images"},
      {"coordinates_see_place", Defect::coordinates_see_place, "log q and volume factor after"},
      {"dihedral_sign_lost", Defect::dihedral_sign_lost, "mirror images inside the support"},
      {"mirrored_accepted", Defect::mirrored_accepted, "mirror images that weigh something"},
      {"candidates_beside", Defect::candidates_beside, "placement energies: against differences",
       told_run},
      {"curve_bent", Defect::curve_bent, "placement energies: as the network is told", told_run},
      {"curve_sees_itself", Defect::curve_sees_itself, "logits moved by a token at or after",
       told_run},
      {"curve_sees_itself, again", Defect::curve_sees_itself,
       "placement energies: as the network is told", told_run},
      {"selection_keeps_z", Defect::selection_keeps_z, "log q of rows selected as they grew",
       told_run},
  };
  for (const auto& row : kRows) {
    SUBCASE(row.name) {
      AuditJob job = row.run().job();
      const Planted planted(row.defect);
      check_seen(job, row.line);
    }
  }
}

TEST_CASE("a defect planted in the samples fails on the line that names it") {
  constexpr double kNothing = -std::numeric_limits<double>::infinity();
  using Tamper = std::function<void(const fs::path&)>;
  const struct {
    const char* name;
    const char* line;
    Tamper tamper;
  } kRows[] = {
      {"a mirrored sample with its old log q", "stored samples of the wrong hand",
       [](const fs::path& folder) {
         change(folder / "positions.npy", [](std::vector<double>& x) {
           for (std::size_t i = 2; i < 66; i += 3) x[i] = -x[i];
         });
       }},
      {"two conformations swapped", "stored positions outside the cells",
       [](const fs::path& folder) {
         change(folder / "positions.npy", [](std::vector<double>& x) {
           std::swap_ranges(x.begin(), x.begin() + 66, x.begin() + 66);
         });
       }},
      {"the largest weight dropped", "stored weights that were dropped",
       [=](const fs::path& folder) {
         change(folder / "log_weight.npy",
                [=](std::vector<double>& w) { *std::ranges::max_element(w) = kNothing; });
       }},
      {"weights without their volume factor", "stored log weights against",
       [](const fs::path& folder) {
         change(folder / "log_weight.npy", [](std::vector<double>& w) {
           for (double& one : w) one += 0.1;
         });
       }},
      {"a token that is no bin", "stored samples outside the support",
       [](const fs::path& folder) {
         change(folder / "tokens.npy", [](std::vector<double>& tokens) { tokens[0] = -1; });
       }},
      {"places at the lower edges of their bins", "transforms of the draws", to_lower_edges},
      {"places at the lower edges of their bins, again", "places within bins, uphill",
       to_lower_edges},
      {"the figures of dropped weights", "run.json: figures of the weights",
       [](const fs::path& folder) {
         change_run_json(folder, [](Json& run) {
           run["weights"]["ess"] = 2 * run.at("weights").at("ess").number();
         });
       }},
      {"log q of temperature 1", "stored log q against the model's",
       [](const fs::path& folder) {
         change_run_json(folder, [](Json& run) {
           run["sampling_temperature"] = 1;
           run["decoding"]["temperature"] = 1;
         });
       }},
      {"energies of another temperature", "stored energies against plain loops",
       [](const fs::path& folder) {
         change(folder / "energy.npy", [](std::vector<double>& u) {
           for (double& one : u) one *= 300.0 / 310.0;
         });
       }},
      {"another force field", "run.json: force field and temperature",
       [](const fs::path& folder) {
         change_run_json(folder, [](Json& run) { run["forcefield"] = "amber14-obc1"; });
       }},
      {"a sample twice", "stored samples that are there more than once",
       [](const fs::path& folder) {
         for (const char* name : {"log_q.npy", "energy.npy"})
           change(folder / name, [](std::vector<double>& v) { v[0] = v[1]; });
       }},
  };
  for (const auto& row : kRows) {
    SUBCASE(row.name) {
      TemporaryFolder copy;
      const fs::path folder = copy.path() / "samples";
      fs::copy(small_run().path() / "samples", folder, fs::copy_options::recursive);
      row.tamper(folder);
      AuditJob job = small_run().job();
      job.samples = folder;
      job.reference.clear();
      check_seen(job, row.line);
    }
  }
}

TEST_CASE("a reference stretched out of the bins' support fails on its line") {
  TemporaryFolder copy;
  const fs::path folder = copy.path() / "md";
  fs::copy(small_run().path() / "md", folder, fs::copy_options::recursive);
  auto positions = read_npy(folder / "positions.npy");
  for (double& x : positions.data) x *= 1.3;  // by 1.4 and more it would not be loaded
  write_npy(folder / "positions.npy", positions);
  AuditJob job = small_run().job();
  job.samples.clear();
  job.reference = folder;
  job.model = small_run().path() / "model" / "checkpoint.safetensors";
  fs::remove(folder / "energy.npy");
  check_seen(job, "share of the reference outside the bins' support");
}

TEST_CASE("energies of the reference that are of another temperature fail on their line") {
  TemporaryFolder copy;
  AuditJob job = small_run().job();
  job.reference = tampered(copy, "md", [](const fs::path& folder) {
    change(folder / "energy.npy", [](std::vector<double>& u) {
      for (double& one : u) one *= 300.0 / 310.0;
    });
  });
  check_seen(job, "reference energies against plain loops");
}

TEST_CASE("a model that does not fit, heavy weights, trimming and labels are warned of") {
  TemporaryFolder copy;
  AuditJob job = small_run().job();
  SUBCASE("bonds of the reference three per cent longer") {
    job.reference = tampered(copy, "md", [](const fs::path& folder) {
      change(folder / "positions.npy", [](std::vector<double>& x) {
        for (double& one : x) one *= 1.03;
      });
      fs::remove(folder / "energy.npy");
    });
    check_warned(job, "calibration of the conditionals");
  }
  job.reference.clear();
  SUBCASE("weights of a heavy tail") {
    job.samples = tampered(copy, "samples", [](const fs::path& folder) {
      change(folder / "log_weight.npy", [](std::vector<double>& w) {
        for (double& one : w) one *= 5;
      });
    });
    check_warned(job, "Pareto k-hat of the weights");
  }
  SUBCASE("figures without the largest weights") {
    job.samples = tampered(copy, "samples", [](const fs::path& folder) {
      write_file(folder / "evaluation.json", "{\"trimmed_fraction\": 0.002}");
    });
    check_warned(job, "evaluation.json: trimmed");
  }
  SUBCASE("a label") {
    job.samples = tampered(copy, "samples", [](const fs::path& folder) {
      change_run_json(folder, [](Json& run) { run["labels"].push_back("biased"); });
    });
    check_warned(job, "run.json: a label");
  }
}

TEST_CASE("populations of sequential Monte Carlo pass, and fail where they were spoilt") {
  TemporaryFolder folder;
  const Model model = load_model(small_run().job().model, nn::Backend::cpu, true);
  SmcJob smc;
  smc.sample.model = small_run().job().model;
  smc.sample.output = folder.path();
  smc.smc.populations = 20;
  smc.smc.count = 1003;       // three populations of 51
  smc.smc.ess_threshold = 1;  // resampled at every stage
  AuditJob job = small_run().job();
  job.samples = folder.path();
  job.reference.clear();
  job.fresh = 1000;
  const char* line = nullptr;
  const auto change_weights = [&](const std::function<void(std::vector<double>&)>& how) {
    change(folder.path() / "log_weight.npy", how);
  };
  SUBCASE("as they are") {
    run_smc_job(smc, model, RunFolder(folder.path(), RunKind::sample));
    const Audit audit = run_audit(job);
    INFO(failing_lines(audit));
    CHECK(audit.passed());
    CHECK(audit.count(Verdict::pass) >= 30);
  }
  SUBCASE("the largest weight raised") {
    run_smc_job(smc, model, RunFolder(folder.path(), RunKind::sample));
    change_weights([](std::vector<double>& w) { *std::ranges::max_element(w) += 1; });
    line = "run.json: figures of the populations";
  }
  SUBCASE("the largest weight dropped") {
    run_smc_job(smc, model, RunFolder(folder.path(), RunKind::sample));
    change_weights([](std::vector<double>& w) {
      *std::ranges::max_element(w) = -std::numeric_limits<double>::infinity();
    });
    line = "stored weights that were dropped";
  }
  SUBCASE("an ancestor of another population") {
    run_smc_job(smc, model, RunFolder(folder.path(), RunKind::sample));
    change(folder.path() / "ancestor.npy", [](std::vector<double>& a) { a.back() = 50; });
    line = "stored ancestors that are no particle";
  }
  if (line) check_seen(job, line);
}

// log q is that of the places drawn, but these are not drawn from it.
TEST_CASE("draws that fall within a bin where their density rises fail on their line") {
  const Planted planted(Defect::slope_downhill);
  TemporaryFolder folder;
  SampleJob sample;
  sample.model = small_run().job().model;
  sample.output = folder.path();
  sample.count = 400;
  run_sample_job(sample, load_model(sample.model, sample.backend, true),
                 RunFolder(folder.path(), RunKind::sample));
  AuditJob job = small_run().job();
  job.samples = folder.path();
  job.reference.clear();
  check_seen(job, "places within bins, uphill");
}

// Everything in the folder agrees with everything else; only the draws themselves are of a hotter
// q.
TEST_CASE("draws of another temperature, passed off as this one's with its log q, are surprising") {
  TemporaryFolder copy;
  const Model model = load_model(small_run().job().model, nn::Backend::cpu, true);
  SampleJob sample;
  sample.model = small_run().job().model;
  sample.output = copy.path();
  sample.count = 400;
  sample.decoding.temperature = 1.1;
  run_sample_job(sample, model, RunFolder(copy.path(), RunKind::sample));
  const auto stored = read_samples(copy.path());
  const auto z = model.generator.encode(stored.positions_nm, 1).coordinates;
  const auto log_q = model.generator.log_density(z);
  change(copy.path() / "log_q.npy", [&](std::vector<double>& v) { v = log_q; });
  change(copy.path() / "log_weight.npy", [&](std::vector<double>& w) {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] += stored.log_q[i] - log_q[i];
    change_run_json(copy.path(), [&](Json& run) {
      run["sampling_temperature"] = 1;
      run["decoding"]["temperature"] = 1;
      run["weights"] = summary_json(metrics::summarise_weights(w));
    });
  });
  AuditJob job = small_run().job();
  job.samples = copy.path();
  job.reference.clear();
  const Audit audit = run_audit(job);
  INFO(failing_lines(audit));
  CHECK(audit.count(Verdict::fail) == 1);
  check_seen(job, "surprise of the draws");
}

TEST_SUITE_END();

}  // namespace arbg::apps
