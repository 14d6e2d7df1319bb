#include "tensor/base/threads.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "tensor/base/error.h"

using namespace arbg;

namespace {

// Sets the thread count for one test.
class Threads {
 public:
  explicit Threads(int count) : before_(thread_count()) { set_thread_count(count); }
  ~Threads() { set_thread_count(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("every index runs exactly once, for any thread count") {
    for (const int threads : {1, 2, 5}) {
      const Threads use(threads);
      CHECK(thread_count() == threads);
      for (const std::int64_t count : {0, 1, 2, 1000}) {
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
        parallel_for(count, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
        for (const auto& run : runs) REQUIRE(run == 1);
      }
    }
  }

  TEST_CASE("inside another parallel_for the indices run in order, in the calling thread") {
    const Threads use(4);
    std::atomic<int> disorder = 0;
    parallel_for(8, [&](std::int64_t) {
      std::int64_t expected = 0;
      parallel_for(50, [&](std::int64_t i) { disorder += i != expected++; });
    });
    CHECK(disorder == 0);
  }

  TEST_CASE("an exception of a body arrives at the caller, and the pool works on") {
    for (const int threads : {1, 3}) {
      const Threads use(threads);
      CHECK_THROWS_WITH_AS(parallel_for(100, [](std::int64_t i) { require(i != 37, "index ", i); }),
                           "index 37", Error);
      std::atomic<int> runs = 0;
      parallel_for(100, [&](std::int64_t) { ++runs; });
      CHECK(runs == 100);
    }
  }

  TEST_CASE("fewer than one thread is refused") {
    CHECK_THROWS_AS(set_thread_count(0), Error);
    CHECK_THROWS_AS(set_thread_count(-3), Error);
  }
}
