// The pictures of an evaluation: samples, by their weights where they have some, beside the
// reference. The report shows all, `arbg plot` one.
#pragma once

#include <string>
#include <vector>

#include "apps/runs/dataset.h"
#include "apps/runs/samples_run.h"
#include "metrics/pages/report.h"
#include "sampling/evaluation/evaluation.h"

namespace arbg::apps {

metrics::Plot energy_plot(const SamplesRun& samples, const sampling::Evaluation& e,
                          const Dataset& reference);

// Of samples with weights.
metrics::Plot weight_plot(const SamplesRun& samples);

// Effective samples and k-hat of the first n samples, by n. Of independent samples with weights.
metrics::Plot effective_samples_plot(const SamplesRun& samples);
metrics::Plot pareto_k_plot(const SamplesRun& samples);

// Of one residue: the reference, the samples, and their difference.
std::vector<metrics::Figure> torsion_maps(const sampling::ResidueAngles& residue,
                                          const sampling::Evaluation& e);

// The plane of the slowest motions: the reference, and the samples.
std::vector<metrics::Figure> slow_maps(const sampling::Evaluation& e);

metrics::Plot spread_plot(const sampling::Spread& spread, const sampling::Evaluation& e);

// All of them, by name ("ramachandran-difference", "chi1", "bonds-C-N") and by residue ("ALA2"),
// which is empty for pictures that are of no residue.
struct Picture {
  std::string name, residue;
  metrics::Figure figure;

  std::string title() const;
};
std::vector<Picture> pictures_of(const SamplesRun& samples, const sampling::Evaluation& e,
                                 const Dataset& reference);

// The one of that name, of a residue given as "ALA2" or "2". Throws Error for a name that there is
// not, and where only the residue tells which one.
const Picture& find_picture(const std::vector<Picture>& all, const std::string& name,
                            const std::string& residue);

}  // namespace arbg::apps
