#include "apps/runs/audit_job.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/cli/decoding_options.h"
#include "apps/runs/results_json.h"
#include "apps/runs/sample_job.h"
#include "metrics/format_number.h"
#include "metrics/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/smc/population.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tensor/base/streams.h"

namespace arbg::apps {
namespace {

using sampling::Check;
using sampling::judged;
using sampling::Verdict;

Json run_json(const std::filesystem::path& folder) {
  return Json::parse(read_file(folder / "run.json"), (folder / "run.json").string());
}

sampling::StoredSamples load_stored(const std::filesystem::path& folder, const Model& model) {
  sampling::StoredSamples out;
  WeightedSamples samples = load_samples(folder, model.topology.atom_count());
  out.positions_nm = std::move(samples.positions_nm);
  out.log_q = std::move(samples.log_q);
  out.reduced_energy = std::move(samples.reduced_energy);
  out.log_weight = std::move(samples.log_weight);
  const Json run = run_json(folder);
  out.reflected = run.has("reflected");
  if (run.has("method")) {
    out.populations = run.at("populations").integer();
    for (const double one : read_npy(folder / "ancestor.npy").data)
      out.ancestor.push_back(static_cast<std::int32_t>(one));
    require(std::ssize(out.ancestor) == out.count(), folder.string(), ": ancestor.npy has ",
            out.ancestor.size(), " entries, expected one for each of ", out.count(), " samples");
  }
  if (!std::filesystem::exists(folder / "tokens.npy")) return out;
  const auto tokens = read_npy(folder / "tokens.npy");
  require(std::ssize(tokens.data) == out.count() * model.generator.map().size(), folder.string(),
          ": tokens.npy has ", tokens.data.size(), " tokens, expected ",
          model.generator.map().size(), " for each of ", out.count(), " samples");
  for (const double token : tokens.data) out.tokens.push_back(static_cast<std::int32_t>(token));
  return out;
}

// A model of many molecules is that of the samples' molecule.
Model load_audited(const AuditJob& job) {
  if (job.samples.empty()) return load_model(job.model, job.backend, true);
  const Json run = run_json(job.samples);
  const bool averaged =
      !run.has("network_weights") || run.at("network_weights").string() == "average";
  const std::string pdb = read_file(job.samples / "topology.pdb");
  return load_model(
      job.model, job.backend, averaged,
      ToldMolecule{md::read_pdb(job.samples / "topology.pdb").topology, pdb,
                   run.at("forcefield").string(), run.at("temperature_kelvin").number()});
}

// The figures of populations in run.json.
Check populations_said(const Json& run, const sampling::StoredSamples& samples) {
  const auto summary = sampling::summarise(samples.log_weight, samples.populations);
  const auto log_z = sampling::log_z_of_populations(samples.log_weight, samples.populations);
  const Json& said = run.at("log_z_of_populations");
  const auto difference = [](const Json& number, double b) {
    const double a = number.is_null() ? -std::numeric_limits<double>::infinity() : number.number();
    return a == b || (number.is_null() && !std::isfinite(b)) ? 0
                                                             : std::abs(a - b) / (1 + std::abs(b));
  };
  double largest = said.items().size() == log_z.size() ? 0 : 1;
  for (std::size_t p = 0; p < std::min(said.items().size(), log_z.size()); ++p)
    largest = sampling::worse(largest, difference(said.items()[p], log_z[p]));
  largest = sampling::worse(largest, difference(run.at("log_z"), summary.log_z));
  largest = sampling::worse(largest, difference(run.at("log_z_error"), summary.log_z_error));
  largest = sampling::worse(largest, difference(run.at("ess_fraction"), summary.ess_fraction));
  return judged("run.json: figures of the populations against the arrays, relative", largest, 1e-9,
                "log Z of each and of all, error, effective share");
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
std::vector<Check> audit_run_json(const std::filesystem::path& folder, const Model& model,
                                  const sampling::StoredSamples& samples) {
  const Json run = run_json(folder);
  const std::string forcefield = run.at("forcefield").string();
  const double temperature = run.at("temperature_kelvin").number();
  const int differ = (forcefield != model.forcefield) + (temperature != model.temperature_kelvin);
  std::vector<Check> out{judged("run.json: force field and temperature other than the model's",
                                differ, 0,
                                forcefield + ", " + metrics::format_number(temperature) + " K")};
  for (std::size_t i = 0; run.has("labels") && i < run.at("labels").items().size(); ++i) {
    out.push_back(
        {"run.json: a label", 0, 0, Verdict::warning, run.at("labels").items()[i].string()});
  }
  if (samples.populations > 0) {
    out.push_back(populations_said(run, samples));
    return out;
  }
  if (!run.has("weights")) return out;
  const auto summary = metrics::summarise_weights(samples.log_weight);
  const Json &said = run.at("weights"), found = summary_json(summary);
  double largest = 0;
  for (const char* name : {"samples", "zero_weights", "ess", "log_z", "largest_share"}) {
    const double a = said.at(name).number(), b = found.at(name).number();
    largest = sampling::worse(largest, std::abs(a - b) / (1 + std::abs(b)));
  }
  out.push_back(judged("run.json: figures of the weights against the arrays, relative", largest,
                       1e-9, "samples, zero weights, ESS, log Z, largest share"));
  return out;
}

}  // namespace

AuditJob audit_job_of(const std::filesystem::path& run) {
  AuditJob job;
  const bool demo = std::filesystem::exists(run / "samples" / "run.json");
  job.samples = demo ? run / "samples" : run;
  require(std::filesystem::exists(job.samples / "run.json"), run.string(),
          ": expected a folder made by arbg sample or arbg demo (there is no run.json)");
  const Json json = run_json(job.samples);
  require(json.has("kind") && json.at("kind").string() == "samples" && json.has("model"),
          run.string(), ": run.json is not of samples; give a folder made by arbg sample or demo");
  job.model = json.at("model").string();
  if (demo) {
    job.model = run / "model" / "checkpoint.safetensors";
    job.reference = run / "md";
  }
  return job;
}

sampling::Audit run_audit(const AuditJob& job) {
  const Model model = load_audited(job);
  const auto target = model.target(Backend::cpu);
  sampling::Decoding decoding;
  if (!job.samples.empty()) decoding = decoding_of(run_json(job.samples));
  const sampling::AutoregressiveProposal proposal(model.generator, decoding);
  sampling::AuditSubject subject{proposal, target, model.topology};
  sampling::StoredSamples stored;
  if (!job.samples.empty()) {
    stored = load_stored(job.samples, model);
    subject.stored = &stored;
    subject.said = audit_run_json(job.samples, model, stored);
    std::ranges::copy(audit_trimming(job.samples), std::back_inserter(subject.said));
  }
  Dataset data;
  if (!job.reference.empty()) {
    data = load_dataset(job.reference, model.forcefield);
    data.reorder(model.topology, job.reference.string());
  }
  const auto reference = data.ensemble();
  if (!job.reference.empty()) subject.reference = &reference;
  auto out = sampling::audit(subject, {job.fresh, job.close, job.seed});
  out.subtitle = job.model.string() + ", " + model.forcefield + " at " +
                 metrics::format_number(model.temperature_kelvin) + " K, " +
                 model.generator.map().name() + " coordinates";
  return out;
}

}  // namespace arbg::apps
