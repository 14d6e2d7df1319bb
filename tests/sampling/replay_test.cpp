#include "sampling/replay.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

double effective_size(const std::vector<double>& log_w, double exponent) {
  double sum = 0, squares = 0;
  for (const double value : log_w) {
    const double w = std::isfinite(value) ? std::exp(exponent * value) : 0;
    sum += w;
    squares += w * w;
  }
  return sum * sum / squares;
}

std::vector<double> normal_logs(std::size_t n, double deviation) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = deviation * Random(1, 2).normal_pair(i)[0];
  return out;
}

// Row i of `count` is the tokens {mark, i}; its log target density is mark + i / 1000.
ReplayRound marked_round(std::int32_t mark, std::vector<double> log_weight) {
  ReplayRound round;
  for (std::size_t i = 0; i < log_weight.size(); ++i) {
    round.tokens.insert(round.tokens.end(), {mark, static_cast<std::int32_t>(i)});
    round.log_target.push_back(mark + static_cast<double>(i) / 1000);
  }
  round.log_weight = std::move(log_weight);
  return round;
}

TEST_SUITE_BEGIN("fast");

TEST_CASE("smoothed weights have the effective size that was asked for") {
  auto log_w = normal_logs(1000, 5);
  const double a = smoothing_exponent(log_w, 0.2);
  CHECK(a < 1);
  CHECK(effective_size(log_w, a) == doctest::Approx(200).epsilon(1e-9));
  for (std::size_t i = 0; i < 500; ++i) log_w[i] = -INFINITY;
  CHECK(effective_size(log_w, smoothing_exponent(log_w, 0.2)) ==
        doctest::Approx(100).epsilon(1e-9));
  for (auto& value : log_w) value += 1e5;  // a constant of log Z changes nothing
  CHECK(smoothing_exponent(log_w, 0.2) > 0);
}

TEST_CASE("good weights are not smoothed") {
  CHECK(smoothing_exponent(normal_logs(1000, 0.5), 0.2) == 1);
  CHECK(smoothing_exponent(std::vector<double>(10, 3.0), 1) == 1);
}

TEST_CASE("weights that cannot be smoothed are refused") {
  CHECK_THROWS_WITH(smoothing_exponent(std::vector<double>(4, -INFINITY), 0.2),
                    doctest::Contains("no sample of this round is in the target's support"));
  CHECK_THROWS_WITH(smoothing_exponent({}, 0.2), doctest::Contains("found none"));
  CHECK_THROWS_WITH(smoothing_exponent(normal_logs(4, 1), 0), doctest::Contains("found 0"));
  ReplayBuffer buffer(2, 2, 0.2, 1);
  std::vector<std::int32_t> tokens(2);
  CHECK_THROWS_WITH(buffer.fill(0, tokens, {}), doctest::Contains("found none"));
  auto short_round = marked_round(1, {0, 0});
  short_round.tokens.pop_back();
  CHECK_THROWS_WITH(buffer.add(short_round),
                    doctest::Contains("found 2 log target densities and 3"));
}

TEST_CASE("a batch is a function of the step; rows keep their log target density") {
  ReplayBuffer one(2, 3, 0.2, 7), two(2, 3, 0.2, 7);
  for (auto* buffer : {&one, &two}) {
    buffer->add(marked_round(1, normal_logs(50, 1)));
    buffer->add(marked_round(2, normal_logs(80, 1)));
  }
  std::vector<std::int32_t> a(64), b(64), other(64);
  std::vector<double> target_a(32), target_b(32);
  one.fill(4, other, target_a);
  one.fill(5, a, target_a);
  two.fill(5, b, target_b);
  CHECK(a == b);
  CHECK(target_a == target_b);
  CHECK(a != other);
  for (std::size_t row = 0; row < 32; ++row)
    CHECK(target_a[row] == a[2 * row] + static_cast<double>(a[2 * row + 1]) / 1000);
}

TEST_CASE("only the last rounds are kept, and samples of weight 0 never come up") {
  ReplayBuffer buffer(2, 2, 0.2, 1);
  std::vector<double> log_w(40, 0.0);
  for (std::size_t i = 0; i < 40; i += 2) log_w[i] = -INFINITY;
  for (std::int32_t mark = 0; mark < 4; ++mark) buffer.add(marked_round(mark, log_w));
  std::vector<std::int32_t> tokens(4000);
  buffer.fill(0, tokens, {});
  for (std::size_t row = 0; row < 2000; ++row) {
    CHECK(tokens[2 * row] >= 2);
    CHECK(tokens[2 * row + 1] % 2 == 1);
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("rows come as often as their round's smoothed weights say") {
  // Exponents of 1; the rounds count alike whatever their weights' scale.
  ReplayBuffer buffer(2, 2, 0.2, 3);
  CHECK(buffer.add(marked_round(0, {std::log(1.0), std::log(2.0), std::log(5.0)})) == 1);
  CHECK(buffer.add(marked_round(1, {100, 100, 100})) == 1);
  const double expected[2][3] = {{1 / 16.0, 2 / 16.0, 5 / 16.0}, {1 / 6.0, 1 / 6.0, 1 / 6.0}};
  double counts[2][3] = {};
  constexpr int kRows = 30000;
  std::vector<std::int32_t> tokens(2 * kRows);
  buffer.fill(0, tokens, {});
  for (std::size_t row = 0; row < kRows; ++row) counts[tokens[2 * row]][tokens[2 * row + 1]] += 1;
  double chi2 = 0;
  for (int r = 0; r < 2; ++r)
    for (int i = 0; i < 3; ++i)
      chi2 += std::pow(counts[r][i] - kRows * expected[r][i], 2) / (kRows * expected[r][i]);
  CHECK(chi2 < 20.5);  // five degrees of freedom: exceeded once in a thousand
}

TEST_SUITE_END();

}  // namespace
}  // namespace arbg::sampling
