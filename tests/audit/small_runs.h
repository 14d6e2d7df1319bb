// Two demos of alanine dipeptide that take seconds, for the audit: of a model that is not told
// placement energies, and of one that is.
#pragma once

#include <filesystem>

#include "apps/jobs/audit_job.h"
#include "apps/jobs/md_job.h"
#include "apps/jobs/sample_job.h"
#include "apps/jobs/train_job.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps {

// A little dynamics, a small network, a few samples.
class SmallRun {
 public:
  SmallRun() {
    MdJob md;
    md.output = folder_.path() / "md";
    md.options.sequence = "Ace-A-Nme";
    md.options.forcefield = "amber99sbildn-obc2";
    md.options.replicas = 32;
    md.options.warmup_steps = 1000;
    md.options.steps = 2000;
    md.options.save_interval = 50;
    run_md_job(md, RunFolder(md.output, RunKind::md));
    train_and_sample("none");
  }

  // With the same dynamics, of a model that is told placement energies.
  explicit SmallRun(const std::filesystem::path& md) {
    std::filesystem::copy(md, folder_.path() / "md", std::filesystem::copy_options::recursive);
    train_and_sample("full");
  }

  const std::filesystem::path& path() const { return folder_.path(); }

  AuditJob job() const {
    AuditJob out = audit_job_of(path());
    out.fresh = 64;
    out.close = 400;
    return out;
  }

 private:
  void train_and_sample(const char* placement) {
    const Dataset data = load_dataset(folder_.path() / "md");
    TrainJob train;
    train.output = folder_.path() / "model";
    train.network.num_bins = 64;
    train.network.channels = 16;
    train.network.num_layers = 2;
    train.network.num_heads = 2;
    train.placement = placement;
    train.trainer.batch = 32;
    train.trainer.total_steps = 60;
    run_train_job(train, data, RunFolder(train.output, RunKind::train));
    SampleJob sample;
    sample.model = train.output / "checkpoint.safetensors";
    sample.output = folder_.path() / "samples";
    sample.count = 400;
    sample.decoding.temperature = 1.03;
    run_sample_job(sample, load_model(sample.model, sample.backend, true),
                   RunFolder(sample.output, RunKind::sample));
  }

  TemporaryFolder folder_;
};

inline const SmallRun& small_run() {
  static const SmallRun run;
  return run;
}

inline const SmallRun& told_run() {
  static const SmallRun run(small_run().path() / "md");
  return run;
}

}  // namespace arbg::apps
