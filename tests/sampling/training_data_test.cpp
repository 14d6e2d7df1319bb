// Training batches: every conformation once an epoch, batch s a function of s, nothing outside the
// support in silence.
#include "sampling/training/training_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tensor/base/threads.h"
#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr std::int64_t kBins = 256;

// M different conformations of three atoms with energies, and the map of their internal
// coordinates.
struct Conformations {
  std::unique_ptr<md::CoordinateMap> map;
  nn::BinnedHead head;
  std::vector<float> positions;
  std::vector<double> z, u;

  explicit Conformations(std::int64_t count, bool cartesian = false)
      : map(make_map(cartesian)), head(bins_of(*map, kBins)) {
    const auto internal = make_map(false);
    for (std::int64_t i = 0; i < count; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(count);
      const std::vector<double> row = {0.10 + 0.04 * part, 0.14 - 0.03 * part, 1.7 + 0.5 * part};
      z.insert(z.end(), row.begin(), row.end());
      for (const double value : md::decode(*internal, row))
        positions.push_back(static_cast<float>(value));
      u.push_back(3 + 2 * part);
    }
  }

  static std::unique_ptr<md::CoordinateMap> make_map(bool cartesian) {
    if (cartesian) return md::make_cartesian_map(3, 0.08, 3.0);
    const auto m = chain(3, 0.012, 0.1);
    return md::make_internal_map(m.topology, m.system, kTemperature);
  }

  const nn::CoordinateBins& bins() const { return head.bins(); }
  TrainingData data(std::uint64_t seed = 1, bool drop = false) const {
    return {*map, head, positions, u, seed, drop};
  }
};

struct Batch {
  std::vector<double> z;
  std::vector<double> log_target;
  bool operator==(const Batch&) const = default;
};

Batch batch_of(TrainingData& data, std::int64_t step, std::size_t size, std::size_t length) {
  Batch batch{std::vector<double>(size * length), std::vector<double>(size)};
  data.fill(step, batch.z, batch.log_target);
  return batch;
}

