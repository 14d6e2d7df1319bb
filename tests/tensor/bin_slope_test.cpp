// Slopes within bins: by the definition, at the ends of a range and around a period.
#include "tensor/ops/bin_slope.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

// Slopes of all V bins of one row of logits.
std::vector<double> slopes(const std::vector<double>& logits, bool goes_round, double temperature,
                           Backend backend) {
  const std::int64_t V = std::ssize(logits);
  std::vector<double> rows;
  std::vector<std::int32_t> bins;
  for (std::int32_t k = 0; k < V; ++k) {
    rows.insert(rows.end(), logits.begin(), logits.end());
    bins.push_back(k);
  }
  return bin_slope(Tensor::from_values(rows, {V, 1, V}, backend),
                   Tensor::from_indices(bins, {V, 1}, backend),
                   Tensor::from_indices(std::vector<std::int32_t>{goes_round}, {1}, backend),
                   temperature)
      .values();
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a slope is half the difference of the neighbours over the bin, held within 1.8") {
    const std::vector<double> logits = {0.25, 1, 0.5, -0.75, 3, 0};
    for (const Backend backend : backends_here()) {
      for (const double tau : {1.0, 0.5, 2.0}) {
        std::vector<double> p;
        for (const double x : logits) p.push_back(std::exp(x / tau));
        for (const bool goes_round : {false, true}) {
          const auto found = slopes(logits, goes_round, tau, backend);
          for (std::size_t k = 0; k < p.size(); ++k) {
            double expected = (p[(k + 1) % p.size()] - p[(k + 5) % p.size()]) / (2 * p[k]);
            if (!goes_round && k == 0) expected = (p[1] - p[0]) / p[0];
            if (!goes_round && k == 5) expected = (p[5] - p[4]) / p[5];
            CAPTURE(k);
            CHECK(found[k] ==
                  doctest::Approx(std::clamp(expected, -kSteepest, kSteepest)).epsilon(1e-13));
          }
        }
      }
    }
  }

  TEST_CASE("of what has no neighbours, or none with a probability, the slope is 0") {
    for (const Backend backend : backends_here()) {
      for (const bool goes_round : {false, true}) {
        CHECK(slopes({0.5}, goes_round, 1, backend) == std::vector<double>{0});
        CHECK(slopes({2, 2, 2}, goes_round, 1, backend) == std::vector<double>{0, 0, 0});
        const auto holes = slopes({-INFINITY, -INFINITY, 1, -INFINITY}, goes_round, 1, backend);
        CHECK(holes[2] == 0);
        for (const double slope : holes) CHECK(std::abs(slope) <= kSteepest);
        CHECK(slopes({NAN, NAN, NAN}, goes_round, 1, backend)[1] == 0);
      }
      CHECK(slopes({1, 0}, true, 1, backend) == std::vector<double>{0, 0});
      CHECK(slopes({0, 900}, false, 1, backend)[0] == kSteepest);
    }
  }

  TEST_CASE("every position has its own rule, and a row the same bits alone") {
    for (const Backend backend : backends_here()) {
      const std::vector<double> one = {0.1, 0.9, -0.4};
      std::vector<double> rows;
      for (int row = 0; row < 4; ++row) rows.insert(rows.end(), one.begin(), one.end());
      const auto found = bin_slope(Tensor::from_values(rows, {2, 2, 3}, backend),
                                   Tensor::from_indices(std::vector{0, 0, 2, 2}, {2, 2}, backend),
                                   Tensor::from_indices(std::vector{0, 1}, {2}, backend), 1)
                             .values();
      const auto ends = slopes(one, false, 1, backend), round = slopes(one, true, 1, backend);
      CHECK(found == std::vector{ends[0], round[0], ends[2], round[2]});
      CHECK(ends[0] != round[0]);
    }
  }

  TEST_CASE("slopes of what does not fit are refused") {
    const auto index = [](std::vector<std::int32_t> values) {
      return Tensor::from_indices(values, {std::ssize(values)}, Backend::cpu);
    };
    const Tensor logits = Tensor::zeros({2, 3}, DType::f32, Backend::cpu);
    CHECK_THROWS_WITH_AS(bin_slope(logits, index({0, 3}), index({0, 0}), 1),
                         "bin_slope: index 3 at place 1 is outside 0 ... 2", Error);
    CHECK_THROWS_AS(bin_slope(logits, index({0, 1}), index({0}), 1), Error);
    CHECK_THROWS_AS(bin_slope(logits, index({0}), index({0, 0}), 1), Error);
    CHECK_THROWS_AS(bin_slope(logits, index({0, 1}), index({0, 0}), 0), Error);
  }
}

}  // namespace arbg::tensor::test
