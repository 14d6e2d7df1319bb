#include "apps/jobs/refine_job.h"

#include <cstdio>
#include <optional>

#include "apps/cli/progress.h"
#include "apps/jobs/train_job.h"
#include "apps/runs/computed_by.h"
#include "apps/runs/model_file.h"
#include "apps/runs/refine_folder.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "sampling/proposals/bonded_marginals.h"
#include "tensor/base/files.h"
#include "tensor/base/json_file.h"

namespace arbg::apps {
namespace {

// What the first round draws with.
struct Start {
  nn::Checkpoint checkpoint;
  std::int64_t energies = 0;  // that it took
};

Json settings_of(const RefineJob& job) {
  const sampling::RefinementOptions& options = job.options;
  const nn::TrainerOptions trainer = options.trainer_of_all_rounds();
  trainer.check();  // before anything is written
  Json json = trainer.to_json();
  json["model"] = job.model.string();
  json["sequence"] = job.sequence;
  json["forcefield"] = job.forcefield;
  json["temperature_kelvin"] = job.temperature_kelvin;
  if (job.model.empty() && job.placement != "none") json["placement"] = job.placement;
  nn::say_within_bins(json, *job.within_bins);
  json["rounds"] = options.rounds;
  json["samples"] = options.samples;
  json["steps"] = options.steps;
  json["walkers"] = options.walkers;
  json["warm_up"] = options.warm_up;
  json["moves"] = options.moves;
  json["until"] = options.until;
  json["patience"] = options.patience;
  json["sampling_temperature"] = options.sampling_temperature;
  add_computed_by(json, job.backend);
  return json;
}

// Counts [K, V] of coordinates that have placement energies become uniform: these have all that
// marginals know of, and more.
void leave_to_energies(std::vector<double>& counts, const nn::Placement& placement,
                       std::int64_t bins) {
  for (std::int64_t j = 0; j * bins < std::ssize(counts); ++j)
    if (placement.has_curve(j)) std::fill_n(counts.begin() + j * bins, bins, 1.0);
}

Start start_from_forcefield(const RefineJob& job, const RunFolder& output) {
  Dataset nothing;
  nothing.forcefield = job.forcefield;
  nothing.temperature_kelvin = job.temperature_kelvin;
  nothing.topology = md::Topology::from_sequence(job.sequence);
  const auto system = md::ForceField::named(job.forcefield).create_system(nothing.topology);
  const auto ideal = md::ideal_geometry(nothing.topology, system);
  output.require_ours();
  if (output.ranks().is_first())
    md::write_pdb(job.output / "topology.pdb", nothing.topology, ideal);
  output.ranks().barrier();  // it is there for all
  nothing.topology_pdb = read_file(job.output / "topology.pdb");
  const auto map = md::make_internal_map(nothing.topology, system, job.temperature_kelvin, ideal);
  Start out;
  auto config = own_network();
  config.placement = placement_named(job.placement);
  out.checkpoint.config = sampling::network_for(config, *map);
  out.checkpoint.bins = sampling::bins_of(*map, out.checkpoint.config.num_bins);
  out.checkpoint.description = describe_model(nothing, *map, config);
  nn::Transformer network(out.checkpoint.config, job.backend, job.options.trainer.seed);
  auto marginals =
      sampling::bonded_marginals(*map, *out.checkpoint.bins, system, job.temperature_kelvin, ideal);
  if (const auto placement =
          placement_of(out.checkpoint.description, nothing.topology, *map, config))
    leave_to_energies(marginals, *placement, out.checkpoint.bins->bins());
  network.initialise_from_marginals(marginals);
  out.checkpoint.weights = network.values();
  out.energies = map->size() * out.checkpoint.bins->bins();
  return out;
}

// The trainer's options among the settings of a run, but for warm_up: there it is of the walkers.
nn::TrainerOptions trainer_options_of(Json settings) {
  settings["warm_up"] = nn::TrainerOptions().warm_up;
  return nn::TrainerOptions::from_json(settings);
}

// What is recommended for the coordinates of the model to start from, if there is one.
nn::TrainerOptions recommended_for(const RefineJob& job,
                                   const std::optional<nn::Checkpoint>& model) {
  TrainJob recommended;
  recommended.backend = job.backend;
  if (model && model->description.is_object() && model->description.has("coordinate_map"))
    recommended.coordinates = located(job.model.string(), [&] {
      return std::string(member(model->description.at("coordinate_map"), "name", &Json::string));
    });
  set_recommended(recommended);
  return recommended.trainer;
}

// What the user did not name becomes as the run in the folder began, before there was a choice
// without placement energies, uniform within bins and with AdamW. In a new run it is what is
// recommended; of the trainer's options, the optimizer and variance_weight_most.
void settle_unnamed(RefineJob& job, const RefineFolder& folder,
                    const std::optional<nn::Checkpoint>& model) {
  const std::optional<Json> there = folder.settings_there();
  std::string placement = recommended_placement("internal");
  nn::WithinBins within_bins = nn::WithinBins::sloped;
  nn::TrainerOptions trainer;
  if (there) {
    located(folder.settings_path().string(), [&] {
      placement = there->has("placement") ? member(*there, "placement", &Json::string) : "none";
      within_bins = nn::within_bins_of(*there);
      trainer = trainer_options_of(*there);
    });
  } else {
    trainer = recommended_for(job, model);
  }
  if (job.placement.empty()) job.placement = placement;
  if (!job.within_bins) job.within_bins = within_bins;
  keep_unnamed(job.named, trainer, job.options.trainer);
}

Start start_from_model(const RefineJob& job, const RunFolder& output,
                       const nn::Checkpoint& checkpoint) {
  Start out;
  out.checkpoint = checkpoint;
  const Model model = make_model(out.checkpoint, job.backend, true, job.model.string());
  output.require_ours();
  if (output.ranks().is_first()) write_file(job.output / "topology.pdb", model.topology_pdb);
  out.checkpoint.weights = out.checkpoint.network(job.backend, true).values();
  return out;
}

Start start_of(const RefineJob& job, const RunFolder& output,
               const std::optional<nn::Checkpoint>& model,
               const std::optional<nn::Checkpoint>& saved) {
  if (saved) return {*saved, 0};
  require(model || job.model.empty(), job.output.string(), " changed while it was read: try again");
  Start start = model ? start_from_model(job, output, *model) : start_from_forcefield(job, output);
  nn::say_within_bins(start.checkpoint.description, *job.within_bins);
  return start;
}

// Ranks have read the same.
void require_alike(const Start& start, const sampling::Refinement& refinement, const Ranks& ranks) {
  if (ranks.count() == 1) return;
  std::vector<double> numbers = refinement.state().walkers;
  for (const auto& [name, tensor] : start.checkpoint.weights)
    for (const double value : tensor.values()) numbers.push_back(value);
  ranks.agree("a model to start from", start.checkpoint.description.dump());
  ranks.agree("weights or walkers to start from", std::as_bytes(std::span(numbers)));
}

// The walkers, from samples of the model to the start of the first round. False: interrupted.
bool warm_up(sampling::Refinement& refinement, const RefineFolder& folder, const Ranks& ranks) {
  Progress progress("warm up");
  const bool resumed = folder.resume_warm_up(refinement);
  ranks.agree("a warm-up", std::to_string(resumed ? refinement.warm_up_moves() : -1));
  if (!resumed) {
    if (!refinement.begin()) return false;
    if (refinement.warmed_up()) folder.save_warm_up(refinement);  // no moves: saved all the same
  }
  while (!refinement.warmed_up()) {
    if (!refinement.warm_up()) return false;
    folder.save_warm_up(refinement);
    char detail[80];
    std::snprintf(detail, sizeof detail, "%.0f %% of moves accepted, step %.2f",
                  100 * refinement.accepted(), refinement.eps());
    progress.update(static_cast<double>(refinement.warm_up_moves()) /
                        static_cast<double>(refinement.options().warm_up),
                    detail);
  }
  return true;
}

void show(Progress& progress, const sampling::RefinementOptions& options,
          const sampling::RefinementRound& round, std::int64_t steps) {
  const double done = static_cast<double>(round.round) +
                      static_cast<double>(steps) / static_cast<double>(options.steps);
  char detail[160];
  std::snprintf(detail, sizeof detail,
                "round %lld/%lld  ESS %.1f %%  exchanged %.1f %%  %lld energies",
                static_cast<long long>(round.round + 1), static_cast<long long>(options.rounds),
                100 * round.weights.ess_fraction, 100 * round.exchanged,
                static_cast<long long>(round.energies));
  progress.update(done / static_cast<double>(options.rounds), detail);
}

// All rounds that are left, each saved. False: interrupted.
bool make_rounds(sampling::Refinement& refinement, const RefineFolder& folder) {
  Progress progress("refine");
  while (!refinement.done()) {
    const bool made = refinement.advance([&](const auto& round, std::int64_t steps) {
      show(progress, refinement.options(), round, steps);
    });
    if (!made) return false;
    folder.save(refinement);
  }
  return true;
}

}  // namespace

RefineJob::RefineJob(nn::Backend on) : backend(on) {
  TrainJob recommended;
  recommended.backend = backend;
  set_recommended(recommended);
  options.trainer = recommended.trainer;
}

RefineOutcome run_refine_job(const RefineJob& asked, const RunFolder& output) {
  RefineJob job = asked;
  const RefineFolder found(job.output, {}, output);
  std::optional<nn::Checkpoint> given;  // to start from; a run with rounds needs it no more
  if (!job.model.empty() && !std::filesystem::exists(found.checkpoint_path()))
    given = nn::Checkpoint::read(job.model, job.backend);
  settle_unnamed(job, found, given);
  const RefineFolder folder(job.output, settings_of(job), output);
  const auto saved = folder.read_checkpoint(job.backend);
  const Start start = start_of(job, output, given, saved);
  const Model model = make_model(start.checkpoint, job.backend, true, job.output.string());
  const auto target = model.target(job.backend);
  const auto placement = placement_of(start.checkpoint.description, model.topology,
                                      model.generator.map(), start.checkpoint.config);
  sampling::Refinement refinement(start.checkpoint, target, job.options, job.backend,
                                  start.energies, placement, output.ranks());
  if (saved) folder.resume(refinement, *saved);
  require_alike(start, refinement, output.ranks());

  const bool warm = saved || warm_up(refinement, folder, output.ranks());
  const bool made = warm && make_rounds(refinement, folder);
  RefineOutcome out;
  out.trainer = job.options.trainer;
  out.checkpoint = folder.checkpoint_path();
  out.history = refinement.history();
  out.rounds = std::ssize(out.history);
  out.energies = refinement.energies();
  out.parameters = refinement.parameters();
  out.seconds = out.history.empty() ? 0 : out.history.back().seconds;
  if (!made) return out;
  const auto weights = refinement.judge(job.final_samples);
  if (weights) out.weights = *weights;
  out.complete = weights.has_value();
  return out;
}

}  // namespace arbg::apps
