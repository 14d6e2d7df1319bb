// The work of `arbg audit`: reads a model, samples and reference from their folders, together with
// what those say of themselves, for sampling/audit.
#pragma once

#include <filesystem>

#include "apps/runs/model_file.h"
#include "sampling/audit/audit.h"

namespace arbg::apps {

struct AuditJob {
  std::filesystem::path model;
  std::filesystem::path samples, reference;  // folders; empty: without
  std::int64_t fresh = 1000;                 // samples drawn anew
  std::int64_t close = 4000;  // stored samples and reference frames through the network
  std::uint64_t seed = 1;
  nn::Backend backend = nn::Backend::cpu;
};

// The job of a folder: of samples (run.json names the model), or of a demo (model, samples, and the
// run of dynamics in reference, or, of older demos, in md). Throws Error saying what it lacks.
AuditJob audit_job_of(const std::filesystem::path& run);

sampling::Audit run_audit(const AuditJob& job);

}  // namespace arbg::apps
