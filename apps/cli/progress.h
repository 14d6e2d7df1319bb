// A progress line with rate and remaining time, on standard error and only when that is a terminal.
#pragma once

#include <chrono>
#include <string>

namespace arbg::apps {

class Progress {
 public:
  // `stage` stands in front of the bar: "md", "train".
  explicit Progress(std::string stage);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Redraws at most ten times a second. `fraction` of the work is done; `detail` is free text
  // behind the bar.
  void update(double fraction, const std::string& detail);

  double elapsed_s() const;
  double left_s() const;  // at the speed so far; 0 before the second update

 private:
  std::string stage_;
  bool terminal_, drawn_ = false;
  double first_fraction_ = -1;  // of the first update: an earlier call may have done some
  double fraction_ = 0;
  std::chrono::steady_clock::time_point start_, last_;
};

}  // namespace arbg::apps
