#include "apps/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "apps/cli/command_line.h"

namespace arbg::apps {

using Clock = std::chrono::steady_clock;

Progress::Progress(std::string stage)
    : stage_(std::move(stage)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) std::fputc('\n', stderr);
}

double Progress::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

double Progress::left_s() const {
  const double done = fraction_ - first_fraction_;
  return done > 0 ? elapsed_s() * (1 - fraction_) / done : 0;
}

void Progress::update(double fraction, const std::string& detail) {
  const auto now = Clock::now();
  if (first_fraction_ < 0) first_fraction_ = fraction;
  fraction_ = fraction;
  if (!terminal_ || (drawn_ && fraction < 1 && now - last_ < std::chrono::milliseconds(100)))
    return;
  last_ = now;
  drawn_ = true;
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kWidth);
  std::fprintf(stderr, "\r\033[K%-9s [%s%s] %3.0f%%  %s  %s left", stage_.c_str(),
               std::string(static_cast<std::size_t>(filled), '#').c_str(),
               std::string(static_cast<std::size_t>(kWidth - filled), '.').c_str(), 100 * fraction,
               detail.c_str(), format_duration(left_s()).c_str());
  std::fflush(stderr);
}

}  // namespace arbg::apps
