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
};

// Figures of weights and distances, and the floors in the last row; for the terminal and the page.
// Where distances are of other numbers of samples, that is said in a column of its own.
metrics::Table comparison_table(const std::vector<ComparedSamples>& all);

// Of those that have budgets.
std::vector<BudgetCurve> curves_of(const std::vector<ComparedSamples>& all);

// `command` makes the page again.
void write_comparison(const std::filesystem::path& path, const std::vector<ComparedSamples>& all,
                      const std::vector<double>& reference_energy, const std::string& reference,
                      const std::string& command);

}  // namespace arbg::apps
