// The log of a training run: train_log.jsonl, one JSON object a line.
//
// Members: step, seconds, loss, nats_per_coordinate, variance, gradient_norm, learning_rate,
// samples_per_second (nn::StepReport). A resumed run keeps the lines up to its checkpoint and goes
// on from there, its clock too.
#pragma once

#include <cstdio>
#include <filesystem>

#include "nn/trainer.h"

namespace arbg::apps {

class TrainLog {
 public:
  // Opens the log for a run that has done `step` steps. Throws Error naming the path if it cannot
  // be written.
  TrainLog(std::filesystem::path path, std::int64_t step);
  ~TrainLog();
  TrainLog(const TrainLog&) = delete;
  TrainLog& operator=(const TrainLog&) = delete;

  // `seconds` since this call of the program began training. At most a line a second is written,
  // and the last step.
  void add(const nn::StepReport& report, double seconds);

 private:
  std::filesystem::path path_;
  std::FILE* file_;
  double seconds_before_ = 0, last_written_ = -1;
};

}  // namespace arbg::apps
