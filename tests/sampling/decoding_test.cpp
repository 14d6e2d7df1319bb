// Truncated and mixed decodings: log q is that of what is drawn, for every one of them; weights
// average to Z with full support, and visibly do not without.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/weights/weights.h"
#include "tests/backends.h"
#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::vector<Decoding> kDecodings = {
    {1, 0, 1, 0},    {0.7, 0, 1, 0},    {1, 3, 1, 0},      {1, 0, 0.8, 0}, {1.4, 2, 0.9, 0},
    {1, 3, 1, 0.05}, {1, 0, 0.6, 0.25}, {0.8, 2, 0.7, .1}, {1, 1, 1, 0},   {1, 2, 0.5, 1}};

Samples draw(const Generator& generator, const Decoding& decoding, std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  return generator.sample(options, decoding);
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("cached log q equals uncached under each decoding") {
  for (const auto backend : backends_here()) {
    for (const auto& generator : {three_atoms(16, backend), two_atoms_cartesian(16, backend)}) {
      for (const auto& decoding : kDecodings) {
        INFO(decoding.text());
        const auto samples = draw(generator, decoding, 40);
        const auto uncached = generator.log_density(samples.coordinates, decoding);
        if (backend == nn::Backend::reference) {
          CHECK(samples.log_q == uncached);
          continue;
        }
        for (std::size_t i = 0; i < uncached.size(); ++i)
          CHECK(std::abs(samples.log_q[i] - uncached[i]) < 1e-5 * generator.map().size());
      }
    }
  }
}

TEST_CASE("the density integrates to one under each decoding, over no more than its support") {
  const auto generator = three_atoms(4, nn::Backend::reference);
  const auto cells = middles(generator, all_sequences(4, generator.map().size()));
  for (const auto& decoding : kDecodings) {
    INFO(decoding.text());
    double integral = 0;
    std::int64_t inside = 0;
    for (const double log_q : generator.log_density(cells, decoding)) {
      integral += std::exp(log_q + generator.bins().log_volume());
      inside += std::isfinite(log_q);
    }
    CHECK(std::abs(integral - 1) < 1e-12);
    if (!decoding.biased()) CHECK(inside == 64);
    if (decoding.biased()) CHECK(inside < 64);
    if (decoding.top_k > 0 && decoding.biased())
      CHECK(inside <= decoding.top_k * decoding.top_k * decoding.top_k);
  }
}

TEST_CASE("decodings out of their range are refused in a sentence") {
  const auto generator = three_atoms(4, nn::Backend::reference);
  const auto refused = [&](const Decoding& decoding, const char* text) {
    const std::vector<double> z(3);
    return error_message([&] { draw(generator, decoding, 1); }).find(text) != std::string::npos &&
           error_message([&] { generator.log_density(z, decoding); }).find(text) !=
               std::string::npos;
  };
  CHECK(refused({0, 0, 1, 0}, "temperature must be positive and finite, got 0"));
  CHECK(refused({std::nan(""), 0, 1, 0}, "temperature must be positive and finite"));
  CHECK(refused({kInfinity, 0, 1, 0}, "temperature must be positive and finite"));
  CHECK(refused({1, -1, 1, 0}, "top-k expects a number of tokens to keep, 0 for all, got -1"));
  CHECK(refused({1, 0, 0, 0}, "top-p expects a probability to keep, above 0 and at most 1"));
  CHECK(refused({1, 0, 1.5, 0}, "got 1.5"));
  CHECK(refused({1, 0, 0.9, -0.1}, "full-support expects a share"));
  CHECK(refused({1, 0, 0.9, 1.01}, "from 0 to 1, got 1.01"));
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("sampler frequencies match the probabilities under each decoding") {
  constexpr std::int64_t kCount = 20000;
  for (const auto backend : backends_here()) {
    const auto generator = three_atoms(4, backend);
    const auto cells = middles(generator, all_sequences(4, 3));
    for (const auto& decoding : kDecodings) {
      INFO(decoding.text());
      const auto samples = draw(generator, decoding, kCount);
      const auto tokens = tokens_of(generator, samples.coordinates);
      std::vector<double> counts(64);
      for (std::size_t i = 0; i < kCount; ++i) {
        const std::int32_t* t = &tokens[3 * i];
        counts[static_cast<std::size_t>(t[0] + 4 * t[1] + 16 * t[2])] += 1;
      }
      const auto log_q = generator.log_density(cells, decoding);
      for (std::size_t c = 0; c < 64; ++c) {
        const double p = std::exp(log_q[c] + generator.bins().log_volume());
        // Of 1280 cells one lies five standard errors off once in a thousand seeds; with the
        // skewness of small counts the bound is that of a Poisson count with three more.
        CHECK(std::abs(counts[c] - kCount * p) <=
              5 * std::sqrt(kCount * p * (1 - p)) + 3 * (p > 0));
      }
    }
  }
}

TEST_CASE("weights average to Z with full support; under truncation alone they miss part of it") {
  // A flat target, u = 0 and no map: Z is the volume of all bins, and what truncation leaves of it
  // is known by enumeration.
  constexpr std::int64_t kCount = 40000;
  const auto m = chain(3, 0.012, 0.4);
  auto map = md::make_internal_map(m.topology, m.system, kTemperature);
  nn::Transformer network(config_of(*map, 4), nn::Backend::cpu, 3);
  stir(network, "", 0.2);  // not far from uniform, so that the weights' mean has a small error
  auto axes = bins_of(*map, 4);
  const Generator generator(std::move(network), std::move(axes), std::move(map));
  const double log_z = std::log(64.0) + generator.bins().log_volume();
  for (auto decoding : kDecodings) {
    // A small eps leaves few, large weights: more samples than a test has time for.
    if (decoding.full_support > 0) decoding.full_support = std::max(0.3, decoding.full_support);
    INFO(decoding.text());
    auto log_w = draw(generator, decoding, kCount).log_q;
    for (double& value : log_w) value = -value;
    const auto summary = metrics::summarise_weights(log_w);
    double left = 0;
    const auto cells = middles(generator, all_sequences(4, 3));
    for (const double log_q : generator.log_density(cells, decoding))
      left += std::isfinite(log_q) ? 1.0 / 64 : 0;
    const double off = summary.log_z - log_z, error = 4 * summary.log_z_error + 1e-6;
    CHECK(summary.log_z_error < 0.05);
    CHECK(std::abs(off - std::log(left)) < error);
    if (decoding.biased())
      CHECK(off < -5 * error);
    else
      CHECK(std::abs(off) < error);
  }
}

TEST_SUITE_END();
