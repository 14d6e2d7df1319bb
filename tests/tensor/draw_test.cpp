// Draws from categoricals: probabilities by the definition, draws by their probabilities.
#include "tensor/ops/draw.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "step_rows.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/place.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

Tensor start(const Tensor& logits) { return make_place(0, logits.backend()); }

const std::vector<Decoding> kDecodings = {
    {1, 0, 1, 0},    {0.7, 0, 1, 0},    {1, 3, 1, 0},      {1, 0, 0.8, 0}, {1.4, 2, 0.9, 0},
    {1, 3, 1, 0.05}, {1, 0, 0.6, 0.25}, {0.8, 2, 0.7, .1}, {1, 1, 1, 0},   {1, 2, 0.5, 1}};

// P of one conditional by the definition, from sorted exponentials.
std::vector<double> probabilities(const std::vector<double>& logits, const Decoding& decoding) {
  const std::size_t V = logits.size();
  std::vector<double> full(V), kept(V);
  for (std::size_t v = 0; v < V; ++v) full[v] = std::exp(logits[v] / decoding.temperature);
  const double total = std::accumulate(full.begin(), full.end(), 0.0);
  for (double& p : full) p /= total;
  std::vector<std::size_t> order(V);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  double sum = 0;
  for (std::size_t rank = 0; rank < V; ++rank) {
    if (decoding.top_k > 0 && rank >= static_cast<std::size_t>(decoding.top_k)) break;
    if (decoding.top_p < 1 && sum >= decoding.top_p) break;
    kept[order[rank]] = full[order[rank]];
    sum += full[order[rank]];
  }
  for (std::size_t v = 0; v < V; ++v)
    kept[v] = (1 - decoding.full_support) * kept[v] / sum + decoding.full_support * full[v];
  return kept;
}

// log P of index v of the one row `logits` under the decoding.
double log_p(const std::vector<double>& logits, const Decoding& decoding, std::size_t v,
             Backend backend) {
  const Tensor row = Tensor::from_values(logits, {1, std::ssize(logits)}, backend);
  return log_categorical_all(row, decoding).values()[v];
}

