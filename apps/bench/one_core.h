// The clock and the roof of benchmarks that run on one core.
#pragma once

#include <ctime>

#include "tensor/base/simd.h"

namespace arbg::bench {

// Of the calling thread, so that the time of other programs is left out.
inline double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Vectors of multiply-adds in float32 a second, by twelve chains of them: more than latency times
// throughput, fewer than there are registers; each of other numbers, or the compiler would see that
// they are one. seconds_of(body) times a call as the benchmark times its own work.
template <class SecondsOf>
double multiply_add_roof(const SecondsOf& seconds_of) {
  constexpr int kChains = 12, kSteps = 10000;
  volatile float sink = 0.5f;
  const float start = sink;
  const double seconds = seconds_of([&] {
    Lanes<float> sum[kChains];
    for (int i = 0; i < kChains; ++i) sum[i] = Lanes<float>{} + start * static_cast<float>(i);
    const Lanes<float> factor = Lanes<float>{} + start;
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
      for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * factor + factor;
    }
    for (int i = 0; i < kChains; ++i) sink = sum_lanes(sum[i]);
  });
  return kChains * kSteps / seconds;
}

}  // namespace arbg::bench
