#include "apps/jobs/evaluate_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

#include "apps/runs/given_samples.h"
#include "apps/runs/model_file.h"
#include "apps/runs/run_folder.h"
#include "md/files/trajectory_order.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/structure_check.h"
#include "metrics/format_number.h"
#include "sampling/evaluation/observables.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json_file.h"

namespace arbg::apps {
namespace {

// Samples of another molecule, force field or temperature cannot be compared. Atoms in another
// order can: the reference takes that of the samples.
void match_molecule(const std::filesystem::path& samples, const SamplesRun& run, Dataset& reference,
                    const std::filesystem::path& reference_path) {
  if (reference.reorder(run.topology, reference_path.string()))
    std::fprintf(stderr, "%s: atoms are matched by names to those of %s\n", reference_path.c_str(),
                 samples.c_str());
  require_same_target(samples.string(), run.file.forcefield, run.file.temperature_kelvin,
                      reference);
}

// Coordinates are by the order of atoms.
void require_same_atoms(const Model& model, const Dataset& reference, const std::string& path) {
  std::string difference = ": its atoms have another order than those of the samples";
  try {
    if (md::is_same_order(md::atom_order(model.topology, reference.topology))) return;
  } catch (const Error& error) {
    difference = std::string(": its atoms are not those of the samples: ") + error.what();
  }
  fail(path, difference, "; give the model that the samples are from");
}

// Arrays that are cut, or of another run than run.json, are not evaluated.
void require_own_arrays(const std::filesystem::path& folder, const SamplesRun& run) {
  require(run.count() == run.file.samples, folder.string(), ": run.json is of ", run.file.samples,
          " samples, the arrays are of ", run.count(), "; draw them again with arbg sample");
  if (!run.file.weights) return;
  const double stated = run.file.weights->log_z,
               found = metrics::summarise_weights(run.log_weight).log_z;
  require(!(std::abs(stated - found) > 1e-6 * std::max(1.0, std::abs(stated))), folder.string(),
          ": run.json has log Z ", stated, ", the weights of log_weight.npy ", found,
          ": they are of different runs; draw the samples again with arbg sample");
}

// What makes the figures biased: said by the samples' run.json, and what trimming adds.
std::vector<std::string> labels_of(const SamplesFile& run,
                                   const sampling::EvaluationOptions& options) {
  auto out = run.labels;
  if (options.trim > 0) {
    out.push_back("biased, as published: the largest " +
                  metrics::format_number(100 * options.trim, 2) +
                  " % of the weights are dropped in all but the raw figures");
  }
  if (options.published) {
    const bool drawn = run.weight_kind != sampling::WeightKind::none;
    out.push_back(std::string("as published: ") +
                  (drawn ? "resampled by independent draws, " : "") + "against the first frames");
  }
  return out;
}

void load_own(const EvaluateJob& job, const Ranks& ranks, EvaluateOutcome& out) {
  require(job.log_weights.empty(),
          "--weights is for conformations from elsewhere: ", job.samples.string(), " has its own");
  out.samples = read_samples(job.samples, Tokens::leave);
  require_own_arrays(job.samples, out.samples);
  const md::Topology& molecule = out.samples.topology;
  md::require_nanometres(molecule,
                         md::ForceField::named(out.samples.file.forcefield).create_system(molecule),
                         out.samples.positions_nm, (job.samples / "positions.npy").string());
  out.reference = load_dataset(job.reference, out.samples.file.forcefield, ranks);
  match_molecule(job.samples, out.samples, out.reference, job.reference);
}

void load_given(const EvaluateJob& job, const Ranks& ranks, EvaluateOutcome& out) {
  require(job.model.empty(), "leave --model out: it says nothing of conformations from elsewhere");
  out.reference = load_dataset(job.reference, kForceFieldOfPublished, ranks);
  out.samples = load_given_samples(job.samples, job.log_weights, out.reference, ranks);
  require(job.options.trim == 0 || job.options.published || !job.log_weights.empty(),
          "leave --trim out: these conformations have no weights; --weights gives them some");
}

// Of ranks on several machines, whose files may differ.
void agree_on_inputs(const EvaluateJob& job, const EvaluateOutcome& of, const Ranks& ranks) {
  ranks.agree("a set of samples", std::as_bytes(std::span(of.samples.positions_nm)));
  ranks.agree("a set of weights", std::as_bytes(std::span(of.samples.log_weight)));
  ranks.agree("a reference", std::as_bytes(std::span(of.reference.positions_nm)));
  if (!job.model.empty()) ranks.agree("a model", read_file(job.model));
}

std::optional<Model> load_evaluated(const EvaluateJob& job, const EvaluateOutcome& of) {
  if (job.model.empty()) return {};
  const SamplesFile& run = of.samples.file;
  require(!run.reflected && !run.published_weights && !run.smc,
          "leave --model out: samples that were reflected, have published weights, or come from "
          "sequential Monte Carlo do not have the model's own density, and Bennett's log Z cannot "
          "be had from both sides");
  const Dataset& reference = of.reference;
  Model model = load_model(job.model, job.backend, true,
                           ToldMolecule{reference.topology, reference.topology_pdb,
                                        reference.forcefield, reference.temperature_kelvin},
                           run.within_bins);
  require_same_atoms(model, reference, job.model.string());
  return model;
}

// The names of the residues of these atoms.
std::vector<std::string> amino_acids(const md::Topology& topology, std::span<const int> c_alphas) {
  std::vector<std::string> out;
  for (const int atom : c_alphas) {
    const int residue = topology.atoms[static_cast<std::size_t>(atom)].residue;
    out.push_back(topology.residues[static_cast<std::size_t>(residue)].name);
  }
  return out;
}

// C-alpha positions of the file's first model, whose amino acids must be those of the reference.
std::vector<double> load_structure(const std::filesystem::path& path, const Dataset& reference) {
  const md::Pdb pdb = load_pdb(path);
  const auto there = sampling::c_alphas(pdb.topology);
  const auto found = amino_acids(pdb.topology, there),
             expected = amino_acids(reference.topology, sampling::c_alphas(reference.topology));
  require(found == expected, path.string(), ": expected the ", expected.size(),
          " amino acids of the samples in their order, found ", found.size(),
          found.size() == expected.size() ? " others" : "");
  std::vector<double> out;
  for (const int atom : there) {
    const auto first = pdb.positions_nm.begin() + 3 * atom;
    out.insert(out.end(), first, first + 3);
  }
  return out;
}

std::int64_t samples_for(std::int64_t budget, const SamplesFile& run) {
  return (budget - run.warm_up_energies) / run.energies_a_sample;
}

// Of a run of dynamics the warm-up counts, and steps of all temperatures.
std::vector<BudgetPoint> points_of_budgets(const std::vector<std::int64_t>& budgets,
                                           sampling::EvaluationOptions options,
                                           const EvaluateOutcome& of, const Ranks& ranks) {
  if (budgets.empty()) return {};
  const SamplesFile& run = of.samples.file;
  require(!run.smc,
          "leave --budgets out: particles of sequential Monte Carlo share their energies");
  const std::int64_t half = of.reference.frames() / 2,
                     wanted = std::min({static_cast<std::int64_t>(options.points),
                                        of.samples.count(), samples_for(budgets.back(), run)});
  require(half >= wanted, "--budgets compares up to ", wanted,
          " samples with as many frames of either half of the reference, which has ",
          of.reference.frames(), " frames: run more dynamics, or give --points ", half);
  const auto width = 3 * of.reference.topology.atoms.size();
  options.only_distances = true;
  options.progress = nullptr;
  std::vector<BudgetPoint> out;
  for (const std::int64_t budget : budgets) {
    BudgetPoint point;
    point.samples = std::min(of.samples.count(), samples_for(budget, run));
    if (point.samples < std::max<std::int64_t>(2, run.replicas)) continue;
    if (!out.empty() && point.samples == out.back().samples) break;  // there are no more
    const auto count = static_cast<std::size_t>(point.samples);
    auto first = of.samples.ensemble();
    first.positions_nm = first.positions_nm.first(count * width);
    first.reduced_energy = first.reduced_energy.first(count);
    first.log_weight = first.log_weight.first(count);
    const auto some = metrics::trim_largest(first.log_weight, options.trim);
    if (std::ranges::none_of(some, [](double w) { return std::isfinite(w); })) continue;
    const auto e = sampling::evaluate(first, of.reference.ensemble(), nullptr, options, ranks);
    point.energies = run.warm_up_energies + point.samples * run.energies_a_sample;
    point.points = static_cast<std::int64_t>(e.points);
    if (run.weight_kind != sampling::WeightKind::none) point.ess = e.weights.ess;
    point.energy_w2_kt = e.energy_w2_kt;
    point.torsion_w2_rad = e.torsion_w2_rad;
    out.push_back(point);
  }
  return out;
}

}  // namespace

bool is_from_elsewhere(const std::filesystem::path& samples) {
  std::error_code not_there;
  return std::filesystem::is_regular_file(samples, not_there) || kind_of(samples) == RunKind::md;
}

std::string components_text(const sampling::Evaluation& evaluation, const md::Topology& topology) {
  const auto& components = evaluation.slow.components;
  return components ? sampling::to_json(*components, topology).dump() + "\n" : "";
}

EvaluateOutcome run_evaluate_job(const EvaluateJob& job, const Ranks& ranks) {
  EvaluateOutcome out;
  is_from_elsewhere(job.samples) ? load_given(job, ranks, out) : load_own(job, ranks, out);
  agree_on_inputs(job, out, ranks);
  require(job.options.held_out > 0 && job.options.held_out <= 1,
          "--held-out expects a share above 0 and at most 1, got ", job.options.held_out);
  require(!out.reference.reduced_energy.empty(),
          "the reference folder has no energy.npy; make it with arbg md");
  sampling::EvaluationOptions options = job.options;
  if (out.samples.file.weight_kind == sampling::WeightKind::none) options.trim = 0;
  out.labels = labels_of(out.samples.file, options);
  if (!job.tica.empty()) {
    options.components = located(job.tica.string(), [&] {
      return sampling::slow_components_from_json(Json::parse(read_file(job.tica), "it"),
                                                 out.reference.topology);
    });
  }
  if (!job.structure.empty()) options.structure_nm = load_structure(job.structure, out.reference);
  const auto model = load_evaluated(job, out);
  out.evaluation = sampling::evaluate(out.samples.ensemble(), out.reference.ensemble(),
                                      model ? &model->generator : nullptr, options, ranks);
  out.budgets = points_of_budgets(job.budgets, options, out, ranks);
  return out;
}

}  // namespace arbg::apps
