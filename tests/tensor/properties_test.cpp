// What must hold of operations beyond agreeing with the reference: cached equals uncached, the
// future does not leak, thread counts do not matter, bad input is refused in words.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

#include "operation_rows.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/place.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

Tensor random_tensor(const Shape& shape, Backend backend, std::uint64_t stream = 1) {
  return Tensor::from_values(random_values(shape.elements(), 5, stream), shape, backend);
}

// Rows t of the middle axis of x [B, T, C], as [B, C].
Tensor token(const Tensor& x, std::int64_t t) {
  const std::int64_t B = x.extent(0), T = x.extent(1), C = x.extent(2);
  const auto all = x.values();
  std::vector<double> values;
  for (std::int64_t b = 0; b < B; ++b) {
    const auto first = all.begin() + (b * T + t) * C;
    values.insert(values.end(), first, first + C);
  }
  return Tensor::from_values(values, {B, C}, x.backend());
}

void check_cached_attention(Backend backend, std::int64_t B, std::int64_t C, int heads,
                            std::int64_t T = 37) {
  const Tensor qkv = random_tensor({B, T, 3 * C}, backend);
  const Tensor full = causal_attention(qkv, heads, nullptr);
  AttentionCache cache = make_attention_cache(B, T, C, heads, backend);
  Tensor place = make_place(0, backend);
  for (std::int64_t t = 0; t < T; ++t) {
    REQUIRE(cached_attention(token(qkv, t), place, cache).values() == token(full, t).values());
    advance(place);
  }
}

