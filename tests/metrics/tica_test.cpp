// Components against closed forms of two states, their symmetries, and deeptime.
#include "metrics/motions/tica.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tensor/base/random.h"
#include "tensor/base/threads.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

const std::filesystem::path kGolden = std::filesystem::path(ARBG_GOLDEN_DIR) / "metrics";

using Replicas = std::vector<std::vector<double>>;  // each [frames, F]

Tica fit(const Replicas& replicas, std::size_t feature_count, const TicaSettings& settings) {
  std::vector<FeatureSeries> series;
  for (const auto& replica : replicas) series.push_back(series_of(replica, feature_count));
  return fit_tica(series, feature_count, settings);
}

std::vector<double> project_array(const Tica& tica, const std::vector<double>& features) {
  return project(tica, series_of(features, tica.feature_count()));
}

// Ten replicas of two frames that start in state 0 and ten in state 1: as many pairs of each kind
// as transition probabilities 0 -> 1 of 0.2 and 1 -> 0 of 0.4 make on average.
Replicas two_states() {
  Replicas replicas;
  const auto add = [&](int count, double from, double to) {
    for (int k = 0; k < count; ++k) replicas.push_back({from, to});
  };
  add(8, 0, 0);
  add(2, 0, 1);
  add(4, 1, 0);
  add(6, 1, 1);
  return replicas;
}