// The energies (which name the conformations) of `count` visits from visit `first` on, in batches
// of four.
std::vector<double> visited(TrainingData& data, const Conformations& of, std::int64_t first,
                            std::int64_t count) {
  std::vector<double> out;
  for (std::int64_t step = first / 4; step < (first + count) / 4; ++step) {
    const auto batch = batch_of(data, step, 4, 3);
    for (std::size_t b = 0; b < 4; ++b) {
      // The first bin tells conformations apart.
      for (std::size_t i = 0; i < of.u.size(); ++i) {
        if (of.bins().encode(0, of.z[3 * i]) == of.bins().encode(0, batch.z[3 * b]))
          out.push_back(of.u[i]);
      }
    }
  }
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("every epoch visits every conformation once, in another order") {
  const Conformations c(12);
  auto data = c.data();
  CHECK(data.size() == 12);
  const auto first = visited(data, c, 0, 12), second = visited(data, c, 12, 12);
  for (auto epoch : {first, second}) {
    std::ranges::sort(epoch);
    CHECK(epoch == c.u);
  }
  CHECK(first != second);
  CHECK(first != c.u);
  auto other = c.data(2);
  CHECK(visited(other, c, 0, 12) != first);
}

TEST_CASE("batches that straddle epochs still visit everything once an epoch") {
  const Conformations c(10);
  auto data = c.data();
  auto twenty = visited(data, c, 0, 20);
  REQUIRE(twenty.size() == 20);
  std::sort(twenty.begin(), twenty.begin() + 10);
  CHECK(std::equal(c.u.begin(), c.u.end(), twenty.begin()));
  std::sort(twenty.begin() + 10, twenty.end());
  CHECK(std::equal(c.u.begin(), c.u.end(), twenty.begin() + 10));
}

TEST_CASE("batch s is a function of s, whatever was asked before and with any number of threads") {
  const int threads = thread_count();
  for (const bool cartesian : {false, true}) {
    const Conformations c(10, cartesian);
    const auto length = static_cast<std::size_t>(c.map->size());
    auto data = c.data();
    std::vector<Batch> batches;
    for (std::int64_t step = 0; step < 6; ++step)
      batches.push_back(batch_of(data, step, 7, length));
    for (const int used : {1, 2}) {
      set_thread_count(used);
      auto fresh = c.data();
      for (const std::int64_t step : {5, 0, 3})
        CHECK(batch_of(fresh, step, 7, length) == batches[static_cast<std::size_t>(step)]);
    }
    std::set<std::vector<double>> different;
    for (const auto& batch : batches) different.insert(batch.z);
    CHECK(different.size() == batches.size());
  }
  set_thread_count(threads);
}

TEST_CASE("log target is minus the reduced energy plus the map's log volume") {
  const Conformations c(8);
  auto data = c.data();
  const auto batch = batch_of(data, 0, 8, 3);
  for (std::size_t b = 0; b < 8; ++b) {
    std::size_t i = 0;
    while (c.bins().encode(0, c.z[3 * i]) != c.bins().encode(0, batch.z[3 * b])) ++i;
    const std::span<const double> z(&c.z[3 * i], 3);
    // Positions are float32: 1e-7 relative in the bonds.
    CHECK(std::abs(batch.log_target[b] - (-c.u[i] + c.map->log_volume(z))) < 2e-6);
  }
}

TEST_CASE(
    "Cartesian: a new random frame at every visit, and log target follows the frame's centre of "
    "mass") {
  const Conformations c(1, true);
  auto data = c.data();
  std::set<std::vector<double>> frames;
  for (std::int64_t step = 0; step < 20; ++step) {
    const auto batch = batch_of(data, step, 1, 9);
    frames.insert(batch.z);
    CHECK(c.head.inside(batch.z));
    CHECK(batch.log_target[0] == -c.u[0] + c.map->log_volume(batch.z));
  }
  CHECK(frames.size() == 20);
}

TEST_CASE("counts are the marginals of one visit of everything") {
  for (const bool cartesian : {false, true}) {
    const Conformations c(10, cartesian);
    const auto counts = c.data().counts(c.bins());
    REQUIRE(counts.size() == static_cast<std::size_t>(c.map->size() * kBins));
    for (std::size_t j = 0; j < static_cast<std::size_t>(c.map->size()); ++j) {
      double sum = 0;
      for (std::size_t v = 0; v < kBins; ++v) sum += counts[j * kBins + v];
      CHECK(sum == 10);
    }
    if (cartesian) continue;
    for (std::size_t i = 0; i < c.z.size(); ++i) {
      const auto j = static_cast<std::int64_t>(i % 3);
      CHECK(counts[static_cast<std::size_t>(j * kBins + c.bins().encode(j, c.z[i]))] >= 1);
    }
  }
}

TEST_CASE(
    "conformations outside the support are refused with their number and coordinate, and dropped "
    "on request") {
  Conformations c(10);
  c.positions[9 * 4 + 3] +=
      1;  // the fifth conformation's second atom: both bonds, and the angle perhaps
  c.positions[9 * 7 + 6] -= 1;  // the eighth's third atom: its bond
  const auto message = error_message([&] { c.data(); });
  CHECK(message.find("2 of 10 conformations are outside") != std::string::npos);
  CHECK(message.find("most (2) in coordinate 1 of atom 2") != std::string::npos);
  CHECK(message.find("--outside drop") != std::string::npos);

  auto data = c.data(1, true);
  CHECK(data.size() == 8);
  CHECK(data.dropped() == 2);
  auto kept = visited(data, c, 0, 8);
  std::ranges::sort(kept);
  auto expected = c.u;
  expected.erase(expected.begin() + 7);
  expected.erase(expected.begin() + 4);
  CHECK(kept == expected);
}

TEST_CASE("what does not fit is refused in a sentence") {
  Conformations c(10);
  const auto make = [&](std::vector<float> positions, std::vector<double> u) {
    return error_message([&] { TrainingData(*c.map, c.head, positions, u, 1, false); });
  };
  CHECK(make({}, {}).find("conformations of 3 atoms") != std::string::npos);
  CHECK(make(std::vector<float>(10), {}).find("conformations of 3 atoms") != std::string::npos);
  CHECK(make(c.positions, {1, 2}).find("an energy for each of 10") != std::string::npos);
  TrainingData without(*c.map, c.head, c.positions, {}, 1, false);
  std::vector<double> z(12);
  std::vector<double> log_target(4);
  CHECK(error_message([&] { without.fill(0, z, log_target); }).find("needs the energies") !=
        std::string::npos);
  without.fill(0, z, {});

  Conformations far(3, true);
  for (auto& value : far.positions) value *= 20;
  CHECK(error_message([&] {
          auto data = far.data();
          batch_of(data, 0, 2, 9);
        }).find("raise --range") != std::string::npos);
}

TEST_SUITE_END();
