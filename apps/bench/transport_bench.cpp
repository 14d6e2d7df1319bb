// Exact transport between two clouds of points in .npy files [n, D]: the distance, its lower bound,
// what it took. compare_transport.py runs it beside POT.
//
// Usage: arbg_bench_transport A.npy B.npy torus|space [threads]
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <string>

#include "metrics/transport/wasserstein.h"
#include "tensor/base/error.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"

namespace {

int run(int argc, char** argv) {
  arbg::require(argc == 4 || argc == 5, "expected A.npy B.npy torus|space [threads]");
  arbg::set_thread_count(argc == 5 ? std::stoi(argv[4]) : 1);
  const auto a = arbg::read_npy(argv[1]), b = arbg::read_npy(argv[2]);
  arbg::require(a.shape.size() == 2 && a.shape == b.shape, "expected two arrays of one shape");
  const auto dimension = static_cast<std::size_t>(a.shape[1]);
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const auto result = argv[3] == std::string("torus")
                          ? arbg::metrics::wasserstein2_torus(a.data, b.data, dimension)
                          : arbg::metrics::wasserstein2_space(a.data, b.data, dimension);
  getrusage(RUSAGE_SELF, &after);
  const auto seconds = [](const rusage& use) {
    return static_cast<double>(use.ru_utime.tv_sec) +
           1e-6 * static_cast<double>(use.ru_utime.tv_usec);
  };
  std::printf("{\"distance\": %.17g, \"lower_bound\": %.17g, \"seconds\": %.3f, \"mib\": %.1f}\n",
              result.distance, result.lower_bound, seconds(after) - seconds(before),
              static_cast<double>(after.ru_maxrss) / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
