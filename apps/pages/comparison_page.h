// Several sets of samples against one reference: a row each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/pages/budget_page.h"
#include "metrics/pages/table.h"
#include "sampling/evaluation/evaluation.h"

namespace arbg::apps {

struct ComparedSamples {
  std::string name;
  sampling::Evaluation evaluation;
  std::vector<double> reduced_energy;  // [B]
  std::vector<BudgetPoint> budgets;
  std::vector<std::string> labels;  // of the weights: what makes figures biased
};

// Figures of weights and distances, each beside the floor of as many points; for the terminal and
// the page.
metrics::Table comparison_table(const std::vector<ComparedSamples>& all);

// Of those that have budgets.
std::vector<BudgetCurve> curves_of(const std::vector<ComparedSamples>& all);

// `command` makes the page again.
void write_comparison(const std::filesystem::path& path, const std::vector<ComparedSamples>& all,
                      const std::vector<double>& reference_energy,
                      const PublishedFigures& published, const std::string& reference,
                      const std::string& command);

}  // namespace arbg::apps
