#include "sampling/evaluation/ensembles.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace arbg::sampling::test {

TEST_SUITE("fast") {
  // A stride of 120 over frames that 24 replicas take in turns met two replicas only, and every
  // distance was to those two.
  TEST_CASE("reference frames come from every replica alike, evenly spaced in time") {
    const std::int64_t replicas = 24, saves = 20000, count = 4000;
    const auto frames = replica_frames(replicas * saves, replicas, 0, replicas, count);
    REQUIRE(frames.size() == static_cast<std::size_t>(count));
    std::vector<int> of_replica(replicas), in_quarter(4);
    for (const auto f : frames) {
      ++of_replica[static_cast<std::size_t>(f % replicas)];
      ++in_quarter[static_cast<std::size_t>(4 * (f / replicas) / saves)];
    }
    CHECK(std::ranges::min(of_replica) >= 166);
    CHECK(std::ranges::max(of_replica) <= 167);
    CHECK(std::ranges::min(in_quarter) >= 980);
    CHECK(std::ranges::max(in_quarter) <= 1020);
  }

  TEST_CASE("the halves of the floor share no replica and no frame") {
    const auto left = replica_frames(700, 7, 0, 3, 200), right = replica_frames(700, 7, 3, 7, 200);
    CHECK(left.size() == 200);
    CHECK(right.size() == 200);
    CHECK(std::ranges::all_of(left, [](std::int64_t f) { return f % 7 < 3; }));
    CHECK(std::ranges::all_of(right, [](std::int64_t f) { return f % 7 >= 3; }));
  }

  TEST_CASE("all frames are taken, each once, where no more are there") {
    auto frames = replica_frames(11, 3, 0, 3, 50);
    std::ranges::sort(frames);
    CHECK(frames == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    CHECK(replica_frames(2, 3, 2, 3, 5).empty());  // replica 2 has saved nothing
  }

  // Bennett's log Z is too small from frames that the model was trained on.
  TEST_CASE("likelihoods are of frames that training leaves out, and of nothing else") {
    auto frames = held_out_frames(100, 3, 0.1);
    CHECK(std::ssize(frames) == held_out_count(100, 0.1));
    CHECK(std::ranges::is_sorted(frames, {}, [](std::int64_t f) { return std::pair(f % 3, f); }));
    std::ranges::sort(frames);
    CHECK(frames == std::vector<std::int64_t>{90, 91, 92, 93, 94, 95, 96, 97, 98, 99});
    CHECK(held_out_frames(100, 3, 1).size() == 100);
    CHECK(held_out_frames(100, 3, 0.001) == std::vector<std::int64_t>{99});

    constexpr std::int64_t kMany = 200000;
    CHECK(held_out_frames(kMany, 3, 0.05).size() == 4096);
    CHECK(std::ranges::min(held_out_frames(kMany, 3, 0.05)) == kMany - 4096);
    CHECK(std::ranges::min(held_out_frames(kMany, 3, 1)) == 0);
  }

  TEST_CASE("rows are picked whole, in the order of the indices") {
    const std::vector<double> rows{0, 1, 10, 11, 20, 21};
    CHECK(pick(rows, std::vector<std::int64_t>{2, 0, 2}, 2) ==
          std::vector<double>{20, 21, 0, 1, 20, 21});
  }
}

}  // namespace arbg::sampling::test
