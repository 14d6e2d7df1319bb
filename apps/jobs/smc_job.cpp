#include "apps/jobs/smc_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/cli/progress.h"
#include "sampling/proposals/autoregressive.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"

namespace arbg::apps {
namespace {

constexpr const char* kCorrelated =
    "samples of one population share ancestors: figures that take them as independent are too good";
constexpr const char* kNoError =
    "log Z stands without an error: one population gives none; use --populations 2 or more";

SmcOutcome summarise(const std::vector<sampling::SmcPopulation>& populations) {
  SmcOutcome out;
  const auto count = static_cast<double>(populations.size());
  out.stages.resize(populations.front().stages.size());
  out.resampled.assign(out.stages.size(), 0.0);
  for (auto& stage : out.stages) stage.ess_fraction = stage.ancestors = 0;
  for (const auto& population : populations) {
    out.log_z.push_back(population.log_z());
    out.energies += population.energies;
    out.partial_energies += population.partial_energies;
    out.densities += population.densities;
    out.ancestors += population.ancestor_share() / count;
    for (std::size_t k = 0; k < out.stages.size(); ++k) {
      const auto& stage = population.stages[k];
      auto& mean = out.stages[k];
      mean.at = stage.at;
      mean.ess_fraction += stage.ess_fraction / count;
      mean.ancestors += stage.ancestors / count;
      mean.acceptance += stage.acceptance / count;
      out.resampled[k] += stage.resampled ? 1 / count : 0;
    }
  }
  return out;
}

std::vector<std::string> labels_of_populations(const SmcJob& job) {
  std::vector<std::string> out;
  if (job.smc.independent()) return out;
  out.emplace_back(kCorrelated);
  if (job.smc.populations == 1) out.emplace_back(kNoError);
  return out;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

sampling::AnnealingPlan pilot(const SmcJob& job, const sampling::Proposal& proposal,
                              const sampling::Target& target) {
  Progress progress("pilot");
  sampling::AnnealingOptions annealing = job.annealing;
  double first = 1;
  annealing.on_rung = [&](double b, std::int64_t rungs) {
    if (rungs == 1) first = b;
    char detail[64];
    std::snprintf(detail, sizeof detail, "rung %lld at b = %.3g", static_cast<long long>(rungs), b);
    // From rung to rung b grows by about the same factor.
    progress.update(first < 1 ? 1 - std::log(b) / std::log(first) : 1, detail);
  };
  return sampling::plan_annealing(proposal, target, annealing, job.smc);
}

std::vector<sampling::SmcPopulation> run_populations(const SmcJob& job, const Model& model,
                                                     const sampling::Target& target,
                                                     const Ranks& ranks,
                                                     sampling::AnnealingPlan& plan) {
  const sampling::AutoregressiveProposal proposal(model.generator, job.sample.decoding);
  std::vector<sampling::SmcPopulation> out;
  if (job.annealed) plan = pilot(job, proposal, target);
  Progress progress("sample");
  sampling::SmcOptions smc = job.smc;
  smc.ranks = &ranks;
  smc.on_progress = [&](std::int64_t done, std::int64_t of) {
    char detail[80];
    std::snprintf(detail, sizeof detail, "%lld of %lld stages of all populations",
                  static_cast<long long>(done), static_cast<long long>(of));
    progress.update(static_cast<double>(done) / static_cast<double>(of), detail);
  };
  if (job.annealed) {
    if (!ranks.any(interrupted())) {
      std::vector<double> numbers = plan.b;
      append(numbers, plan.eps);
      append(numbers, plan.lengths);
      ranks.agree("an annealing plan", std::as_bytes(std::span(numbers)));
      out = sampling::sample_annealed(proposal, target, plan, smc);
    }
  } else {
    sampling::Twist twist = job.twist;
    twist.stage_atoms = sampling::residue_stages(model.topology, proposal.map());
    out = sampling::sample_twisted(proposal, target, twist, smc);
  }
  require(!ranks.any(interrupted()),
          "interrupted; nothing was written (the same --seed draws them again)");
  return out;
}

SmcRun smc_run(const SmcJob& job, const sampling::AnnealingPlan& plan) {
  SmcRun out;
  out.annealed = job.annealed;
  out.populations = job.smc.populations;
  out.ess_threshold = job.smc.ess_threshold;
  out.resampling = job.smc.resampling;
  out.lambda = job.twist.lambda;
  out.conditional_ess = job.annealing.conditional_ess;
  out.moves = job.annealing.moves;
  out.leapfrog_steps = job.annealing.leapfrog_steps;
  out.ladder = plan.b;
  out.steps = plan.eps;
  out.pilot_energies = plan.energies;
  return out;
}

}  // namespace

std::vector<Option> with_smc(std::vector<Option> options) {
  options.push_back({"method", "NAME", "importance",
                     "importance (independent samples), or sequential Monte Carlo: twisted (copies "
                     "of promising beginnings) or annealed (moved from the model to the target)"});
  options.push_back({"populations", "N", std::to_string(sampling::SmcOptions().populations),
                     "twisted, annealed: independent populations that --count is shared among"});
  options.push_back(
      {"ess-threshold", "X", "0.5",
       "twisted, annealed: resample below this share of effective particles; 0: never, so that "
       "particles are independent"});
  options.push_back({"resampling", "NAME", "systematic",
                     "twisted, annealed: systematic, stratified, residual or multinomial"});
  options.push_back(
      {"lambda", "X", "0.2",
       "twisted: how far beginnings are judged by their energy, 0 to 1 (measured on Ace-AAA-Nme: "
       "0.2 is as good as importance sampling, 0.5 has twice its error)"});
  options.push_back(
      {"conditional-ess", "X", "0.9",
       "annealed: effective share of particles from rung to rung; nearer to 1: more "
       "rungs (a pilot of 64 particles or more, 4 moves a rung or more, places them)"});
  options.push_back({"moves", "N", "1", "annealed: Hamiltonian moves at every rung"});
  options.push_back({"leapfrog-steps", "N", "8",
                     "annealed: steps of a move, each an energy with forces; 1: Langevin moves"});
  return options;
}

bool wants_smc(const Arguments& arguments) {
  const std::string method = arguments.text("method");
  require(method == "importance" || method == "twisted" || method == "annealed",
          "--method expects importance, twisted or annealed, got '", method, "'");
  const auto belongs = [&](const char* option, const char* to) {
    require(!arguments.given(option) || method == to || (*to == '\0' && method != "importance"),
            "--", option, " does not go with --method ", method);
  };
  for (const char* option : {"populations", "ess-threshold", "resampling"}) belongs(option, "");
  belongs("lambda", "twisted");
  for (const char* option : {"conditional-ess", "moves", "leapfrog-steps"})
    belongs(option, "annealed");
  return method != "importance";
}

SmcJob smc_job_from(const Arguments& arguments, const SampleJob& sample) {
  SmcJob job;
  job.sample = sample;
  job.annealed = arguments.text("method") == "annealed";
  require(!sample.tune_temperature && sample.mirror == sampling::Mirror::none &&
              !sample.published_weights,
          "--tune, --mirror-images and --published-weights go with --method importance only");
  require(arguments.given("populations") || sample.count >= job.smc.populations, "--count ",
          sample.count, " is too few for the ", job.smc.populations,
          " populations that there are by default; give --populations");
  job.smc.populations = arguments.integer("populations", 1, sample.count);
  job.smc.count = sample.count;
  job.smc.ess_threshold = arguments.number("ess-threshold");
  require(job.smc.ess_threshold >= 0 && job.smc.ess_threshold <= 1,
          "--ess-threshold expects a share from 0 to 1, got ", job.smc.ess_threshold);
  job.smc.resampling = sampling::resampling_named(arguments.text("resampling"));
  job.smc.seed = sample.seed;
  job.twist.lambda = arguments.number("lambda");
  require(job.twist.lambda >= 0 && job.twist.lambda <= 1,
          "--lambda expects a number from 0 to 1, got ", job.twist.lambda);
  job.annealing.conditional_ess = arguments.number("conditional-ess");
  require(job.annealing.conditional_ess > 0 && job.annealing.conditional_ess < 1,
          "--conditional-ess expects a share above 0 and below 1, got ",
          job.annealing.conditional_ess);
  job.annealing.moves = static_cast<int>(arguments.integer("moves", 1, 1000));
  job.annealing.leapfrog_steps = static_cast<int>(arguments.integer("leapfrog-steps", 1, 10000));
  job.smc.check();
  return job;
}

SmcOutcome run_smc_job(const SmcJob& job, const Model& model, const RunFolder& output) {
  const auto target = model.target(job.sample.backend);
  const Progress clock("sample");
  sampling::AnnealingPlan plan;
  const auto populations = run_populations(job, model, target, output.ranks(), plan);
  if (!output.ranks().is_first()) return {};

  std::vector<double> coordinates;
  for (const auto& population : populations) append(coordinates, population.samples.coordinates);
  SamplesRun all = begin_samples(job.sample, model, coordinates);
  for (const auto& population : populations) {
    append(all.ancestor, population.ancestor);
    append(all.positions_nm, population.samples.positions_nm);
    append(all.reduced_energy, population.reduced_energy);
    append(all.log_q, population.samples.log_q);
    append(all.log_weight, population.log_weight);
  }
  SmcOutcome out = summarise(populations);
  out.weights =
      sampling::summarise(all.log_weight, job.smc.independent() ? 0 : job.smc.populations);
  out.energies += plan.energies;
  out.densities += plan.densities;
  out.seconds = all.file.seconds = clock.elapsed_s();
  all.file.labels = labels(job);
  all.file.smc = smc_run(job, plan);
  all.file.smc->outcome = out;

  write_samples(output, all);
  return out;
}

std::vector<std::string> labels(const SmcJob& job) {
  auto out = labels(job.sample);
  for (auto& label : labels_of_populations(job)) out.push_back(std::move(label));
  return out;
}

metrics::Table smc_table(const SmcOutcome& outcome) {
  using metrics::format_number;
  metrics::Table table({"sequential Monte Carlo", ""});
  table.add_row({"populations", std::to_string(outcome.log_z.size())});
  table.add_row({"log Z", log_z_text(outcome.weights)});
  table.add_row({"effective share of the weights at the end",
                 format_number(100 * outcome.weights.ess_fraction, 3) + " %"});
  if (outcome.log_z.size() > 1) {
    table.add_row({"effective share of the populations",
                   format_number(100 * metrics::ess_fraction(outcome.log_z), 3) + " %"});
  }
  table.add_row(
      {"first particles with descendants", format_number(100 * outcome.ancestors, 3) + " %"});
  table.add_row({"energies", std::to_string(outcome.energies)});
  if (outcome.partial_energies > 0)
    table.add_row({"energies of molecules partly there", std::to_string(outcome.partial_energies)});
  if (outcome.densities > 0) {
    double sum = 0;
    for (const auto& stage : outcome.stages) sum += stage.acceptance;
    table.add_row(
        {"moves accepted",
         format_number(100 * sum / static_cast<double>(outcome.stages.size()), 3) + " %"});
  }
  return table;
}

}  // namespace arbg::apps
