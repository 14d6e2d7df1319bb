// Accuracy against energies computed: a table, and curves on logarithmic axes.
#pragma once

#include <string>
#include <vector>

#include "apps/jobs/evaluate_job.h"
#include "metrics/pages/report.h"
#include "metrics/pages/table.h"

namespace arbg::apps {

// Of one set of samples; nothing without budgets.
struct BudgetCurve {
  std::string name;
  std::vector<BudgetPoint> points;
};

metrics::Table budget_table(const std::vector<BudgetCurve>& curves);
void add_budgets(const std::vector<BudgetCurve>& curves, metrics::Report& report);

Json to_json(const std::vector<BudgetPoint>& points);

}  // namespace arbg::apps
