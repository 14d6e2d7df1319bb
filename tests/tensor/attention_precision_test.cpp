// Attention while products are of bf16 (tensor/ops/attention_bf16.cuh): on cuda it is that of
// inputs rounded to bf16 but for the rounding of its weights, and no more.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "operation_rows.h"
#include "tensor/gemm/precision.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

constexpr int kBitsOfBf16 = 8;  // the leading one included

double rounded(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, kBitsOfBf16)), exponent - kBitsOfBf16);
}

// N = 0: causal.
struct Sizes {
  std::int64_t B, T, N, heads, D;
  std::int64_t C() const { return heads * D; }
  std::int64_t met() const { return N > 0 ? N : T; }
  std::int64_t count(std::int64_t b) const { return N > 0 ? 1 + (b * 7 + N / 2) % N : T; }
};

std::string name(const Sizes& x) {
  return std::to_string(x.B) + " " + std::to_string(x.T) + " " + std::to_string(x.N) + " heads " +
         std::to_string(x.heads) + " of " + std::to_string(x.D);
}

// Of 64 channels and fewer there are blocks of several warps, beginnings of all kinds within a side
// of 16 and a stage of 96, and rows that are not read four numbers at a time.
constexpr Sizes kSizes[] = {
    {2, 66, 0, 2, 32},  {1, 190, 0, 1, 64}, {1, 100, 0, 1, 96}, {1, 33, 0, 1, 128},
    {3, 13, 0, 2, 5},   {1, 1, 0, 2, 2},    {2, 17, 0, 3, 32},  {1, 130, 0, 1, 20},
    {1, 150, 0, 1, 33}, {2, 96, 0, 1, 4},   {2, 60, 22, 4, 16}, {2, 50, 120, 1, 40},
    {3, 1, 1, 2, 2},    {1, 130, 33, 2, 1}, {2, 0, 0, 2, 4},    {0, 5, 3, 2, 4}};

using Values = std::vector<double>;

// q and dy [B, T, C], k and v [B, N, C].
struct Inputs {
  Values q, k, v, dy;
};

Inputs inputs(const Sizes& x) {
  const auto of_queries = x.B * x.T * x.C(), of_keys = x.B * x.met() * x.C();
  return {random_values(of_queries, 7, 0), random_values(of_keys, 7, 1),
          random_values(of_keys, 7, 2), random_values(of_queries, 7, 3)};
}

// y, dq, dk, dv.
using Results = std::array<Values, 4>;

Tensor qkv_of(const Sizes& x, const Inputs& in) {
  Values all;
  const auto C = static_cast<std::ptrdiff_t>(x.C());
  for (std::ptrdiff_t row = 0; row < x.B * x.T; ++row) {
    for (const Values* part : {&in.q, &in.k, &in.v})
      all.insert(all.end(), part->begin() + row * C, part->begin() + (row + 1) * C);
  }
  return Tensor::from_values(all, {x.B, x.T, 3 * x.C()}, Backend::cuda);
}

Results found(const Sizes& x, const Inputs& in) {
  const auto heads = static_cast<int>(x.heads);
  const Shape of_queries{x.B, x.T, x.C()}, of_keys{x.B, x.met(), x.C()};
  const Tensor dy = Tensor::from_values(in.dy, of_queries, Backend::cuda);
  Tensor saved;
  if (x.N > 0) {
    std::vector<std::int32_t> counts;
    for (std::int64_t b = 0; b < x.B; ++b) counts.push_back(static_cast<std::int32_t>(x.count(b)));
    const Tensor q = Tensor::from_values(in.q, of_queries, Backend::cuda),
                 k = Tensor::from_values(in.k, of_keys, Backend::cuda),
                 v = Tensor::from_values(in.v, of_keys, Backend::cuda),
                 count = Tensor::from_indices(counts, {x.B}, Backend::cuda);
    const Tensor y = cross_attention(q, k, v, count, heads, &saved);
    const auto [dq, dk, dv] = cross_attention_backward(dy, q, k, v, count, saved, heads);
    return {y.values(), dq.values(), dk.values(), dv.values()};
  }
  const Tensor qkv = qkv_of(x, in);
  const Tensor y = causal_attention(qkv, heads, &saved);
  const auto all = causal_attention_backward(dy, qkv, saved, heads).values();
  Results results{y.values()};
  const auto C = static_cast<std::size_t>(x.C());
  for (std::size_t i = 0; i < all.size(); ++i) results[1 + i / C % 3].push_back(all[i]);
  return results;
}

// The results of these very numbers, in double; and of each the sum of magnitudes that rounding the
// weights of its sum changes by a share of at most 2^-8. With k_bar = sum_s p_s k_s
//
//   y   sum_s p_s |v_s|            dq  scale sum_s p_s (|dp_s| + |mean|) |k_s - k_bar|
//   dv  sum_t p_t |dy_t|           dk  scale sum_t p_t |dp_t - mean_t| |q_t|
//
// That of dq, with w = p (1 + a), u = p dp (1 + b), |a|, |b| <= 2^-8, and k_w the mean of keys by
// w: sum u (k - k_w) - sum p (dp - mean) (k - k_w) = sum p dp b (k - k_w) + mean (k_bar - k_w), and
// k_w - k_bar = sum p a (k - k_bar) / sum w.
struct Expected {
  Results results, magnitudes;
};

