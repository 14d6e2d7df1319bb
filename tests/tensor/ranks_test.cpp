// Shares that cover everything once, and sums with the same bits for any number of ranks.
#include "tensor/base/ranks.h"

#include <doctest/doctest.h>

#include <cmath>
#include <iterator>
#include <numeric>

#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/world.h"
#include "tests/md/error_message.h"
#include "thread_ranks.h"

using namespace arbg;

namespace {

constexpr int kCounts[] = {1, 2, 3, 4, 7, 16};

// Leaves whose sum depends on the order of the additions: numbers of both signs and many sizes.
template <class T>
std::vector<T> random_leaves(std::int64_t leaves, std::int64_t width) {
  const Random random(3, stream_id("leaves"));
  std::vector<T> numbers(static_cast<std::size_t>(leaves * width));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [sign, size] = random.normal_pair(i);
    numbers[i] = static_cast<T>(sign * std::exp(4 * size));
  }
  return numbers;
}

// The tree as the header says it, by recursion: the left branch is the largest that is whole.
template <class T>
std::vector<T> recursive_sum(std::span<const T> leaves, std::int64_t count, std::int64_t width) {
  const auto numbers = static_cast<std::size_t>(width);
  if (count == 1) return {leaves.begin(), leaves.begin() + width};
  std::int64_t left = 1;
  while (2 * left < count) left *= 2;
  auto sum = recursive_sum(leaves, left, width);
  const auto right =
      recursive_sum(leaves.subspan(static_cast<std::size_t>(left) * numbers), count - left, width);
  for (std::size_t k = 0; k < numbers; ++k) sum[k] += right[k];
  return sum;
}

