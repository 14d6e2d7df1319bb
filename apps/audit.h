// The audit of a model and of samples drawn from it: every line with a number, a bound and a
// verdict.
//
// Exact statements (sampling/audit) fail beyond rounding. Statistical ones fail beyond bounds that
// an honest run exceeds once in thousands. What is learned, not exact (calibration, tails), can
// only warn.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/runs/model_file.h"
#include "metrics/pages/report.h"
#include "sampling/audit/stored.h"
#include "tensor/base/json.h"

namespace arbg::apps {

struct AuditJob {
  std::filesystem::path model;
  std::filesystem::path samples, reference;  // folders; empty: without
  std::int64_t fresh = 1000;                 // samples drawn anew
  std::int64_t close = 4000;  // stored samples and reference frames through the network
  std::uint64_t seed = 1;
  nn::Backend backend = nn::Backend::cpu;
};

struct AuditSection {
  std::string title;
  std::vector<sampling::Check> checks;
};

struct Audit {
  std::string subtitle;  // of what
  std::vector<AuditSection> sections;
  std::vector<metrics::Figure> figures;

  std::int64_t count(sampling::Verdict verdict) const;
  bool passed() const { return count(sampling::Verdict::fail) == 0; }
};

// The job of a folder: of samples (run.json names the model), or of a demo (md, model, samples).
// Throws Error saying what it lacks.
AuditJob audit_job_of(const std::filesystem::path& run);

Audit run_audit(const AuditJob& job);

Json to_json(const Audit& audit);
// What to_json() wrote, without the figures. `from` names it in errors.
Audit audit_from_json(const Json& json, const std::string& from);

std::string verdict_of(const Audit& audit);  // "PASS: 38 passed, 0 failed, 0 warnings"
std::string audit_text(const Audit& audit);  // for the terminal
// The lines as a section of another page.
void add_audit(metrics::Report& report, const Audit& audit);
// audit.json and audit.html, which says that `command` makes it again.
void write_audit(const std::filesystem::path& folder, const Audit& audit,
                 const std::string& command);

}  // namespace arbg::apps
