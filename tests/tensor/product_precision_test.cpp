// Matrix products in each precision (tensor/gemm/precision.h), on the cpu and on a device of CUDA
// or its emulator.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "operation_rows.h"
#include "tensor/base/error.h"
#include "tensor/gemm/precision.h"
#include "tests/backends.h"

namespace arbg::tensor::test {
namespace {

constexpr std::array kPrecisions{ProductPrecision::float32, ProductPrecision::tf32,
                                 ProductPrecision::bf16};
constexpr int kBitsOfBf16 = 8, kBitsOfTf32 = 11;  // the leading one included

// x with so many significant bits, to nearest, ties to even.
double rounded(double x, int bits) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
}

struct Setting {
  Backend backend;
  ProductPrecision precision;
};

// What each backend that is here computes in.
std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const auto precision : kPrecisions) {
    if (precision != ProductPrecision::tf32) all.push_back({Backend::cpu, precision});
    if (is_here(Backend::cuda)) all.push_back({Backend::cuda, precision});
  }
  return all;
}

struct Sizes {
  std::int64_t M, K, N;
};
constexpr Sizes kSizes[] = {{1, 1, 1}, {16, 64, 24}, {7, 33, 5}, {35, 170, 67}};

// Inputs of all products of these sizes, on the reference: a [M, K], b [K, N], weight [N, K],
// bias [N], dy [M, N]; only in their size, or with each number as `change` gives it.
template <class Change>
std::vector<Tensor> inputs(const Sizes& sizes, const Change& change) {
  const auto [M, K, N] = sizes;
  std::vector<Tensor> all;
  for (const Shape& shape : {Shape{M, K}, {K, N}, {N, K}, {N}, {M, N}}) {
    auto values = random_values(shape.elements(), 5, all.size());
    for (double& value : values) value = change(value);
    all.push_back(Tensor::from_values(values, shape, Backend::reference));
  }
  return all;
}

// Every kind of product: plain, with each operand transposed, with a bias, added to what is there.
std::vector<Tensor> products(const std::vector<Tensor>& x, Backend backend) {
  const Tensor a = x[0].to(backend), b = x[1].to(backend), weight = x[2].to(backend),
               bias = x[3].to(backend), dy = x[4].to(backend);
  const auto [da, db] = matmul_backward(dy, a, b);
  Tensor dweight = Tensor::zeros(weight.shape(), real_dtype(backend), backend);
  dweight.fill(0.5);
  const Tensor dx = linear_backward(dy, a, weight, &dweight, nullptr, true);
  return {matmul(a, b), da, db, linear(a, weight, {}), dweight, dx};
}

// |found - truth| <= share * scale, element by element.
bool differs_at_most(const Tensor& found, const Tensor& truth, const Tensor& scale, double share) {
  const auto x = found.values(), y = truth.values(), s = scale.values();
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!(std::abs(x[i] - y[i]) <= share * s[i])) return false;
  }
  return true;
}

