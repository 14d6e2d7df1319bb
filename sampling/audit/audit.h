// The audit of a model and of samples drawn from it: every line with a number, a bound and a
// verdict, in the order in which a reader asks.
//
// Exact statements fail beyond rounding. Statistical ones fail beyond bounds that an honest run
// exceeds once in thousands. What is learned, not exact (calibration, tails), can only warn.
#pragma once

#include <string>
#include <vector>

#include "sampling/audit/check.h"
#include "sampling/audit/reference.h"
#include "sampling/audit/stored.h"

namespace arbg::sampling {

// What is audited. It must outlive the call.
struct AuditSubject {
  const AutoregressiveProposal& proposal;
  const Target& target;
  const md::Topology& topology;                  // of both
  const StoredSamples* stored = nullptr;         // drawn from the proposal; null: none
  std::vector<Check> said = {};                  // of what else is said of the stored samples
  const ReferenceEnsemble* reference = nullptr;  // atoms in the order of the topology; null: none
};

struct AuditOptions {
  std::int64_t fresh = 1000;  // samples drawn anew
  std::int64_t close = 4000;  // stored samples and reference frames through the network
  std::uint64_t seed = 1;
};

struct AuditSection {
  std::string title;
  std::vector<Check> checks;
};

struct Audit {
  std::string subtitle;  // of what, in the caller's words
  std::vector<AuditSection> sections;

  // What its figures show.
  std::vector<double> draws;       // transforms of the stored samples, [b, K]
  ReferenceAudit reference;        // empty without one
  std::vector<double> log_weight;  // of independent samples: the stored ones, if they are

  std::int64_t count(Verdict verdict) const;
  bool passed() const { return count(Verdict::fail) == 0; }
};

// Throws Error when interrupted.
Audit audit(const AuditSubject& subject, const AuditOptions& options);

}  // namespace arbg::sampling
