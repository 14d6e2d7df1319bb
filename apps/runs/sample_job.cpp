#include "apps/runs/sample_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/cli/decoding_options.h"
#include "apps/cli/progress.h"
#include "apps/runs/results_json.h"
#include "metrics/pages/table.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/smc/population.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

// Pilot samples at each temperature.
constexpr std::int64_t kPilot = 2000;

void write_vector(const std::filesystem::path& path, std::span<const double> values) {
  const std::int64_t shape[] = {static_cast<std::int64_t>(values.size())};
  write_npy(path, shape, values);
}

std::unique_ptr<const sampling::Proposal> proposal_of(const SampleJob& job,
                                                      const sampling::Generator& generator,
                                                      const sampling::Decoding& decoding,
                                                      const sampling::Target& target) {
  auto network = std::make_unique<sampling::AutoregressiveProposal>(generator, decoding);
  if (job.mirror == sampling::Mirror::none) return network;
  return std::make_unique<sampling::MirroredProposal>(std::move(network), target, job.mirror);
}

}  // namespace

std::vector<std::string> labels(const SampleJob& job) {
  std::vector<std::string> out;
  if (job.decoding.biased()) out.emplace_back(sampling::kTruncated);
  if (job.mirror == sampling::Mirror::keep_old_log_q) {
    out.emplace_back(sampling::kOldLogQ);
  }
  if (job.published_weights) {
    out.emplace_back(
        "inconsistent, as published: weights leave out the density of the centre of mass");
  }
  return out;
}

void clear_samples_folder(const std::filesystem::path& output) {
  for (const char* name :
       {"run.json", "ancestor.npy", "log_z.json", "smc.html", "audit.json", "audit.html",
        "evaluation.json", "report.html"})
    std::filesystem::remove(output / name);
}

std::string log_z_text(const metrics::WeightSummary& summary, const char* plus_minus, int digits) {
  const std::string log_z = metrics::format_number(summary.log_z, digits);
  if (std::isnan(summary.log_z_error)) return log_z + ", without an error";
  return log_z + plus_minus + metrics::format_number(summary.log_z_error, 2);
}

WeightedSamples run_sample_job(const SampleJob& job, const Model& model) {
  const auto target = model.target(job.backend);
  sampling::require_reflectable(model.generator.map(), job.mirror);
  require(!job.published_weights || !model.generator.map().invariant_to_motion(),
          "--published-weights leaves out the centre-of-mass factor of Cartesian coordinates; the "
          "model has ",
          model.generator.map().name(), " ones");
  WeightedSamples out;
  out.decoding = job.decoding;
  if (job.tune_temperature) {
    Progress progress("tune");
    out.tuning = sampling::tune_temperature(
        model.generator, target, job.decoding, kPilot, job.seed,
        [&](double done, double temperature) {
          progress.update(done, "temperature " + metrics::format_number(temperature, 3));
        });
    out.decoding.temperature = out.tuning->temperature;
  }
  create_folder(job.output);
  Progress progress("sample");
  sampling::SampleOptions options;
  options.count = job.count;
  options.seed = job.seed;
  options.on_progress = [&](std::int64_t done) {
    char detail[64];
    std::snprintf(detail, sizeof detail, "%lld samples  %.0f/s", static_cast<long long>(done),
                  static_cast<double>(done) / progress.elapsed_s());
    progress.update(static_cast<double>(done) / static_cast<double>(job.count), detail);
  };
  const auto proposal = proposal_of(job, model.generator, out.decoding, target);
  sampling::Samples samples = proposal->draw(options);
  require(!interrupted(), "interrupted after ", samples.count(), " of ", job.count,
          " samples; nothing was written (the same --seed draws them again)");

  out.reflected = samples.reflected;
  if (job.published_weights) std::ranges::fill(samples.log_volume, 0.0);
  out.reduced_energy = target.reduced_energy(samples.positions_nm);
  out.log_weight = sampling::log_weights(out.reduced_energy, samples.log_volume, samples.log_q);
  const Json weights = summary_json(metrics::summarise_weights(out.log_weight));
  out.log_q = std::move(samples.log_q);
  out.positions_nm = std::move(samples.positions_nm);
  out.seconds = progress.elapsed_s();

  Json figures = Json::object();
  if (out.tuning) figures["tuning"] = to_json(*out.tuning);
  if (job.mirror != sampling::Mirror::none) figures["reflected"] = out.reflected;
  if (job.published_weights) figures["published_weights"] = true;
  figures["weights"] = weights;
  clear_samples_folder(job.output);
  write_samples(job, model, samples.coordinates, out, figures);
  return out;
}