template <class F>
std::vector<double> with_threads(int count, const F& f) {
  const int before = thread_count();
  set_thread_count(count);
  const auto values = f();
  set_thread_count(before);
  return values;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("cached attention equals full attention bitwise") {
    for (const Backend backend : backends_here()) {
      check_cached_attention(backend, 3, 64, 4);
      check_cached_attention(backend, 1, 10, 2);
      check_cached_attention(backend, 16, 96, 3);
      check_cached_attention(backend, 33, 34, 1);
      check_cached_attention(backend, 1, 128, 1, 70);
      check_cached_attention(backend, 2, 1, 1, 131);
    }
  }

  TEST_CASE("selected rows of a cache go on where they were, bitwise") {
    const std::int64_t B = 3, T = 9, C = 10, length = 5;
    for (const Backend backend : backends_here()) {
      const Tensor qkv = random_tensor({B, T, 3 * C}, backend);
      AttentionCache cache = make_attention_cache(B, T, C, 2, backend);
      Tensor place = make_place(0, backend);
      for (std::int64_t t = 0; t < length; ++t) {
        cached_attention(token(qkv, t), place, cache);
        advance(place);
      }
      const std::vector<std::int64_t> from{2, 0, 2, 1};
      AttentionCache selected = select_rows(cache, length, from);
      const auto picked = [&](const Tensor& x) {
        Tensor y = Tensor::empty({4, x.extent(1)}, x.dtype(), backend);
        for (std::int64_t i = 0; i < 4; ++i)
          y.rows(i, 1).copy_from(x.rows(from[static_cast<std::size_t>(i)], 1));
        return y;
      };
      const Tensor next = token(qkv, length);
      CHECK(cached_attention(picked(next), place, selected).values() ==
            picked(cached_attention(next, place, cache)).values());
    }
  }

  TEST_CASE("a packed weight gives the bits of the weight itself") {
    for (const Backend backend : backends_here()) {
      for (const auto& [M, N, K] : {std::array<std::int64_t, 3>{1, 1, 1},
                                    {64, 170, 64},
                                    {7, 33, 300},
                                    {5, 600, 40},
                                    {3, 530, 520},
                                    {0, 4, 4},
                                    {4, 0, 4},
                                    {4, 4, 0}}) {
        const Tensor x = random_tensor({M, K}, backend), weight = random_tensor({N, K}, backend);
        const Tensor bias = random_tensor({N}, backend);
        const PackedWeight packed = pack_weight(weight);
        CHECK(linear(x, packed, {}).values() == linear(x, weight, {}).values());
        CHECK(linear(x, packed, bias).values() == linear(x, weight, bias).values());
      }
    }
  }

  TEST_CASE("cross-attention sees no padding, and one query alone is as it is among others") {
    for (const Backend backend : backends_here()) {
      const std::int64_t T = 20, N = 9, C = 32;
      const Tensor q = random_tensor({1, T, C}, backend, 1),
                   k = random_tensor({1, N, C}, backend, 2),
                   v = random_tensor({1, N, C}, backend, 3);
      const Tensor count = Tensor::from_indices(std::vector{6}, {1}, backend);
      Tensor other_k = k.clone(), other_v = v.clone();
      other_k.reshape({N, C}).rows(6, 3).fill(1e4);
      other_v.reshape({N, C}).rows(6, 3).fill(NAN);
      const Tensor y = cross_attention(q, k, v, count, 4, nullptr);
      CHECK(y.values() == cross_attention(q, other_k, other_v, count, 4, nullptr).values());
      const Tensor one = q.reshape({T, C}).rows(13, 1).reshape({1, 1, C});
      CHECK(cross_attention(one, k, v, count, 4, nullptr).values() ==
            y.reshape({T, C}).rows(13, 1).values());
    }
  }

  TEST_CASE("dropout keeps its share, rescaled, and the same in one piece and in two") {
    const std::int64_t M = 64, C = 501;
    for (const Backend backend : backends_here()) {
      Tensor ones = Tensor::zeros({M, C}, real_dtype(backend), backend);
      ones.fill(1.0);
      const PlacedRandom random{7, philox::purpose_of("dropout"), make_place(3, backend)};
      const Tensor y = dropout(ones, 0.2, random, 3);
      double kept = 0;
      for (const double value : y.values()) {
        REQUIRE((value == 0.0 || value == doctest::Approx(1.25)));
        kept += value > 0;
      }
      const double n = static_cast<double>(M * C), deviation = std::sqrt(n * 0.2 * 0.8);
      CHECK(std::abs(kept - 0.8 * n) < 4 * deviation);
      CHECK(dropout(ones.rows(10, 20), 0.2, random, 13).values() == y.rows(10, 20).values());
      CHECK(dropout(ones, 0.2, {7, random.purpose, make_place(4, backend)}, 3).values() !=
            y.values());
      const Tensor narrow = dropout(ones.reshape({3 * M, C / 3}), 0.2, random, 9, C / 3);
      CHECK(narrow.values() == y.values());
      const Tensor part = ones.reshape({3 * M, C / 3}).rows(0, M);
      const auto first_columns = dropout(part, 0.2, random, 3, C).values(), all = y.values();
      for (std::int64_t i = 0; i < M * C / 3; ++i) {
        const auto row = static_cast<std::size_t>(i / (C / 3)),
                   column = static_cast<std::size_t>(i % (C / 3));
        REQUIRE(first_columns[static_cast<std::size_t>(i)] == all[row * C + column]);
      }
      CHECK_THROWS_AS(dropout(ones, 1.0, random, 0), Error);
      CHECK_THROWS_AS(dropout(ones, 0.2, random, 0, C - 1), Error);
    }
  }

  TEST_CASE("attention at a token does not depend on later tokens") {
    for (const Backend backend : backends_here()) {
      const std::int64_t T = 20, C = 32;
      const Tensor qkv = random_tensor({1, T, 3 * C}, backend);
      Tensor changed = qkv.clone();
      changed.reshape({T, 3 * C}).rows(14, T - 14).fill(1e4);
      const Tensor y = causal_attention(qkv, 2, nullptr),
                   other = causal_attention(changed, 2, nullptr);
      CHECK(y.reshape({T, C}).rows(0, 14).values() == other.reshape({T, C}).rows(0, 14).values());
      CHECK(y.reshape({T, C}).rows(14, 1).values() != other.reshape({T, C}).rows(14, 1).values());
    }
  }

  TEST_CASE("a step's results are bitwise the same for any thread count") {
    for (const Backend backend : backends_here()) {
      if (backend == Backend::reference) continue;  // it has one thread
      const Tensor qkv = random_tensor({40, 60, 192}, backend),
                   logits = random_tensor({2400, 256}, backend, 2);
      const Tensor dy = random_tensor({40, 60, 64}, backend, 3);
      std::vector<std::int32_t> tokens(2400, 5);
      const Tensor index = Tensor::from_indices(tokens, {2400}, backend);
      Tensor saved;
      const auto attention = [&] { return causal_attention(qkv, 4, &saved).values(); };
      const auto backward = [&] { return causal_attention_backward(dy, qkv, saved, 4).values(); };
      const auto likelihood = [&] { return log_prob(logits, index).values(); };
      const auto gated = [&] { return swiglu(qkv, qkv).values(); };
      const Tensor curves = random_tensor({40, 1, 3, 64}, backend, 4),
                   strengths = random_tensor({40, 60, 3}, backend, 5);
      const Tensor slot = Tensor::from_indices(std::vector<std::int32_t>(60), {60}, backend);
      const auto tilted = [&] { return tilt(dy, strengths, curves, slot).values(); };
      const auto tilt_slopes = [&] {
        Tensor dg = strengths.clone();
        tilt_backward(dy, curves, slot, &dg);
        return dg.values();
      };
      CHECK(with_threads(1, attention) == with_threads(3, attention));
      CHECK(with_threads(1, backward) == with_threads(3, backward));
      CHECK(with_threads(1, likelihood) == with_threads(3, likelihood));
      CHECK(with_threads(1, gated) == with_threads(3, gated));
      CHECK(with_threads(1, tilted) == with_threads(3, tilted));
      CHECK(with_threads(1, tilt_slopes) == with_threads(3, tilt_slopes));
    }
  }

  TEST_CASE("a row has the same bits alone, in a batch, and wherever it begins") {
    for (const Backend backend : backends_here()) {
      for (const std::int64_t C : {37, 64, 1000, 2100}) {
        const Tensor x = random_tensor({3, C}, backend), a = random_tensor({C}, backend, 2),
                     b = random_tensor({C}, backend, 3),
                     index = Tensor::from_indices(std::vector{2, 7, 5}, {3}, backend);
        // One number behind where tensors begin.
        const Tensor whole = Tensor::zeros({C + 1}, x.dtype(), backend);
        Tensor alone = whole.rows(1, C).reshape({1, C});
        alone.copy_from(x.rows(1, 1));
        const auto same = [&](const char* name, const auto& f) {
          CAPTURE(name);
          CAPTURE(C);
          CHECK(f(alone).values() == f(x).rows(1, 1).values());
        };
        using T = const Tensor&;
        same("rmsnorm", [&](T t) { return rmsnorm(t, a, 1e-6); });
        same("rmsnorm_backward", [&](T t) { return rmsnorm_backward(t, t, a, 1e-6, nullptr); });
        same("layernorm", [&](T t) { return layernorm(t, a, b, 1e-5); });
        same("layernorm_backward",
             [&](T t) { return layernorm_backward(t, t, a, 1e-5, nullptr, nullptr); });
        same("log_softmax", [&](T t) { return log_softmax(t); });
        same("swiglu", [&](T t) { return swiglu(t, t); });
        same("gelu_backward", [&](T t) { return gelu_backward(t, t); });
        same("concat", [&](T t) { return concat(t, t); });
        const Tensor one = Tensor::from_indices(std::vector{7}, {1}, backend);
        same("log_prob_backward", [&](T t) {
          const bool batch = t.extent(0) > 1;
          const Tensor dy = Tensor::from_values(std::vector<double>(batch ? 3 : 1, 0.7),
                                                {batch ? 3 : 1}, backend);
          return log_prob_backward(dy, t, batch ? index : one);
        });
      }
    }
  }

  TEST_CASE("logits are tilted by the curves of their slot, and by no others") {
    for (const Backend backend : backends_here()) {
      const auto tensor = [&](const std::vector<double>& values, const Shape& shape) {
        return Tensor::from_values(values, shape, backend);
      };
      const Tensor slot = Tensor::from_indices(std::vector{1, -1, 1}, {3}, backend);
      const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {1, 3, 2}),
                   g = tensor({2, 1, NAN, NAN, -1, 0.5}, {1, 3, 2}),
                   u = tensor({NAN, NAN, NAN, NAN, 3, 5, 7, 11}, {1, 2, 2, 2});
      CHECK(tilt(x, g, u, slot).values() == std::vector<double>{-12, -19, 3, 4, 4.5, 5.5});
      Tensor dg = tensor({10, 20, 30, 40, 50, 60}, {1, 3, 2});
      tilt_backward(x, u, slot, &dg);
      CHECK(dg.values() == std::vector<double>{-3, -9, 30, 40, 5, -41});
      tilt_backward(x, u, slot, nullptr);
    }
  }

  TEST_CASE("tilted logits have the same bits in a batch and for one position drawn alone") {
    const std::int64_t B = 3, T = 5, S = 2, K = 3;
    for (const Backend backend : backends_here()) {
      for (const std::int64_t V : {37, 256, 1000, 2100}) {
        CAPTURE(V);
        const Tensor x = random_tensor({B, T, V}, backend, 1),
                     g = random_tensor({B, T, K}, backend, 2),
                     u = random_tensor({B, S, K, V}, backend, 3);
        const auto slots = [&](const std::vector<std::int32_t>& values) {
          return Tensor::from_indices(values, {std::ssize(values)}, backend);
        };
        const Tensor slot = slots({-1, 0, -1, 1, 0});
        const auto gradient = [&](const Tensor& dy, const Tensor& curves, const Tensor& at) {
          Tensor dg = Tensor::zeros({dy.extent(0), dy.extent(1), K}, dy.dtype(), backend);
          tilt_backward(dy, curves, at, &dg);
          return dg;
        };
        // Row 3 of molecule 1, whose logits and curves begin one number behind where tensors do.
        const auto moved = [](const Tensor& from, const Shape& shape) {
          const Tensor whole = Tensor::zeros({from.elements() + 1}, from.dtype(), from.backend());
          Tensor to = whole.rows(1, from.elements()).reshape(shape);
          to.copy_from(from.reshape(shape));
          return to;
        };
        const std::int64_t m = T + 3;
        const auto row = [&](const Tensor& of) {
          return of.reshape({B * T, of.extent(2)}).rows(m, 1);
        };
        const Tensor x_one = moved(row(x), {1, 1, V}), g_one = row(g).reshape({1, 1, K}),
                     u_one = moved(u.reshape({B * S, K, V}).rows(S + 1, 1), {1, 1, K, V});
        CHECK(tilt(x_one, g_one, u_one, slots({0})).values() == row(tilt(x, g, u, slot)).values());
        CHECK(gradient(x_one, u_one, slots({0})).values() == row(gradient(x, u, slot)).values());
      }
    }
  }

  TEST_CASE("log probabilities of all indices sum to one, also for huge logits") {
    for (const Backend backend : backends_here()) {
      for (const double size : {1.0, 1e4}) {
        const Tensor y = log_softmax(scale(random_tensor({7, 300}, backend), size));
        const auto values = y.values();
        for (std::size_t m = 0; m < 7; ++m) {
          double sum = 0;
          for (std::size_t v = 0; v < 300; ++v) sum += std::exp(values[m * 300 + v]);
          CHECK(std::abs(sum - 1) < (backend == Backend::reference ? 1e-12 : 1e-6));
        }
      }
    }
  }

  TEST_CASE("log_prob is the picked entry of log_softmax, bitwise") {
    for (const Backend backend : backends_here()) {
      const Tensor logits = random_tensor({50, 37}, backend);
      std::vector<std::int32_t> tokens;
      for (int m = 0; m < 50; ++m) tokens.push_back(m * 7 % 37);
      const auto picked = log_prob(logits, Tensor::from_indices(tokens, {50}, backend)).values();
      const auto all = log_softmax(logits).values();
      for (std::size_t m = 0; m < 50; ++m) {
        CHECK(picked[m] == all[m * 37 + static_cast<std::size_t>(tokens[m])]);
      }
    }
  }

  TEST_CASE("NaN in, NaN out") {
    for (const Backend backend : backends_here()) {
      Tensor x = random_tensor({2, 40}, backend);
      x.rows(1, 1).fill(NAN);
      const Tensor gain = random_tensor({40}, backend),
                   index = Tensor::from_indices(std::vector{3, 3}, {2}, backend);
      CHECK(std::isnan(log_prob(x, index).values()[1]));
      CHECK(std::isnan(rmsnorm(x, gain, 1e-6).values()[40]));
      CHECK(std::isnan(swiglu(x, x).values()[40]));
      CHECK(std::isnan(gelu(x).values()[40]));
      CHECK(std::isnan(sum_all(x).item()));
      CHECK(!std::isnan(log_prob(x, index).values()[0]));
      Tensor qkv = random_tensor({2, 5, 12}, backend);
      qkv.rows(1, 1).fill(NAN);
      const auto y = causal_attention(qkv, 2, nullptr).values();
      CHECK(!std::isnan(y[19]));
      CHECK(std::isnan(y[20]));
    }
  }

  TEST_CASE("an index outside the table is refused, with its place") {
    for (const Backend backend : backends_here()) {
      const Tensor table = random_tensor({4, 3}, backend), logits = random_tensor({2, 4}, backend);
      for (const std::int32_t bad : {-1, 4}) {
        const Tensor index = Tensor::from_indices(std::vector<std::int32_t>{0, bad}, {2}, backend);
        const std::string reason =
            "index " + std::to_string(bad) + " at place 1 is outside 0 ... 3";
        CHECK_THROWS_WITH_AS(embedding(table, index), ("embedding: " + reason).c_str(), Error);
        CHECK_THROWS_WITH_AS(log_prob(logits, index), ("log_prob: " + reason).c_str(), Error);
        Tensor dtable = table.clone();
        const Tensor dy = random_tensor({2, 3}, backend), dlog = random_tensor({2}, backend);
        CHECK_THROWS_AS(embedding_backward(dy, index, &dtable), Error);
        CHECK_THROWS_AS(log_prob_backward(dlog, logits, index), Error);
      }
    }
  }

  TEST_CASE("a part of indices that reach further is refused until it is made anew") {
    for (const Backend backend : backends_here()) {
      const Tensor table = random_tensor({4, 3}, backend);
      const Tensor all = Tensor::from_indices(std::vector{1, 2, 9}, {3}, backend);
      const Tensor part = all.rows(0, 2);
      CHECK_THROWS_WITH_AS(embedding(table, part),
                           "embedding: each index must lie in 0 ... 3, which is not known of "
                           "these, a part of others or written through host_data(); make them with "
                           "from_indices()",
                           Error);
      const Tensor again = Tensor::from_indices(part.indices(), {2}, backend);
      CHECK(embedding(table, again).values() == table.rows(1, 2).values());
    }
  }

  TEST_CASE("shapes, types and backends that do not fit are refused") {
    const Backend cpu = Backend::cpu;
    const Tensor x = random_tensor({2, 3, 8}, cpu), weight = random_tensor({5, 8}, cpu);
    CHECK_THROWS_WITH_AS(linear(x, random_tensor({5, 7}, cpu), Tensor()),
                         "linear: expected weight of shape [5, 8] ([N, K]), found [5, 7]", Error);
    CHECK_THROWS_AS(linear(x, weight, random_tensor({4}, cpu)), Error);
    CHECK_THROWS_AS(linear(x, Tensor(), Tensor()), Error);
    CHECK_THROWS_WITH_AS(linear(x, weight.to(Backend::reference), Tensor()),
                         "linear: weight is on the backend reference, the other inputs are on cpu; "
                         "move it with to()",
                         Error);
    CHECK_THROWS_AS(linear_backward(x, x, weight, nullptr, nullptr, true), Error);
    CHECK_THROWS_AS(matmul(weight, weight), Error);
    CHECK_THROWS_AS(matmul(x, weight), Error);
    CHECK_THROWS_AS(rmsnorm(x, random_tensor({3}, cpu), 1e-6), Error);
    CHECK_THROWS_AS(linear(x, pack_weight(random_tensor({5, 7}, cpu)), {}), Error);
    CHECK_THROWS_AS(pack_weight(random_tensor({5}, cpu)), Error);
    CHECK_THROWS_AS(causal_attention(x, 1, nullptr), Error);  // 8 channels are not q, k and v
    CHECK_THROWS_AS(causal_attention(random_tensor({2, 3, 12}, cpu), 3, nullptr), Error);
    CHECK_THROWS_AS(causal_attention(random_tensor({2, 3, 12}, cpu), 0, nullptr), Error);
    const Tensor kv = random_tensor({2, 4, 8}, cpu);
    const auto count = [](std::vector<std::int32_t> entries) {
      return Tensor::from_indices(entries, {static_cast<std::int64_t>(entries.size())},
                                  Backend::cpu);
    };
    CHECK_THROWS_AS(cross_attention(x, kv, x, count({1, 1}), 2, nullptr), Error);
    CHECK_THROWS_AS(cross_attention(x, kv, kv, count({1, 1}), 3, nullptr), Error);
    CHECK_THROWS_AS(cross_attention(x, kv, kv, count({1}), 2, nullptr), Error);
    CHECK_THROWS_WITH_AS(cross_attention(x, kv, kv, count({0, 1}), 2, nullptr),
                         "cross_attention: count 0 at place 0 is outside 1 ... 4", Error);
    CHECK_THROWS_AS(cross_attention(x, kv, kv, count({1, 5}), 2, nullptr), Error);
    CHECK_THROWS_AS(layernorm(x, random_tensor({8}, cpu), random_tensor({3}, cpu), 1e-5), Error);
    CHECK_THROWS_AS(concat(x, weight), Error);
    CHECK_THROWS_AS(concat_backward(x, 9), Error);
    CHECK_THROWS_AS(tanh_gate(x, random_tensor({8}, cpu)), Error);
    CHECK_THROWS_AS(swiglu(x, weight), Error);
    CHECK_THROWS_AS(add(x, weight), Error);
    CHECK_THROWS_AS(add_rows(x, weight), Error);
    const Tensor g = random_tensor({2, 3, 1}, cpu), u = random_tensor({2, 4, 1, 8}, cpu);
    CHECK_THROWS_WITH_AS(tilt(x, g, u, count({-1, 3, 4})),
                         "tilt: slot 4 at place 2 is outside -1 ... 3", Error);
    CHECK_THROWS_AS(tilt(x, g, u, count({-2, 3, 0})), Error);
    CHECK_THROWS_AS(tilt(x, g, u, count({0, 1})), Error);
    CHECK_THROWS_AS(tilt(x, g, u, g), Error);
    CHECK_THROWS_AS(tilt(x, g, random_tensor({1, 4, 1, 8}, cpu), count({0, 1, 2})), Error);
    CHECK_THROWS_AS(tilt(x, g, random_tensor({2, 4, 1, 7}, cpu), count({0, 1, 2})), Error);
    CHECK_THROWS_AS(tilt(x, g, x, count({0, 1, 2})), Error);
    CHECK_THROWS_AS(tilt(x, g, u.to(Backend::reference), count({0, 1, 2})), Error);
    CHECK_THROWS_AS(tilt(x, x, u, count({0, 1, 2})), Error);
    CHECK_THROWS_AS(tilt(weight, g, u, count({0, 1, 2})), Error);
    Tensor dg = g.clone(), misfit = x.clone();
    CHECK_THROWS_AS(tilt_backward(x, u, count({0, 1, 4}), &dg), Error);
    CHECK_THROWS_AS(tilt_backward(x, u, count({0, 1, 2}), &misfit), Error);
    CHECK_THROWS_AS(embedding(weight, x), Error);
    CHECK_THROWS_AS(log_prob(weight, x), Error);
    CHECK_THROWS_AS(mean_all(random_tensor({0}, cpu)), Error);
    CHECK_THROWS_AS(sum_last_backward(x, {2, 3}), Error);
    CHECK_THROWS_AS(gelu(Tensor::from_indices(std::vector<std::int32_t>{1}, {1}, cpu)), Error);
    CHECK_THROWS_AS(make_attention_cache(0, 4, 4, 2, cpu), Error);
    CHECK_THROWS_AS(make_attention_cache(2, 4, 4, 3, cpu), Error);
    AttentionCache cache = make_attention_cache(2, 1, 4, 2, cpu);
    Tensor place = make_place(0, cpu);
    CHECK_THROWS_AS(cached_attention(random_tensor({3, 12}, cpu), place, cache), Error);
    CHECK_THROWS_AS(cached_attention(random_tensor({2, 12}, Backend::reference), place, cache),
                    Error);
    cached_attention(random_tensor({2, 12}, cpu), place, cache);
    advance(place);
    CHECK_THROWS_WITH_AS(cached_attention(random_tensor({2, 12}, cpu), place, cache),
                         "cached_attention: there are 1 places, and place 1 was asked for", Error);
    CHECK_THROWS_AS(select_rows(cache, 1, std::vector<std::int64_t>{2}), Error);
    CHECK_THROWS_AS(select_rows(cache, 2, std::vector<std::int64_t>{1}), Error);
  }
}

}  // namespace arbg::tensor::test
