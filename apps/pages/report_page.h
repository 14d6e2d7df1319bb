// The report of a run: what was sampled, how far to trust it, and pictures beside the reference.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/jobs/sample_job.h"
#include "apps/pages/budget_page.h"
#include "apps/runs/dataset.h"
#include "metrics/pages/report.h"
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
  PublishedFigures published;                              // beside the budgets
  std::vector<metrics::Figure> smc_figures;                // of sequential Monte Carlo only
  std::filesystem::path train_log;                         // may be empty
  const sampling::Audit* audit = nullptr;                  // of these samples, if there was one
  std::vector<std::pair<std::string, std::string>> facts;  // what ran, with times
};

void write_report(const std::filesystem::path& path, const ReportInput& input);

}  // namespace arbg::apps
