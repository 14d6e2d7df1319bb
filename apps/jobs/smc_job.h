// Sequential Monte Carlo from a checkpoint: `arbg sample --method twisted` and `annealed`.
//
// The output folder is that of importance sampling (samples_run.h), populations one after the
// other, and ancestor.npy (int32 [B], the first-stage particle of its population that a sample
// descends from), log_z.json (every population's log Z, and all stages) and smc.html (the same as
// curves). log_weight.npy averages to Z within every population; it is not -u + log volume - log q
// of a sample.
#pragma once

#include "apps/cli/command_line.h"
#include "apps/jobs/sample_job.h"
#include "metrics/pages/table.h"
#include "sampling/smc/annealed_smc.h"
#include "sampling/smc/twisted_smc.h"

namespace arbg::apps {

struct SmcJob {
  SampleJob sample;  // its count is shared out; populations differ in size by at most 1
  bool annealed = false;
  sampling::SmcOptions smc;
  sampling::Twist twist;  // its stages are set by the job: residues
  sampling::AnnealingOptions annealing;
};

// `options` with --method and those of the two kinds of sequential Monte Carlo.
std::vector<Option> with_smc(std::vector<Option> options);

// Whether --method asks for it. Throws Error for a method that is not known and for options of SMC
// without it.
bool wants_smc(const Arguments& arguments);
SmcJob smc_job_from(const Arguments& arguments, const SampleJob& sample);

// The ranks of `output` share the populations, and the first alone has the outcome.
SmcOutcome run_smc_job(const SmcJob& job, const Model& model, const RunFolder& output);

// What makes the job's figures less than they seem, one sentence each.
std::vector<std::string> labels(const SmcJob& job);

metrics::Table smc_table(const SmcOutcome& outcome);

}  // namespace arbg::apps
