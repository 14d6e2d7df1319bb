// Every reader against damaged copies of good files: read or refused, never more.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tensor/base/files.h"
#include "tensor/base/random.h"
#include "tests/fuzz/targets.h"

namespace arbg::fuzz {

namespace {

constexpr std::size_t kMostTruncations = 400, kMostFlips = 800;

// Prefixes of all lengths, or of evenly spread ones.
template <class Visit>
void truncations(const std::string& bytes, const Visit& visit) {
  const std::size_t stride = bytes.size() / kMostTruncations + 1;
  for (std::size_t size = 0; size < bytes.size(); size += stride) visit(bytes.substr(0, size));
}

// Each byte, or evenly spread ones, replaced by a random one; then as many copies with several
// replaced, one of them by what tempts readers most.
template <class Visit>
void flips(const std::string& bytes, const Visit& visit) {
  static constexpr std::string_view kTempting("\0\xff\x7f\x80 -9\n", 8);
  const Random random(20261123, 7);
  std::uint64_t draw = 0;
  const auto below = [&](std::size_t limit) {
    return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(limit), draw++));
  };
  const std::size_t stride = bytes.size() / kMostFlips + 1;
  for (std::size_t at = 0; at < bytes.size(); at += stride) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(below(256));
    visit(damaged);
    for (int change = 0; change < 3; ++change)
      damaged[below(bytes.size())] = static_cast<char>(below(256));
    damaged[at] = kTempting[below(kTempting.size())];
    visit(damaged);
  }
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("damaged files are read or refused with the place, by every reader") {
    for (const Target& target : targets()) {
      CAPTURE(std::string(target.name));
      const auto seeds = seeds_of(target);
      CHECK(!seeds.empty());
      std::size_t refused = 0, tried = 0, good = 0;
      for (const auto& path : seeds) {
        CAPTURE(path.string());
        const std::string bytes = read_file(path);
        const auto visit = [&](const std::string& damaged) {
          CHECK_NOTHROW(refused += run(target, damaged).empty() ? 0 : 1);
          ++tried;
        };
        std::string whole;
        CHECK_NOTHROW(whole = run(target, bytes));
        good += whole.empty() ? 1 : 0;
        truncations(bytes, visit);
        flips(bytes, visit);
      }
      CHECK(good > 0);
      CHECK(refused > tried / 4);
    }
  }
}

}  // namespace arbg::fuzz
