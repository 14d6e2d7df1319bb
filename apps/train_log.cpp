#include "apps/train_log.h"

#include <sstream>
#include <string>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

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

void TrainLog::add(const nn::StepReport& report, double seconds) {
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
  const std::string text = line.dump() + "\n";
  require(std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0,
          "cannot write ", path_.string(), " (disk full?)");
}

}  // namespace arbg::apps
