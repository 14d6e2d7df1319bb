#include "apps/jobs/audit_job.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/runs/computed_by.h"
#include "apps/runs/run_folder.h"
#include "apps/runs/samples_run.h"
#include "metrics/format_number.h"
#include "metrics/weights/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/smc/population.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

using sampling::Check;
using sampling::judged;
using sampling::Verdict;

// Takes the arrays out of `run`.
sampling::StoredSamples stored_of(SamplesRun& run, const Model& model,
                                  const std::filesystem::path& folder) {
  const std::int64_t tokens = model.generator.map().size() * run.count();
  require(run.topology.atom_count() == model.topology.atom_count(), folder.string(),
          ": its molecule has ", run.topology.atom_count(), " atoms, that of the model ",
          model.topology.atom_count(), "; give the model that the samples are from");
  require(run.tokens.empty() || std::ssize(run.tokens) == tokens, folder.string(),
          ": tokens.npy has ", run.tokens.size(), " tokens, expected ",
          model.generator.map().size(), " for each of ", run.count(), " samples");
  sampling::StoredSamples out;
  out.reflected = run.file.reflected.has_value();
  out.populations = run.populations();
  out.tokens = std::move(run.tokens);
  out.ancestor = std::move(run.ancestor);
  out.positions_nm = std::move(run.positions_nm);
  out.log_q = std::move(run.log_q);
  out.reduced_energy = std::move(run.reduced_energy);
  out.log_weight = std::move(run.log_weight);
  return out;
}

// A model of many molecules is that of the samples' molecule.
Model load_audited(const AuditJob& job, const std::optional<SamplesRun>& run) {
  if (!run) return load_model(job.model, job.backend, true);
  const std::string& drawn = run->file.products;
  require(drawn == products_of(job.backend), "these samples were drawn with products in ", drawn,
          ", and their log q is of these; audit them with ",
          drawn == "tf32" ? "--backend cuda --products " : "--products ", drawn);
  return load_model(job.model, job.backend, run->file.averaged,
                    ToldMolecule{run->topology, run->topology_pdb, run->file.forcefield,
                                 run->file.temperature_kelvin},
                    run->file.within_bins);
}

// Of a figure that run.json gives, relative; what JSON cannot hold is as good as itself.
double difference(double said, double found) {
  if (!std::isfinite(said) && !std::isfinite(found)) return 0;
  return std::abs(said - found) / (1 + std::abs(found));
}

// The figures of populations in run.json.
Check populations_said(const SmcRun& run, const sampling::StoredSamples& samples) {
  const SmcOutcome& said = run.outcome;
  const auto summary =
      sampling::summarise(samples.log_weight, run.independent() ? 0 : samples.populations);
  const auto log_z = sampling::log_z_of_populations(samples.log_weight, samples.populations);
  double largest = said.log_z.size() == log_z.size() ? 0 : 1;
  for (std::size_t p = 0; p < std::min(said.log_z.size(), log_z.size()); ++p)
    largest = sampling::worse(largest, difference(said.log_z[p], log_z[p]));
  for (const auto figure : {&metrics::WeightSummary::log_z, &metrics::WeightSummary::log_z_error,
                            &metrics::WeightSummary::ess_fraction})
    largest = sampling::worse(largest, difference(said.weights.*figure, summary.*figure));
  return judged("run.json: figures of the populations against the arrays, relative", largest, 1e-9,
                "log Z of each and of all, error, effective share");
}

Check weights_said(const metrics::WeightSummary& said, const sampling::StoredSamples& samples) {
  const auto found = metrics::summarise_weights(samples.log_weight);
  double largest = said.count == found.count && said.zero_count == found.zero_count ? 0 : 1;
  for (const auto figure : {&metrics::WeightSummary::ess, &metrics::WeightSummary::log_z,
                            &metrics::WeightSummary::largest_share})
    largest = sampling::worse(largest, difference(said.*figure, found.*figure));
  return judged("run.json: figures of the weights against the arrays, relative", largest, 1e-9,
                "samples, zero weights, ESS, log Z, largest share");
}

