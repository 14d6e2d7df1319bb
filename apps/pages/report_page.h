// The report of a run: what was sampled, how far to trust it, and pictures beside the reference.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/jobs/sample_job.h"
#include "apps/pages/budget_page.h"
#include "apps/runs/dataset.h"
#include "metrics/pages/report.h"
#include "metrics/pages/table.h"
#include "sampling/audit/audit.h"
#include "sampling/evaluation/evaluation.h"

namespace arbg::apps {

struct ReportInput {
  std::string title, subtitle;
  std::string command;  // that makes the page again
  const sampling::Evaluation* evaluation = nullptr;
  const SamplesRun* samples = nullptr;
  const Dataset* reference = nullptr;
  std::vector<BudgetCurve> budgets;                        // empty: no such section
  std::vector<metrics::Figure> smc_figures;                // of sequential Monte Carlo only
  std::filesystem::path train_log;                         // may be empty
  const sampling::Audit* audit = nullptr;                  // of these samples, if there was one
  std::vector<std::pair<std::string, std::string>> facts;  // what ran, with times
};

// The main figures, each with what it means and what to compare it with: for the terminal and the
// page.
metrics::Table results_table(const sampling::Evaluation& evaluation);

// E-W2 and T-W2 of the published generator on its own molecules, to read ours beside.
metrics::Table published_table();

void write_report(const std::filesystem::path& path, const ReportInput& input);

}  // namespace arbg::apps
