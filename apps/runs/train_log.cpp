#include "apps/runs/train_log.h"

#include <string>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json_file.h"

namespace arbg::apps {

TrainLog::TrainLog(std::filesystem::path path, std::int64_t step) : path_(std::move(path)) {
  std::string kept;
  if (step > 0 && std::filesystem::exists(path_)) {
    read_json_lines(path_, [&](const Json& entry) {
      if (member(entry, "step", &Json::integer) > step) return false;
      kept += entry.dump() + "\n";
      seconds_before_ = member(entry, "seconds", &Json::number);
      return true;
    });
  }
  write_file(path_, kept);
  file_ = std::fopen(path_.c_str(), "ab");
  require(file_ != nullptr, "cannot write ", path_.string());
}

TrainLog::~TrainLog() { std::fclose(file_); }

void TrainLog::add(const nn::StepReport& report, double seconds, double gflop_per_second,
                   double seconds_left) {
  const bool last = report.total_steps > 0 && report.step == report.total_steps;
  if (last_written_ >= 0 && seconds - last_written_ < 1 && !last) return;
  last_written_ = seconds;
  Json line = Json::object();
  line["step"] = report.step;
  line["seconds"] = seconds_before_ + seconds;
  line["loss"] = report.loss;
  line["nats_per_coordinate"] = report.nats_per_coordinate;
  line["variance"] = report.variance;
  line["variance_weight"] = report.variance_weight;
  line["gradient_norm"] = report.gradient_norm;
  line["learning_rate"] = report.learning_rate;
  line["samples_per_second"] = report.samples_per_second;
  line["gflop_per_second"] = gflop_per_second;
  line["seconds_left"] = seconds_left;
  write(line);
}

void TrainLog::add_evaluation(std::int64_t step, double nats, double seconds) {
  Json line = Json::object();
  line["step"] = step;
  line["seconds"] = seconds_before_ + seconds;
  line["held_out_nats_per_coordinate"] = nats;
  write(line);
}

void TrainLog::write(const Json& line) {
  const std::string text = line.dump() + "\n";
  require(std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0,
          "cannot write ", path_.string(), " (disk full?)");
}

TrainCurves read_train_log(const std::filesystem::path& path) {
  TrainCurves curves;
  read_json_lines(path, [&](const Json& entry) {
    const auto number = [&](const char* name) { return member(entry, name, &Json::number); };
    const bool held_out = entry.has("held_out_nats_per_coordinate");
    (held_out ? curves.held_out_step : curves.step).push_back(number("step"));
    if (held_out) {
      curves.held_out_nats.push_back(number("held_out_nats_per_coordinate"));
      return true;
    }
    curves.seconds.push_back(number("seconds"));
    curves.nats.push_back(number("nats_per_coordinate"));
    curves.loss.push_back(number("loss"));
    curves.variance.push_back(number("variance"));
    curves.gradient_norm.push_back(number("gradient_norm"));
    return true;
  });
  return curves;
}

}  // namespace arbg::apps
