#include "tensor/base/shared_interrupt.h"

#include <algorithm>

namespace arbg {
namespace {

constexpr double kSeconds = 0.25;  // between meetings: mpirun kills a second after it has told all

}  // namespace

bool SharedInterrupt::heard(std::int64_t step, bool interrupted) {
  if (step < meeting_) return ranks_.count() == 1 && interrupted;
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> took = now - met_;
  met_ = now;
  agree_on_next(step, ranks_.broadcast(took.count()));
  return ranks_.any(interrupted);
}

// At most twice as many steps as before: the first may not be like the others.
void SharedInterrupt::agree_on_next(std::int64_t step, double seconds) {
  const auto steps = static_cast<double>(steps_);
  steps_ = 2 * steps_;
  if (seconds > kSeconds / 2)
    steps_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(steps * kSeconds / seconds));
  meeting_ = step + steps_;
}

}  // namespace arbg