void write_samples(const SampleJob& job, const Model& model, std::span<const double> coordinates,
                   const WeightedSamples& out, const Json& figures) {
  const std::int64_t atoms = model.topology.atom_count();
  const std::int64_t shape[] = {out.count(), atoms, 3},
                     token_shape[] = {out.count(), model.generator.map().size()};
  std::vector<std::int32_t> tokens(coordinates.size());
  model.generator.bins().encode_rows(coordinates, tokens);
  write_file(job.output / "topology.pdb", model.topology_pdb);
  write_npy(job.output / "positions.npy", shape, std::span<const double>(out.positions_nm));
  write_npy(job.output / "tokens.npy", token_shape, std::span<const std::int32_t>(tokens));
  write_vector(job.output / "log_q.npy", out.log_q);
  write_vector(job.output / "energy.npy", out.reduced_energy);
  write_vector(job.output / "log_weight.npy", out.log_weight);
  Json run = Json::object();
  run["kind"] = "samples";
  run["model"] = job.model.string();
  run["forcefield"] = model.forcefield;
  run["temperature_kelvin"] = model.temperature_kelvin;
  run["network_weights"] = job.averaged ? "average" : "last";
  run["coordinates"] = model.generator.map().name();
  run["sampling_temperature"] = out.decoding.temperature;
  run["decoding"] = to_json(out.decoding);
  for (const auto& label : labels(job)) run["labels"].push_back(label);
  run["seed"] = std::to_string(job.seed);
  run["samples"] = out.count();
  run["seconds"] = out.seconds;
  for (const auto& [name, value] : figures.members()) {
    if (name != "labels") run[name] = value;
  }
  if (figures.has("labels")) {
    for (const auto& label : figures.at("labels").items()) run["labels"].push_back(label);
  }
  write_file(job.output / "run.json", run.dump(2) + "\n");
}

WeightedSamples load_samples(const std::filesystem::path& folder, int atoms) {
  WeightedSamples out;
  out.positions_nm = load_positions(folder / "positions.npy", atoms);
  out.reduced_energy = read_npy(folder / "energy.npy").data;
  out.log_q = read_npy(folder / "log_q.npy").data;
  out.log_weight = read_npy(folder / "log_weight.npy").data;
  const auto count = out.positions_nm.size() / static_cast<std::size_t>(3 * atoms);
  require(out.reduced_energy.size() == count && out.log_q.size() == count &&
              out.log_weight.size() == count,
          folder.string(), ": positions.npy has ", count, " samples, but energy.npy ",
          out.reduced_energy.size(), ", log_q.npy ", out.log_q.size(), ", log_weight.npy ",
          out.log_weight.size());
  for (const auto& [name, values] :
       {std::pair("energy.npy", &out.reduced_energy), std::pair("log_q.npy", &out.log_q),
        std::pair("log_weight.npy", &out.log_weight)}) {
    const auto bad = std::ranges::find_if(*values, [](double x) { return std::isnan(x); });
    require(bad == values->end(), (folder / name).string(), ": entry ", bad - values->begin(),
            " is not a number (NaN); make the samples again with arbg sample");
  }
  return out;
}

}  // namespace arbg::apps