class Loops {
 public:
  Loops(const Sizes& x, const Inputs& in) : x_(x), in_(in) {
    for (Results* of : {&all_.results, &all_.magnitudes}) {
      (*of)[0].resize(in.q.size());
      (*of)[1].resize(in.q.size());
      (*of)[2].resize(in.k.size());
      (*of)[3].resize(in.k.size());
    }
    for (std::int64_t b = 0; b < x.B; ++b) {
      for (std::int64_t h = 0; h < x.heads; ++h) {
        for (std::int64_t t = 0; t < x.T; ++t) query(b, h, t);
      }
    }
  }
  const Expected& all() const { return all_; }

 private:
  std::size_t at(std::int64_t b, std::int64_t rows, std::int64_t row, std::int64_t h) const {
    return static_cast<std::size_t>((b * rows + row) * x_.C() + h * x_.D);
  }
  double dot(const Values& a, std::size_t i, const Values& b, std::size_t j) const {
    double sum = 0;
    for (std::size_t d = 0; d < D(); ++d) sum += a[i + d] * b[j + d];
    return sum;
  }
  std::size_t D() const { return static_cast<std::size_t>(x_.D); }
  void add(std::size_t of, std::size_t i, double value, double magnitude) {
    all_.results[of][i] += value;
    all_.magnitudes[of][i] += std::abs(magnitude);
  }

  void query(std::int64_t b, std::int64_t h, std::int64_t t) {
    const std::int64_t keys = x_.N > 0 ? x_.count(b) : t + 1;
    const std::size_t own = at(b, x_.T, t, h);
    const double scale = 1 / std::sqrt(static_cast<double>(x_.D));
    Values p, dp, k_bar(D());
    double sum = 0, mean = 0;
    for (std::int64_t s = 0; s < keys; ++s) {
      const std::size_t met = at(b, x_.met(), s, h);
      p.push_back(std::exp(scale * dot(in_.q, own, in_.k, met)));
      dp.push_back(dot(in_.dy, own, in_.v, met));
      sum += p.back();
    }
    for (std::size_t s = 0; s < p.size(); ++s) {
      p[s] /= sum;
      mean += p[s] * dp[s];
      const std::size_t met = at(b, x_.met(), static_cast<std::int64_t>(s), h);
      for (std::size_t d = 0; d < D(); ++d) k_bar[d] += p[s] * in_.k[met + d];
    }
    for (std::size_t s = 0; s < p.size(); ++s) {
      const std::size_t met = at(b, x_.met(), static_cast<std::int64_t>(s), h);
      const double ds = p[s] * (dp[s] - mean), lost = p[s] * (std::abs(dp[s]) + std::abs(mean));
      for (std::size_t d = 0; d < D(); ++d) {
        const double v = p[s] * in_.v[met + d], dv = p[s] * in_.dy[own + d],
                     dk = scale * ds * in_.q[own + d];
        add(0, own + d, v, v);
        add(1, own + d, scale * ds * in_.k[met + d], scale * lost * (in_.k[met + d] - k_bar[d]));
        add(2, met + d, dk, dk);
        add(3, met + d, dv, dv);
      }
    }
  }

  const Sizes& x_;
  const Inputs& in_;
  Expected all_;
};

// |found - truth| <= share * magnitude + what float32 loses, element by element.
bool differs_at_most(const Values& found, const Values& truth, const Values& magnitude,
                     double share) {
  double largest = 1;
  for (const double one : magnitude) largest = std::max(largest, one);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (!(std::abs(found[i] - truth[i]) <= share * magnitude[i] + 1e-5 * largest)) return false;
  }
  return true;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("attention with products of bf16 loses what rounding loses, and no more") {
    if (!is_here(Backend::cuda)) return;
    const WithPrecision with(ProductPrecision::bf16);
    constexpr double kLost = 0.00390625;  // 2^-8
    for (const Sizes& sizes : kSizes) {
      CAPTURE(name(sizes));
      const Inputs given = inputs(sizes);
      Inputs in = given, padded = given;
      for (Values* part : {&in.q, &in.k, &in.v, &in.dy})
        std::ranges::transform(*part, part->begin(), rounded);
      for (std::int64_t b = 0; b < sizes.B && sizes.N > 0; ++b) {
        const auto first = (b * sizes.N + sizes.count(b)) * sizes.C(),
                   end = (b + 1) * sizes.N * sizes.C();
        std::fill(padded.k.begin() + first, padded.k.begin() + end, NAN);  // nothing looks at these
        std::fill(padded.v.begin() + first, padded.v.begin() + end, NAN);
      }
      const Results results = found(sizes, padded);
      const Expected expected = Loops(sizes, in).all(), unrounded = Loops(sizes, given).all();
      for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);  // y, dq, dk, dv
        REQUIRE(results[i].size() == expected.results[i].size());
        CHECK(
            differs_at_most(results[i], expected.results[i], expected.magnitudes[i], 1.02 * kLost));
        if (sizes.T < 13 || sizes.B == 0) continue;
        CHECK(!differs_at_most(results[i], unrounded.results[i], unrounded.magnitudes[i],
                               0.01 * kLost));
      }
    }
  }
}

}  // namespace arbg::tensor::test
