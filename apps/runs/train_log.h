// The log of a training run: train_log.jsonl, one JSON object a line.
//
// Of steps: step, seconds, loss, nats_per_coordinate, variance, gradient_norm, learning_rate,
// samples_per_second (nn::StepReport), gflop_per_second and seconds_left. Of evaluations: step,
// seconds, held_out_nats_per_coordinate. A resumed run keeps the lines up to its checkpoint and
// goes on from there, its clock too.
#pragma once

#include <cstdio>
#include <filesystem>
#include <vector>

#include "nn/training/trainer.h"
#include "tensor/base/json.h"

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
  // and the last step; and every evaluation.
  void add(const nn::StepReport& report, double seconds, double gflop_per_second,
           double seconds_left);
  void add_evaluation(std::int64_t step, double nats, double seconds);

 private:
  void write(const Json& line);

  std::filesystem::path path_;
  std::FILE* file_;
  double seconds_before_ = 0, last_written_ = -1;
};

// What a log says, line by line. Throws Error naming the file and the line that is none of a log.
struct TrainCurves {
  std::vector<double> step, seconds, nats, loss, variance, gradient_norm;
  std::vector<double> held_out_step, held_out_nats;
};
TrainCurves read_train_log(const std::filesystem::path& path);

}  // namespace arbg::apps