// A slow and a fast autoregressive process, mixed into three features.
std::vector<double> mixed_features(std::size_t frames, std::uint64_t stream) {
  const Random random(11, stream);
  double slow = 0, fast = 0;
  std::vector<double> features;
  for (std::size_t t = 0; t < frames; ++t) {
    const auto noise = random.normal_pair(2 * t);
    slow = 0.95 * slow + 0.3 * noise[0];
    fast = 0.5 * fast + 0.8 * noise[1];
    features.insert(features.end(),
                    {slow + fast, slow - 2 * fast, random.normal_pair(2 * t + 1)[0]});
  }
  return features;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("of two states, Koopman weights give the stationary density and its eigenvalue") {
  // Stationary: 2/3 and 1/3; eigenvalue 1 - 0.2 - 0.4.
  const Tica tica = fit(two_states(), 1, {.lag = 1, .components = 1});
  CHECK(tica.mean[0] == doctest::Approx(1.0 / 3).epsilon(1e-12));
  CHECK(tica.eigenvalues[0] == doctest::Approx(0.4).epsilon(1e-12));
  CHECK(tica.coefficients[0] == doctest::Approx(0.4 / std::sqrt(2.0 / 9)).epsilon(1e-12));
  CHECK(tica.rank == 1);
  const auto projected = project_array(tica, {0, 1});
  CHECK(projected[0] == doctest::Approx(-tica.coefficients[0] / 3).epsilon(1e-12));
  CHECK(projected[1] == doctest::Approx(2 * tica.coefficients[0] / 3).epsilon(1e-12));
}

TEST_CASE("of two states, equal weights give the symmetric counts") {
  // 16, 6, 6, 12 of 40: a mean of 0.45, a variance of 0.2475, a lagged covariance of 0.0975.
  const Tica tica = fit(two_states(), 1, {.lag = 1, .components = 1, .reweight = false});
  CHECK(tica.mean[0] == doctest::Approx(0.45).epsilon(1e-12));
  CHECK(tica.eigenvalues[0] == doctest::Approx(0.0975 / 0.2475).epsilon(1e-12));
}

TEST_CASE("pairs are of one replica, and frames that end no pair do not count") {
  const auto a = mixed_features(60, 1), b = mixed_features(45, 2);
  const std::size_t lag = 7;
  Replicas pairs;
  for (const auto& replica : {a, b}) {
    for (std::size_t t = 0; t + lag < replica.size() / 3; ++t) {
      std::vector<double> pair(3 * (lag + 1), 1e3);  // between its ends: anything
      for (std::size_t k = 0; k < 3; ++k) {
        pair[k] = replica[3 * t + k];
        pair[3 * lag + k] = replica[3 * (t + lag) + k];
      }
      pairs.push_back(pair);
    }
  }
  pairs.push_back(std::vector<double>(3 * lag, 1e3));  // too short for a pair
  for (const bool reweight : {true, false}) {
    const TicaSettings settings{.lag = lag, .components = 3, .reweight = reweight};
    const Tica whole = fit({a, b}, 3, settings), apart = fit(pairs, 3, settings);
    CHECK(largest_difference(whole.coefficients, apart.coefficients) < 1e-10);
    CHECK(largest_difference(whole.mean, apart.mean) < 1e-10);
  }
}

TEST_CASE("blocks of frames and panels of features change nothing but rounding") {
  // More pairs than a block, more features than a panel (copies add no rank), against replicas of
  // 500 pairs each.
  const std::size_t frames = 2500, copies = 100, lag = 3;
  const auto features = mixed_features(frames, 3);
  Replicas pieces;
  for (std::size_t first = 0; first + lag < frames; first += 500) {
    const std::size_t last = std::min(first + 500 + lag, frames);
    pieces.emplace_back(&features[3 * first], &features[3 * first] + 3 * (last - first));
  }
  std::vector<double> wide;
  for (std::size_t t = 0; t < frames; ++t) {
    for (std::size_t c = 0; c < copies; ++c) {
      for (std::size_t k = 0; k < 3; ++k) wide.push_back(features[3 * t + k] + 5);
    }
  }
  const TicaSettings settings{.lag = lag, .components = 2};
  const Tica narrow = fit(pieces, 3, settings), broad = fit({wide}, 3 * copies, settings);
  CHECK(broad.rank == 3);
  CHECK(largest_difference(narrow.eigenvalues, broad.eigenvalues) < 1e-10);
  CHECK(largest_difference(project_array(narrow, features), project_array(broad, wide)) < 1e-9);
}

TEST_CASE("other units, offsets and mixtures of the features give the same components") {
  const auto features = mixed_features(400, 4);
  std::vector<double> other;
  for (std::size_t t = 0; t < 400; ++t) {
    const double* z = &features[3 * t];
    other.insert(other.end(), {100 - 3 * z[0] + z[2], z[1] + 0.5 * z[0], 10 * z[2] - 40});
  }
  const TicaSettings settings{.lag = 2, .components = 3};
  const Tica one = fit({features}, 3, settings), two = fit({other}, 3, settings);
  const auto a = project_array(one, features), b = project_array(two, other);
  for (std::size_t d = 0; d < 3; ++d) {
    CHECK(one.eigenvalues[d] == doctest::Approx(two.eigenvalues[d]).epsilon(1e-9));
    const double sign = a[d] * b[d] > 0 ? 1 : -1;
    for (std::size_t t = 0; t < 400; ++t)
      CHECK(std::fabs(a[3 * t + d] - sign * b[3 * t + d]) < 1e-9);
  }
  CHECK(std::fabs(one.eigenvalues[0]) > std::fabs(one.eigenvalues[1]));
}

TEST_CASE("the number of threads changes no bit") {
  const auto features = mixed_features(300, 5);
  const int threads = thread_count();
  set_thread_count(1);
  const Tica one = fit({features}, 3, {.lag = 2});
  set_thread_count(3);
  const Tica three = fit({features}, 3, {.lag = 2});
  set_thread_count(threads);
  CHECK(one.coefficients == three.coefficients);
}

TEST_CASE("JSON keeps every bit, and what it lacks is refused") {
  const auto features = mixed_features(300, 6);
  const Tica tica = fit({features}, 3, {.lag = 4});
  const Json json = Json::parse(to_json(tica).dump(), "here");
  const Tica read = tica_from_json(json);
  CHECK(read.lag == 4);
  CHECK(read.rank == 3);
  CHECK(read.reweighted);
  CHECK(read.mean == tica.mean);
  CHECK(read.eigenvalues == tica.eigenvalues);
  CHECK(read.coefficients == tica.coefficients);
  CHECK(project_array(read, features) == project_array(tica, features));

  for (const char* key : {"mean", "eigenvalues", "coefficients"}) {
    Json damaged = json;
    damaged[key] = list_of(std::vector<double>{});
    CHECK_THROWS_AS(tica_from_json(damaged), Error);
    damaged = json;
    Json list;
    for (std::size_t i = 0; i < json.at(key).items().size(); ++i) list.push_back(Json());
    damaged[key] = list;
    CHECK_THROWS_AS(tica_from_json(damaged), Error);
  }
  CHECK_THROWS_AS(tica_from_json(Json::object()), Error);
}

TEST_CASE("what has no components is refused") {
  const auto features = mixed_features(50, 7);
  CHECK_THROWS_AS(fit({features}, 3, {.lag = 50}), Error);
  CHECK_THROWS_AS(fit({features}, 3, {.lag = 0}), Error);
  CHECK_THROWS_AS(fit({}, 3, {.lag = 1}), Error);
  CHECK_THROWS_AS(fit({features}, 4, {.lag = 1}), Error);
  CHECK_THROWS_WITH_AS(fit({features}, 3, {.lag = 1, .components = 4}),
                       "expected at most 3 components, the rank of the features, found 4", Error);
  CHECK_THROWS_AS(fit({std::vector<double>(30, 2.5)}, 3, {.lag = 1}), Error);
  // Two replicas, each in its own state for ever: any mixture is stationary.
  CHECK_THROWS_WITH_AS(fit({{0, 0, 0}, {1, 1, 1}}, 1, {.lag = 1, .components = 1}),
                       doctest::Contains("one stationary density"), Error);

  auto broken = features;
  broken[3 * 20 + 1] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(fit({features, broken}, 3, {.lag = 1}),
                       "expected a finite feature, found nan in replica 1, frame 20, feature 1",
                       Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("components equal those of deeptime, with and without Koopman weights") {
  const Replicas replicas{read_npy(kGolden / "tica_replica_0.npy").data,
                          read_npy(kGolden / "tica_replica_1.npy").data};
  const Json expected = Json::parse(read_file(kGolden / "evaluation.json"), "evaluation.json");
  for (const char* name : {"plain", "reweighted"}) {
    CAPTURE(name);
    const bool reweight = std::string(name) == "reweighted";
    const Tica tica = fit(replicas, 8, {.lag = 5, .components = 3, .reweight = reweight});
    const Json& golden = expected.at(std::string("tica_") + name);
    CHECK(tica.rank == golden.at("rank").natural());
    CHECK(largest_difference(tica.eigenvalues, numbers_of(golden.at("eigenvalues"))) < 1e-9);

    auto frames = replicas[0];
    frames.insert(frames.end(), replicas[1].begin(), replicas[1].end());
    const auto projected = project_array(tica, frames);
    const auto theirs = read_npy(kGolden / (std::string("tica_") + name + ".npy")).data;
    std::vector<double> ours;  // of every tenth frame
    for (std::size_t t = 0; t < frames.size() / 8; t += 10) {
      for (std::size_t d = 0; d < 3; ++d) ours.push_back(projected[3 * t + d]);
    }
    CHECK(largest_difference(ours, theirs) < 1e-6);
  }
}

TEST_SUITE_END();
