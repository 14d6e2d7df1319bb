// Accuracy against energies computed: a table, and curves on logarithmic axes, beside what is
// published of the molecule.
#pragma once

#include <string>
#include <vector>

#include "apps/jobs/evaluate_job.h"
#include "apps/runs/published_figures.h"
#include "metrics/pages/report.h"
#include "metrics/pages/table.h"

namespace arbg::apps {

// Of one set of samples; nothing without budgets.
struct BudgetCurve {
  std::string name;
  std::vector<BudgetPoint> points;
};

metrics::Table budget_table(const std::vector<BudgetCurve>& curves,
                            const PublishedFigures& published);
void add_budgets(const std::vector<BudgetCurve>& curves, const PublishedFigures& published,
                 metrics::Report& report);

Json to_json(const std::vector<BudgetPoint>& points);
Json to_json(const PublishedFigures& published);

}  // namespace arbg::apps
