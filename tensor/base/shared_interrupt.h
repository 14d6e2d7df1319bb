// Ctrl-C at any of several ranks, heard by all of them while they work in steps.
//
// Who waits for the others does not compute, so ranks do not ask each other at every step. They
// meet every quarter of a second or so: after an agreed number of steps, which follows from how
// long the last ones took. A meeting changes nothing in the work.
#pragma once

#include <chrono>
#include <cstdint>

#include "tensor/base/ranks.h"

namespace arbg {

class SharedInterrupt {
 public:
  explicit SharedInterrupt(const Ranks& ranks) : ranks_(ranks) {}

  // Together, with the same `step` of the work, each at least the one before: whether a rank has
  // said that it is interrupted, the same at all of them. Most calls return false at once; a rank
  // that is alone is always heard at once.
  bool heard(std::int64_t step, bool interrupted);

  // From `step` of the last call, how many steps may be taken before the next one, at least 1: the
  // same at every rank.
  std::int64_t steps_left(std::int64_t step) const { return meeting_ - step; }

 private:
  void agree_on_next(std::int64_t step, double seconds);

  const Ranks& ranks_;
  std::chrono::steady_clock::time_point met_ = std::chrono::steady_clock::now();
  std::int64_t steps_ = 1;    // between the last meeting and the next
  std::int64_t meeting_ = 0;  // the step of the next
};

}  // namespace arbg
