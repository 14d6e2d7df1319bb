// Samples judged against a reference: what `arbg evaluate` does with each of its samples.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/runs/dataset.h"
#include "apps/runs/samples_run.h"
#include "sampling/evaluation/evaluation.h"
#include "tensor/base/backend.h"
#include "tensor/base/ranks.h"

namespace arbg::apps {

struct EvaluateJob {
  std::filesystem::path samples;      // a folder of arbg sample, or as given_samples.h reads
  std::filesystem::path log_weights;  // of those; may be empty
  std::filesystem::path reference;
  std::filesystem::path model;      // that the samples are from; may be empty
  std::filesystem::path tica;       // of slow components, to be used again; may be empty
  std::filesystem::path structure;  // PDB file that conformations may be folded as; may be empty
  Backend backend = Backend::cpu;
  sampling::EvaluationOptions options;
  std::vector<std::int64_t> budgets;  // energies, ascending: what do the first samples give?
};

// What samples are worth that took no more than a budget of energies.
struct BudgetPoint {
  std::int64_t energies = 0, samples = 0, points = 0;
  double ess = 0;  // 0 where samples have no weights
  sampling::Distance energy_w2_kt, torsion_w2_rad;
};

struct EvaluateOutcome {
  SamplesRun samples;
  Dataset reference;  // its atoms in the order of the samples
  sampling::Evaluation evaluation;
  std::vector<std::string> labels;   // of the weights: what makes figures biased
  std::vector<BudgetPoint> budgets;  // of these that at least two samples keep to
};

// Whether these samples, which are there, are not a folder of arbg sample.
bool is_from_elsewhere(const std::filesystem::path& samples);

// The slow components of an evaluation as tica.json, so that other samples can be projected alike;
// empty where there are none.
std::string components_text(const sampling::Evaluation& evaluation, const md::Topology& topology);

// Throws Error if samples, reference and model do not fit together: another molecule, force field
// or temperature, arrays that are cut, a model with samples that are not of its own density,
// weights where there can be none, components or a structure of another molecule.
//
// Ranks share the energies of trajectories that have none, and what evaluate() does; the first
// alone has all of the evaluation.
EvaluateOutcome run_evaluate_job(const EvaluateJob& job, const Ranks& ranks = Ranks::alone());

}  // namespace arbg::apps