Tensor random_logits(std::int64_t M, std::int64_t V, Backend backend) {
  return scale(Tensor::from_values(random_values(M * V, 4, 1), {M, V}, backend), 2);
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("each conditional has the probabilities of the definition, on every backend") {
    for (const Backend backend : backends_here()) {
      for (const std::int64_t V : {1, 5, 16, 37}) {
        const Tensor logits = random_logits(1, V, backend);
        for (const Decoding& decoding : kDecodings) {
          const auto expected = probabilities(logits.values(), decoding);
          const auto found = log_categorical_all(logits, decoding).values();
          for (std::size_t v = 0; v < found.size(); ++v)
            CHECK(std::abs(std::exp(found[v]) - expected[v]) < 1e-14);
        }
      }
    }
  }

  TEST_CASE("what is drawn is where the cumulative distribution reaches the row's number") {
    const std::int64_t M = 200, V = 37;
    const Random random(8, stream_id("draw test"));
    for (const Backend backend : backends_here()) {
      const Tensor logits = random_logits(M, V, backend);
      const auto all = logits.values();
      for (const Decoding& decoding : kDecodings) {
        INFO(decoding.text());
        const auto drawn = draw_categorical(logits, decoding, random, {11, 0, 3}, start(logits));
        CHECK(drawn.index.index_bounds() == IndexBounds{0, V - 1});
        CHECK(drawn.log_p.values() == log_categorical(logits, drawn.index, decoding).values());
        const auto index = drawn.index.indices();
        for (std::size_t m = 0; m < index.size(); ++m) {
          const auto row = all.begin() + static_cast<std::ptrdiff_t>(m) * V;
          const auto p = probabilities({row, row + V}, decoding);
          const auto v = static_cast<std::size_t>(index[m]);
          const double below = std::accumulate(p.begin(), p.begin() + index[m], 0.0);
          const double uniform = random.uniform(11 + 3 * m);
          CHECK(p[v] > 0);
          CHECK(below < uniform + 1e-13);
          CHECK(uniform < below + p[v] + 1e-13);
        }
      }
    }
  }

  TEST_CASE("of equal logits the first are kept; what is left out has probability 0") {
    for (const Backend backend : backends_here()) {
      for (const double one : {0.5, 0.0, -0.5}) {
        std::vector<double> logits(10, one);
        if (one == 0) logits[1] = logits[4] = -0.0;  // equal to 0
        for (const Decoding& decoding :
             {Decoding{1, 4, 1, 0}, Decoding{1, 0, 0.35, 0}, Decoding{1, 0, 0.4, 0}}) {
          for (std::size_t v = 0; v < 10; ++v) {
            const double found = log_p(logits, decoding, v, backend);
            if (v < 4) CHECK(found == doctest::Approx(std::log(0.25)));
            if (v >= 4) CHECK(found == -INFINITY);
          }
        }
      }
      // A mixture's density stays exact where the exponential itself underflows.
      CHECK(log_p({0, -2000}, {1, 1, 1, 0.5}, 1, backend) ==
            doctest::Approx(-2000 + std::log(0.5)));
    }
  }

  TEST_CASE("a row's draw is the same alone, in a batch and on any number of threads") {
    const std::int64_t M = 300, V = 256;
    const Random random(8, 1);
    const Decoding decoding{1.1, 0, 0.9, 0.02};
    for (const Backend backend : backends_here()) {
      const Tensor logits = random_logits(M, V, backend);
      const int before = thread_count();
      set_thread_count(1);
      const auto one = draw_categorical(logits, decoding, random, {5, 0, 2}, start(logits));
      set_thread_count(3);
      const auto three = draw_categorical(logits, decoding, random, {5, 0, 2}, start(logits));
      set_thread_count(before);
      CHECK(one.index.indices() == three.index.indices());
      CHECK(one.log_p.values() == three.log_p.values());
      const auto part = draw_categorical(logits.rows(100, 7), decoding, random, {5 + 2 * 100, 0, 2},
                                         start(logits));
      CHECK(part.index.indices() == one.index.rows(100, 7).indices());
      CHECK(part.log_p.values() == one.log_p.rows(100, 7).values());
    }
  }

  TEST_CASE("logits without a distribution give NaN, and harm no other row") {
    for (const Backend backend : backends_here()) {
      for (const double bad : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
        for (const Decoding& decoding : kDecodings) {
          Tensor logits = random_logits(3, 9, backend);
          const auto before =
              draw_categorical(logits, decoding, Random(1, 1), {0, 0, 1}, start(logits));
          logits.reshape({27, 1}).rows(13, 1).fill(bad);
          const auto drawn =
              draw_categorical(logits, decoding, Random(1, 1), {0, 0, 1}, start(logits));
          CHECK(std::isnan(drawn.log_p.values()[1]));
          CHECK(drawn.index.indices()[1] == 0);
          for (const std::int64_t row : {0, 2}) {
            CHECK(drawn.log_p.rows(row, 1).item() == before.log_p.rows(row, 1).item());
            CHECK(drawn.index.rows(row, 1).item() == before.index.rows(row, 1).item());
          }
        }
      }
      Tensor nothing = random_logits(1, 9, backend);
      nothing.fill(-INFINITY);
      CHECK(std::isnan(log_categorical_all(nothing, {}).values()[0]));
    }
  }

  TEST_CASE("draws of what does not fit are refused") {
    const Tensor logits = random_logits(2, 4, Backend::cpu);
    const auto index = [](std::vector<std::int32_t> values) {
      return Tensor::from_indices(values, {std::ssize(values)}, Backend::cpu);
    };
    CHECK_THROWS_WITH_AS(log_categorical(logits, index({0, 4}), {}),
                         "log_categorical: index 4 at place 1 is outside 0 ... 3", Error);
    CHECK_THROWS_AS(log_categorical(logits, index({0}), {}), Error);
    CHECK_THROWS_AS(
        draw_categorical(logits.reshape({8}), {}, Random(1, 1), {0, 0, 1}, start(logits)), Error);
    CHECK_THROWS_AS(draw_categorical(logits, {0, 0, 1, 0}, Random(1, 1), {0, 0, 1}, start(logits)),
                    Error);
    CHECK_THROWS_AS(log_categorical_all(random_logits(2, 0, Backend::cpu), {}), Error);
  }
}

}  // namespace arbg::tensor::test