// Its held-out frames, by which likelihoods are judged, must have an autocorrelation.
Dataset load_reference(const std::filesystem::path& folder, const Model& model) {
  Dataset out = load_dataset(folder, model.forcefield);
  const std::int64_t held_out = sampling::held_out_count(out.frames(), sampling::kHeldOut);
  require(held_out >= 2, folder.string(),
          ": expected at least 40 frames, so that the last twentieth is two or more, found ",
          out.frames(), "; make a longer run with arbg md, or leave --reference out");
  out.reorder(model.topology, folder.string());
  return out;
}

// Weights that `arbg evaluate` trimmed, as the published tables do.
std::vector<Check> audit_trimming(const std::filesystem::path& folder) {
  const auto path = folder / "evaluation.json";
  if (!std::filesystem::exists(path)) return {};
  const Json evaluation = Json::parse(read_file(path), path.string());
  if (!evaluation.has("trimmed_fraction")) return {};
  return {{"evaluation.json: trimmed, share of the weights",
           evaluation.at("trimmed_fraction").number(), 0, Verdict::warning,
           "biased: all but its raw figures are without the largest weights"}};
}

// What run.json says of the samples, against the model and the arrays beside it.
std::vector<Check> audit_run_json(const SamplesFile& run, const Model& model,
                                  const sampling::StoredSamples& samples) {
  const int differ =
      (run.forcefield != model.forcefield) + (run.temperature_kelvin != model.temperature_kelvin);
  std::vector<Check> out{
      judged("run.json: force field and temperature other than the model's", differ, 0,
             run.forcefield + ", " + metrics::format_number(run.temperature_kelvin) + " K")};
  for (const auto& label : run.labels)
    out.push_back({"run.json: a label", 0, 0, Verdict::warning, label});
  if (run.smc)
    out.push_back(populations_said(*run.smc, samples));
  else if (run.weights)
    out.push_back(weights_said(*run.weights, samples));
  return out;
}

}  // namespace

AuditJob audit_job_of(const std::filesystem::path& run) {
  AuditJob job;
  const bool demo = kind_of(run / "samples") == RunKind::sample;
  job.samples = demo ? run / "samples" : run;
  require(std::filesystem::exists(job.samples / "run.json"), run.string(),
          ": expected a folder made by arbg sample or arbg demo (there is no run.json)");
  job.model = read_samples_file(job.samples).model;
  if (demo) {
    job.model = run / "model" / "checkpoint.safetensors";
    const bool second = kind_of(run / "reference") == RunKind::md;
    job.reference = run / (second ? "reference" : "md");
  }
  return job;
}

sampling::Audit run_audit(const AuditJob& job) {
  std::optional<SamplesRun> run;
  if (!job.samples.empty()) run = read_samples(job.samples);
  const Model model = load_audited(job, run);
  const auto target = model.target(Backend::cpu);
  sampling::Decoding decoding;
  if (run) decoding = run->file.decoding;
  const sampling::AutoregressiveProposal proposal(model.generator, decoding);
  sampling::AuditSubject subject{proposal, target, model.topology};
  sampling::StoredSamples stored;
  if (run) {
    stored = stored_of(*run, model, job.samples);
    subject.stored = &stored;
    subject.said = audit_run_json(run->file, model, stored);
    std::ranges::copy(audit_trimming(job.samples), std::back_inserter(subject.said));
  }
  Dataset data;
  if (!job.reference.empty()) data = load_reference(job.reference, model);
  const auto reference = data.ensemble();
  if (!job.reference.empty()) subject.reference = &reference;
  auto out = sampling::audit(subject, {job.fresh, job.close, job.seed});
  out.subtitle = job.model.string() + ", " + model.forcefield + " at " +
                 metrics::format_number(model.temperature_kelvin) + " K, " +
                 model.generator.map().name() + " coordinates";
  return out;
}

}  // namespace arbg::apps