template <class T>
void check_sums(std::int64_t leaves, std::int64_t width) {
  const auto numbers = random_leaves<T>(leaves, width);
  const auto expected = recursive_sum(std::span<const T>(numbers), leaves, width);
  for (const int count : kCounts) {
    CAPTURE(count);
    std::vector<std::vector<T>> found(static_cast<std::size_t>(count));
    on_ranks(count, [&](const Ranks& ranks) {
      const auto [first, last] = ranks.share(leaves);
      const auto own =
          std::span<const T>(numbers).subspan(static_cast<std::size_t>(first * width),
                                              static_cast<std::size_t>((last - first) * width));
      found[static_cast<std::size_t>(ranks.rank())] = ranks.sum_tree(leaves, width, own);
    });
    for (const auto& sum : found) CHECK(sum == expected);
  }
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a sum over a tree has the same bits for any number of ranks, at every rank") {
    for (const std::int64_t leaves : {1, 2, 5, 8, 16, 23}) {
      CAPTURE(leaves);
      check_sums<double>(leaves, 3);
      check_sums<float>(leaves, 3);
      check_sums<double>(leaves, 0);
    }
  }

  TEST_CASE("the order of a tree's additions matters to the leaves of these tests") {
    const auto leaves = random_leaves<double>(8, 1);
    const double in_a_row = std::accumulate(leaves.begin(), leaves.end(), 0.0);
    CHECK(Ranks().sum_tree(8, 1, std::span<const double>(leaves)).front() != in_a_row);
  }

  TEST_CASE("branches cover the leaves once, and no addition is made twice or left out") {
    for (const std::int64_t leaves : {1, 5, 8, 16, 23}) {
      for (const int count : kCounts) {
        ThreadRanks::Group group(count);
        const ThreadRanks any(group, 0);
        std::int64_t next = 0, additions = std::ssize(any.common_additions(leaves)), parts = 0;
        for (int rank = 0; rank < count; ++rank) {
          for (const auto& branch : any.branches(leaves, rank)) {
            CHECK(branch.first == next);
            next = branch.last;
            additions += branch.count() - 1;
            ++parts;
          }
          CHECK(next == any.share(leaves, rank).last);
        }
        CHECK(additions == leaves - 1);
        CHECK(parts == std::ssize(any.common_additions(leaves)) + 1);
      }
    }
    ThreadRanks::Group two(2);
    CHECK(ThreadRanks(two, 0).common_additions(16).size() == 1);
  }

  TEST_CASE("the left part of a branch is what its last addition adds to") {
    for (const std::int64_t leaves : {2, 3, 4, 5, 8, 9, 16, 23})
      CHECK(left_leaves(leaves) == tree_additions(leaves).back().from);
    CHECK_THROWS_WITH_AS(left_leaves(1), "a branch of 1 leaves has no two parts", Error);
  }

  TEST_CASE("shares hold every row exactly once, in order, and differ by one row at most") {
    for (const int count : kCounts) {
      ThreadRanks::Group group(count);
      for (const std::int64_t total : {0, 1, 6, 7, 8, 1000}) {
        std::int64_t next = 0;
        for (int rank = 0; rank < count; ++rank) {
          const Share share = ThreadRanks(group, rank).share(total);
          CHECK(share.first == next);
          CHECK((share.count() == total / count || share.count() == total / count + 1));
          next = share.last;
        }
        CHECK(next == total);
      }
    }
  }

  TEST_CASE("what ranks give is gathered in their order, none and different numbers too") {
    for (const int count : kCounts) {
      std::vector<std::int32_t> expected;
      for (int rank = 0; rank < count; ++rank)
        for (int i = 0; i < rank % 3; ++i) expected.push_back(rank);
      std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(count));
      on_ranks(count, [&](const Ranks& ranks) {
        const std::vector<std::int32_t> own(static_cast<std::size_t>(ranks.rank() % 3),
                                            ranks.rank());
        ranks.barrier();
        found[static_cast<std::size_t>(ranks.rank())] =
            ranks.gather(std::span<const std::int32_t>(own));
      });
      for (const auto& all : found) CHECK(all == expected);
    }
  }

  TEST_CASE("by default there is one rank, whose share is everything") {
    const Ranks& ranks = Ranks::alone();
    CHECK(ranks.rank() == 0);
    CHECK(ranks.count() == 1);
    CHECK(ranks.is_first());
    CHECK(ranks.share(5).first == 0);
    CHECK(ranks.share(5).last == 5);
    const std::vector<double> own{1, 2};
    CHECK(ranks.gather(std::span<const double>(own)) == own);
    ranks.barrier();
  }

  TEST_CASE("an exchange brings each rank what all have for it, in their order") {
    for (const int count : kCounts) {
      CAPTURE(count);
      std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(count)), first = found;
      on_ranks(count, [&](const Ranks& ranks) {
        std::vector<std::int64_t> counts;
        std::vector<std::int32_t> own;  // r for rank 0, r + 100 twice for rank 1 ...
        for (int to = 0; to < count; ++to) {
          counts.push_back(to + 1);
          own.insert(own.end(), static_cast<std::size_t>(to + 1), ranks.rank() + 100 * to);
        }
        const auto rank = static_cast<std::size_t>(ranks.rank());
        found[rank] = ranks.exchange(std::span<const std::int32_t>(own),
                                     std::span<const std::int64_t>(counts));
        first[rank] = ranks.gather_at_first(std::span<const std::int32_t>(own).first(1));
      });
      for (int rank = 0; rank < count; ++rank) {
        std::vector<std::int32_t> expected, all;
        for (int from = 0; from < count; ++from) {
          expected.insert(expected.end(), static_cast<std::size_t>(rank + 1), from + 100 * rank);
          if (rank == 0) all.push_back(from);
        }
        CHECK(found[static_cast<std::size_t>(rank)] == expected);
        CHECK(first[static_cast<std::size_t>(rank)] == all);
      }
    }
  }

  TEST_CASE("all hear what the first rank says, what holds at any, and who is not like the first") {
    for (const int count : kCounts) {
      CAPTURE(count);
      std::vector<std::string> said(static_cast<std::size_t>(count));
      std::vector<double> heard(said.size());
      std::vector<int> any(said.size());
      on_ranks(count, [&](const Ranks& ranks) {
        const auto rank = static_cast<std::size_t>(ranks.rank());
        heard[rank] = ranks.broadcast(ranks.rank() + 0.5);
        any[rank] = 2 * ranks.any(ranks.rank() == count - 1) + ranks.any(false);
        ranks.agree("a word", std::string("the same"));
        said[rank] = error_message([&] {
          ranks.agree("a word", ranks.rank() % 3 == 1 ? std::string("another") : "the same");
        });
      });
      for (std::size_t rank = 0; rank < heard.size(); ++rank) {
        CHECK(heard[rank] == 0.5);
        CHECK(any[rank] == 2);
        const std::string others = count == 1   ? ""
                                   : count <= 4 ? "rank 1"
                                   : count == 7 ? "rank 1, 4"
                                                : "rank 1, 4, 7, 10, 13";
        CHECK(said[rank] == (count == 1 ? "" : others + ": a word that is not rank 0's"));
      }
    }
  }

  TEST_CASE("ranks on one machine share its CPUs and take its devices in turn") {
    on_ranks(3, [](const Ranks& ranks) {
      const Neighbours here = neighbours(ranks);
      CHECK(here.before == ranks.rank());
      CHECK(here.on_same_cpus == 3);
    });
    CHECK(device_of_rank(nullptr, 3) == "3");
    CHECK(device_of_rank("4,7", 1) == "7");
    CHECK(device_of_rank("4,7", 2) == "4");
    CHECK(device_of_rank("GPU-1c", 5) == "GPU-1c");
    CHECK(device_of_rank("", 0).empty());
  }

  TEST_CASE("shares and leaves that make no sense are refused in words") {
    const Ranks ranks;
    const std::vector<double> three{1, 2, 3};
    const std::span<const double> own(three);
    CHECK_THROWS_WITH_AS(ranks.share(-1), "expected a number of rows to share, found -1", Error);
    CHECK_THROWS_WITH_AS(ranks.share(4, 1), "there is no rank 1 of 1", Error);
    CHECK_THROWS_AS(ranks.share(4, -1), Error);
    CHECK_THROWS_WITH_AS(ranks.sum_tree(2, 2, own),
                         "expected 4 numbers, for the 2 leaves or branches of rank 0, found 3",
                         Error);
    CHECK_THROWS_AS(ranks.sum_tree(0, 3, own), Error);
    CHECK_THROWS_AS(ranks.sum_tree(1, -3, own), Error);
  }
}
