#include "apps/runs/train_log.h"

#include <sstream>
#include <string>

#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {

TrainLog::TrainLog(std::filesystem::path path, std::int64_t step) : path_(std::move(path)) {
  std::string kept;
  if (step > 0 && std::filesystem::exists(path_)) {
    std::istringstream lines(read_file(path_));
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
      const Json entry = Json::parse(line, path_.string());
      if (entry.at("step").integer() > step) break;
      kept += line + "\n";
      seconds_before_ = entry.at("seconds").number();
    }
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
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line, path.string());
    const double step = entry.at("step").number();
    if (entry.has("held_out_nats_per_coordinate")) {
      curves.held_out_step.push_back(step);
      curves.held_out_nats.push_back(entry.at("held_out_nats_per_coordinate").number());
      continue;
    }
    curves.step.push_back(step);
    curves.seconds.push_back(entry.at("seconds").number());
    curves.nats.push_back(entry.at("nats_per_coordinate").number());
    curves.loss.push_back(entry.at("loss").number());
    curves.gradient_norm.push_back(entry.at("gradient_norm").number());
  }
  return curves;
}

}  // namespace arbg::apps
