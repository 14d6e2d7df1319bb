#include "apps/jobs/sample_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "apps/cli/progress.h"
#include "apps/runs/computed_by.h"
#include "metrics/pages/table.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/proposals/shared_samples.h"
#include "sampling/smc/population.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"

namespace arbg::apps {
namespace {

// Pilot samples at each temperature.
constexpr std::int64_t kPilot = 2000;

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

std::string log_z_text(const metrics::WeightSummary& summary, const char* plus_minus, int digits) {
  const std::string log_z = metrics::format_number(summary.log_z, digits);
  if (std::isnan(summary.log_z_error)) return log_z + ", without an error";
  return log_z + plus_minus + metrics::format_number(summary.log_z_error, 2);
}

SamplesRun begin_samples(const SampleJob& job, const Model& model,
                         std::span<const double> coordinates) {
  SamplesRun out;
  out.file.model = job.model;
  out.file.forcefield = model.forcefield;
  out.file.temperature_kelvin = model.temperature_kelvin;
  out.file.averaged = job.averaged;
  out.file.products = products_of(job.backend);
  out.file.coordinates = model.generator.map().name();
  out.file.decoding = job.decoding;
  out.file.within_bins = model.generator.within_bins();
  out.file.labels = labels(job);
  out.file.seed = job.seed;
  out.file.samples = std::ssize(coordinates) / model.generator.map().size();
  out.topology = model.topology;
  out.topology_pdb = model.topology_pdb;
  out.tokens.resize(coordinates.size());
  model.generator.bins().encode_rows(coordinates, out.tokens);
  return out;
}

namespace {

sampling::TemperatureTuning tune(const SampleJob& job, const Model& model,
                                 const sampling::Target& target) {
  Progress progress("tune");
  return sampling::tune_temperature(
      model.generator, target, job.decoding, kPilot, job.seed,
      [&](double done, double temperature) {
        progress.update(done, "temperature " + metrics::format_number(temperature, 3));
      });
}

// This rank's share.
sampling::Samples draw(const SampleJob& job, const sampling::Proposal& proposal, const Ranks& ranks,
                       Progress& progress) {
  const Share share = ranks.share(job.count);
  sampling::SampleOptions options;
  options.first = share.first;
  options.count = share.count();
  options.seed = job.seed;
  options.on_progress = [&](std::int64_t done) {
    char detail[64];
    std::snprintf(detail, sizeof detail, "%lld samples  %.0f/s", static_cast<long long>(done),
                  static_cast<double>(done) / progress.elapsed_s());
    progress.update(static_cast<double>(done) / static_cast<double>(options.count), detail);
  };
  sampling::Samples samples = proposal.draw(options);
  require(!ranks.any(interrupted()), "interrupted after ", samples.count(), " of ", job.count,
          " samples; nothing was written (the same --seed draws them again)");
  return samples;
}

}  // namespace

SamplesRun run_sample_job(const SampleJob& job, const Model& model, const RunFolder& output) {
  const Ranks& ranks = output.ranks();
  const auto target = model.target(job.backend);
  sampling::require_reflectable(model.generator.map(), job.mirror);
  require(!job.published_weights || !model.generator.map().invariant_to_motion(),
          "--published-weights leaves out the centre-of-mass factor of Cartesian coordinates; the "
          "model has ",
          model.generator.map().name(), " ones");
  sampling::Decoding decoding = job.decoding;
  std::optional<sampling::TemperatureTuning> tuning;
  if (job.tune_temperature) {
    if (ranks.is_first()) tuning = tune(job, model, target);
    decoding.temperature = ranks.broadcast(tuning ? tuning->temperature : 0);
  }
  Progress progress("sample");
  const auto proposal = proposal_of(job, model.generator, decoding, target);
  const sampling::Samples own = draw(job, *proposal, ranks, progress);
  const auto own_energy = target.reduced_energy(own.positions_nm);
  sampling::Samples samples = sampling::gather_at_first(own, ranks);
  const auto energy = ranks.gather_at_first(std::span<const double>(own_energy));
  if (!ranks.is_first()) return {};

  SamplesRun out = begin_samples(job, model, samples.coordinates);
  out.file.decoding = decoding;
  out.file.tuning = std::move(tuning);
  if (job.mirror != sampling::Mirror::none) out.file.reflected = samples.reflected;
  out.file.published_weights = job.published_weights;
  if (job.published_weights) std::ranges::fill(samples.log_volume, 0.0);
  out.reduced_energy = energy;
  out.log_weight = sampling::log_weights(out.reduced_energy, samples.log_volume, samples.log_q);
  out.file.weights = metrics::summarise_weights(out.log_weight);
  out.log_q = std::move(samples.log_q);
  out.positions_nm = std::move(samples.positions_nm);
  out.file.seconds = progress.elapsed_s();
  write_samples(output, out);
  return out;
}

}  // namespace arbg::apps