const auto kAsItIs = [](double x) { return x; };
const auto kMagnitude = [](double x) { return std::abs(x); };

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("precisions of products have names, and another is refused by all of them") {
    CHECK(product_precision() == ProductPrecision::float32);
    for (const auto precision : kPrecisions)
      CHECK(product_precision_named(name_of(precision)) == precision);
    CHECK_THROWS_WITH_AS(product_precision_named("half"),
                         doctest::Contains("choose float32, tf32 or bf16"), Error);
  }

  // The sums are of magnitudes: an error of a share of each operand is twice that of their sum.
  TEST_CASE("products differ from exact ones by what their operands lose, and no less") {
    constexpr double kSummed = 1e-6;  // float32, up to 170 terms
    for (const Sizes& sizes : kSizes) {
      CAPTURE(sizes.K);
      const auto x = inputs(sizes, kAsItIs);
      const auto truth = products(x, Backend::reference);
      const auto scale = products(inputs(sizes, kMagnitude), Backend::reference);
      for (const Setting& setting : settings()) {
        const Backend backend = setting.backend;
        const ProductPrecision precision = setting.precision;
        INFO(std::string(name_of(backend)), ", ", std::string(name_of(precision)));
        const WithPrecision with(precision);
        const auto found = products(x, backend);
        const double lost = precision == ProductPrecision::bf16   ? std::ldexp(1, -kBitsOfBf16)
                            : precision == ProductPrecision::tf32 ? std::ldexp(2, -kBitsOfTf32)
                                                                  : 0.0;
        for (std::size_t i = 0; i < truth.size(); ++i) {
          CAPTURE(i);
          CHECK(differs_at_most(found[i], truth[i], scale[i], 2.01 * lost + kSummed));
          if (lost > 0 && sizes.K > 1)
            CHECK(!differs_at_most(found[i], truth[i], scale[i], 0.01 * lost));
        }
      }
    }
  }

  TEST_CASE("products of bf16 are those of operands rounded to nearest, summed in float32") {
    const WithPrecision with(ProductPrecision::bf16);
    for (const Backend backend : {Backend::cpu, Backend::cuda}) {
      if (!is_here(backend)) continue;
      for (const Sizes& sizes : kSizes) {
        INFO(std::string(name_of(backend)), ", K = ", sizes.K);
        const auto rounded_inputs = inputs(sizes, [](double x) { return rounded(x, kBitsOfBf16); });
        const auto found = products(inputs(sizes, kAsItIs), backend);
        const auto truth = products(rounded_inputs, Backend::reference);
        const auto scale = products(inputs(sizes, kMagnitude), Backend::reference);
        for (std::size_t i = 0; i < truth.size(); ++i) {
          CAPTURE(i);
          CHECK(differs_at_most(found[i], truth[i], scale[i], 1e-6));
        }
      }
    }
  }

  TEST_CASE("numbers become bf16 to nearest, ties to even, infinity and NaN among them") {
    if (!is_here(Backend::cuda)) return;
    const WithPrecision with(ProductPrecision::bf16);
    constexpr double kTie = 1.00390625, kUlp = 0.0078125, kFloat = 1.1920928955078125e-7;
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    constexpr double kMost = std::numeric_limits<float>::max();
    constexpr double kAllBitsNaN = std::bit_cast<double>(~std::uint64_t{0});
    struct Case {
      double given, expected;
    };
    const std::array cases{Case{kTie, 1.0},
                           Case{kTie + kUlp, 1.0 + 2 * kUlp},
                           Case{-kTie, -1.0},
                           Case{kTie + kFloat, 1.0 + kUlp},
                           Case{kTie - kFloat, 1.0},
                           Case{0.0, 0.0},
                           Case{-kInfinity, -kInfinity},
                           Case{kMost, kInfinity},
                           Case{NAN, NAN},
                           Case{kAllBitsNaN, NAN},
                           Case{std::ldexp(1.0, -133), std::ldexp(1.0, -133)},
                           Case{std::ldexp(3.0, -134), std::ldexp(1.0, -132)}};
    for (const std::int64_t copies : {1, 2, 50}) {  // one number a thread, and eight
      std::vector<double> all;
      for (std::int64_t i = 0; i < copies; ++i) {
        for (const Case& one : cases) all.push_back(one.given);
      }
      const Shape shape{copies, static_cast<std::int64_t>(cases.size())};
      const PackedWeight packed = pack_weight(Tensor::from_values(all, shape, Backend::cuda));
      REQUIRE(packed.data.dtype() == DType::bf16);
      const auto found = packed.data.values();
      for (std::size_t i = 0; i < found.size(); ++i) {
        CAPTURE(i);
        const double should = cases[i % cases.size()].expected;
        CHECK((found[i] == should || (std::isnan(found[i]) && std::isnan(should))));
      }
    }
  }

  TEST_CASE("a packed weight gives the bits of the weight itself, in each precision") {
    for (const Sizes& sizes : kSizes) {
      const auto x = inputs(sizes, kAsItIs);
      for (const Setting& setting : settings()) {
        const Backend backend = setting.backend;
        const ProductPrecision precision = setting.precision;
        INFO(std::string(name_of(backend)), ", ", std::string(name_of(precision)));
        const Tensor a = x[0].to(backend), weight = x[2].to(backend), bias = x[3].to(backend);
        const WithPrecision with(precision);
        const PackedWeight packed = pack_weight(weight);
        CHECK(linear(a, packed, {}).values() == linear(a, weight, {}).values());
        CHECK(linear(a, packed, bias).values() == linear(a, weight, bias).values());
      }
    }
  }

  TEST_CASE("what products alone read changes no bit of them") {
    for (const Sizes& sizes : kSizes) {
      const auto x = inputs(sizes, kAsItIs);
      for (const Setting& setting : settings()) {
        const Backend backend = setting.backend;
        const ProductPrecision precision = setting.precision;
        INFO(std::string(name_of(backend)), ", ", std::string(name_of(precision)),
             ", K = ", sizes.K);
        const WithPrecision with(precision);
        const Tensor a = x[0].to(backend), weight = x[2].to(backend), dy = x[4].to(backend),
                     up = a.clone(), gain = x[2].rows(0, 1).reshape({sizes.K}).to(backend);
        const bool smaller = backend == Backend::cuda && precision == ProductPrecision::bf16;
        const auto both = [&](const auto& of) {
          const Tensor whole = of(Readers::all), part = of(Readers::products);
          CHECK((part.dtype() == DType::bf16) == (smaller && part.elements() % 4 == 0));
          CHECK(linear(part, weight, {}).values() == linear(whole, weight, {}).values());
          Tensor dweight = Tensor::zeros(weight.shape(), real_dtype(backend), backend),
                 expected = dweight.clone();
          linear_backward(dy, part, weight, &dweight, nullptr, false);
          linear_backward(dy, whole, weight, &expected, nullptr, false);
          CHECK(dweight.values() == expected.values());
        };
        if (sizes.K % 4 == 0) both([&](Readers r) { return rmsnorm(a, gain, 1e-6, r); });
        both([&](Readers r) { return swiglu(a, up, r); });
        const Tensor of_N = rmsnorm(dy, x[3].to(backend), 1e-6, Readers::products);
        CHECK(of_N.dtype() == (smaller && sizes.N % 4 == 0 ? DType::bf16 : dy.dtype()));

        if (sizes.K == 64) {  // attention with heads of 32 channels
          const Tensor qkv = Tensor::from_values(random_values(sizes.M * 3 * 64, 5, 9),
                                                 {1, sizes.M, 3 * 64}, backend);
          Tensor saved;
          both([&](Readers r) {
            return causal_attention(qkv, 2, &saved, r).reshape({sizes.M, 64});
          });
          const Tensor d_attention = a.reshape({1, sizes.M, 64}),
                       of_qkv = Tensor::from_values(random_values(3 * 64 * 64, 5, 10), {3 * 64, 64},
                                                    backend);
          const auto dx = [&](Readers r) {
            const Tensor dqkv = causal_attention_backward(d_attention, qkv, saved, 2, r);
            CHECK((dqkv.dtype() == DType::bf16) == (smaller && r == Readers::products));
            return linear_backward(dqkv, d_attention, of_qkv, nullptr, nullptr, true).values();
          };
          CHECK(dx(Readers::products) == dx(Readers::all));
        }

        // Gradients of a swiglu between products: those of x W^T, as N numbers a row.
        const auto whole = swiglu_backward(dy, dy, dy);
        const auto part = swiglu_backward(dy, dy, dy, Readers::products);
        CHECK(linear_backward(part.dup, a, weight, nullptr, nullptr, true).values() ==
              linear_backward(whole.dup, a, weight, nullptr, nullptr, true).values());
        CHECK(linear_backward(part.dgate, a, weight, nullptr, nullptr, true).values() ==
              linear_backward(whole.dgate, a, weight, nullptr, nullptr, true).values());
      }
    }
  }

  TEST_CASE("rows of a tensor are multiplied as they are alone, however they are aligned") {
    if (!is_here(Backend::cuda)) return;
    const auto x = inputs({16, 34, 24}, kAsItIs);
    for (const auto precision : kPrecisions) {
      const WithPrecision with(precision);
      const Tensor a = x[0].to(Backend::cuda).rows(1, 8), b = x[1].to(Backend::cuda);
      const auto part = matmul(a, b).values(), alone = matmul(a.clone(), b).values();
      for (std::size_t i = 0; i < part.size(); ++i)
        CHECK(part[i] == doctest::Approx(alone[i]).epsilon(1e-5));
    }
  }
}

}  // namespace arbg::tensor::test
