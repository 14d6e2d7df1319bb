// A network that is told energies of bins: what of them enters its logits, and what stays exact.
#include "nn/transformer/placement.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <numbers>

#include "nn/heads/binned.h"
#include "nn/training/training_pass.h"
#include "tensor/base/error.h"
#include "tensor/ops/place.h"
#include "tests/backends.h"
#include "tests/nn/cells.h"
#include "tests/nn/prefix_curves.h"
#include "tests/nn/small_networks.h"

namespace arbg::nn {
namespace {

// Four coordinates in three bins each; every option of ours.
TransformerConfig told_config(std::int64_t features) {
  TransformerConfig config = configs()[1];
  config.num_bins = 3;
  config.dim_index = {0, 2, 0, 2};
  config.atom_index = {0, 0, 1, 1};
  config.placement = PlacementConfig{2, features};
  return config;
}

BinnedHead told_head(const TransformerConfig& config) {
  const std::vector<CoordinateBins::Axis> axes(static_cast<std::size_t>(config.length()), {0, 3});
  return BinnedHead(CoordinateBins(config.num_bins, axes),
                    std::make_shared<PrefixCurves>(config.num_bins, *config.placement));
}

// The middles of all cells, [V^T, T].
std::vector<double> all_cells(const TransformerConfig& config) {
  std::vector<double> z;
  std::int64_t count = 1;
  for (std::int64_t t = 0; t < config.length(); ++t) count *= config.num_bins;
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t t = 0, rest = i; t < config.length(); ++t, rest /= config.num_bins)
      z.push_back(static_cast<double>(rest % config.num_bins) + 0.5);
  return z;
}

// Not the middles.
std::vector<double> some_coordinates(const TransformerConfig& config, std::int64_t rows) {
  const Random random(4, stream_id("z"));
  std::vector<double> z;
  for (std::int64_t i = 0; i < rows * config.length(); ++i)
    z.push_back(3 * random.uniform(static_cast<std::uint64_t>(i)));
  return z;
}

Tensor outputs_of(const Transformer& network, const Head& head, const std::vector<double>& z) {
  return parameters_of(network, head, host_rows(z, network.config().length())).value();
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("placement: all sequences sum to 1") {
    for (const std::int64_t features : {0, 6}) {
      const auto config = told_config(features);
      const auto network = lively_network(config, Backend::reference);
      const auto head = told_head(config);
      const Tensor z = host_rows(all_cells(config), config.length());
      double total = 0;
      for (const double log_p : log_likelihood(network, head, z)) total += std::exp(log_p);
      CHECK(std::abs(total - 1) < 1e-12);
    }
  }

  TEST_CASE("placement: logits are the network's less strength times energy") {
    const auto config = told_config(0);
    const auto network = lively_network(config, Backend::reference);
    const auto head = told_head(config);
    auto plain_config = config;
    plain_config.placement.reset();
    NamedTensors weights;
    for (const auto& [name, value] : network.values())
      if (!name.starts_with("placement")) weights.emplace_back(name, value);
    const Transformer plain(plain_config, Backend::reference, weights);
    const auto z = some_coordinates(config, 1);
    const auto with = outputs_of(network, head, z).values();
    const auto without = outputs_of(plain, BinnedHead(head.bins()), z).values();
    const PrefixCurves curves(3, *config.placement);
    for (std::size_t t = 0; t < 4; ++t) {
      std::vector<double> off;
      for (std::size_t v = 0; v < 3; ++v) off.push_back(without[3 * t + v] - with[3 * t + v]);
      if (t % 2 == 0) {
        CHECK(off == std::vector<double>(3, 0.0));
        continue;
      }
      // Three bins, two strengths: what two of the bins tell, the third must bear out.
      const auto u = curves.curve(std::span(z).first(t));
      const double determinant = u[0] * u[4] - u[1] * u[3];
      const double g0 = (off[0] * u[4] - off[1] * u[3]) / determinant,
                   g1 = (u[0] * off[1] - u[1] * off[0]) / determinant;
      CHECK(off[2] == doctest::Approx(g0 * u[2] + g1 * u[5]).epsilon(1e-10));
      CHECK(std::abs(off[2]) > 1e-3);
    }
  }

  TEST_CASE("placement: a network from a cache is the whole one, bitwise on the reference") {
    for (const auto backend : backends_here()) {
      const auto config = told_config(6);
      const auto network = lively_network(config, backend);
      const auto head = told_head(config);
      constexpr std::int64_t kB = 3;
      const auto z = some_coordinates(config, kB);
      const auto whole = outputs_of(network, head, z).values();
      auto cache = network.make_cache(kB);
      const Tensor all = host_rows(z, 4);
      for (std::int64_t t = 0; t < 4; ++t) {
        std::vector<double> before;
        for (std::int64_t b = 0; b < kB; ++b)
          before.push_back(t > 0 ? z[static_cast<std::size_t>(b * 4 + t - 1)] : 0);
        const autograd::NoGradient no_graph;
        const auto next =
            network.next_outputs(head.embed(cache.input_table(), host_rows(before, 1), t), cache,
                                 head.placement_rows(all, t, 1, backend));
        cache.advance();
        const auto found = next.values();
        for (std::size_t b = 0; b < kB; ++b) {
          for (std::size_t v = 0; v < 3; ++v) {
            const double expected = whole[(b * 4 + static_cast<std::size_t>(t)) * 3 + v];
            if (backend == Backend::reference)
              CHECK(found[b * 3 + v] == expected);
            else
              CHECK(found[b * 3 + v] == doctest::Approx(expected).epsilon(1e-5));
          }
        }
      }
    }
  }

  TEST_CASE("placement: a coordinate moves nothing at or before its place, and all behind it") {
    const auto config = told_config(6);
    const auto network = lively_network(config, Backend::reference);
    const auto head = told_head(config);
    const auto z = some_coordinates(config, 1);
    const auto before = outputs_of(network, head, z).values();
    for (std::size_t t = 0; t < 3; ++t) {
      auto changed = z;
      // Within its bin: only energies hear of it.
      changed[t] = std::floor(z[t]) + (z[t] - std::floor(z[t]) < 0.5 ? 0.9 : 0.1);
      const auto after = outputs_of(network, head, changed).values();
      for (std::size_t i = 0; i < 3 * (t + 1); ++i) CHECK(after[i] == before[i]);
      const std::size_t odd = t % 2 == 0 ? t + 1 : t + 2;
      if (odd < 4) CHECK(after[3 * odd] != before[3 * odd]);
    }
  }

  TEST_CASE("placement: gradients of its parameters are numerical derivatives") {
    const auto config = told_config(6);
    const auto network = lively_network(config, Backend::reference);
    const auto head = told_head(config);
    const Tensor z = host_rows(some_coordinates(config, 5), 4);
    const auto total = [&] {
      double sum = 0;
      for (const double log_p : log_likelihood(network, head, z)) sum += log_p;
      return sum;
    };
    autograd::backward(autograd::sum_all(head.log_p(parameters_of(network, head, z), z, 0)));
    for (const Parameter& parameter : network.parameters()) {
      if (!parameter.name.starts_with("placement")) continue;
      CAPTURE(parameter.name);
      const auto gradient = parameter.variable.grad().values();
      Tensor value = parameter.variable.value();
      const auto numbers = value.values();
      double largest = 0;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        constexpr double kStep = 1e-5;
        auto moved = numbers;
        const auto at = [&](double x) {
          moved[i] = x;
          value.copy_from(Tensor::from_values(moved, value.shape(), Backend::reference));
          return total();
        };
        const double slope = (at(numbers[i] + kStep) - at(numbers[i] - kStep)) / (2 * kStep);
        at(numbers[i]);
        CHECK(gradient[i] == doctest::Approx(slope).epsilon(1e-6));
        largest = std::max(largest, std::abs(slope));
      }
      CHECK(largest > 1e-3);
    }
  }

  TEST_CASE("placement: a training pass sees what likelihoods see, on every backend") {
    const auto config = told_config(6);
    const auto head = told_head(config);
    const auto z = some_coordinates(config, 6);
    const auto expected =
        log_likelihood(lively_network(config, Backend::reference), head, host_rows(z, 4));
    for (const auto backend : backends_here()) {
      const auto network = lively_network(config, backend);
      TrainingPass pass(network, head, 0);
      const std::vector<double> positions(6, 4.0), target(6, 0.0);
      pass.fill(host_rows(z, 4), {}, positions, target, 6);
      pass.run(Tensor::zeros({3}, DType::f64, backend), {});
      const auto found = pass.log_q().values();
      for (std::size_t b = 0; b < 6; ++b)
        CHECK(found[b] == doctest::Approx(expected[b]).epsilon(1e-5));
    }
  }

  TEST_CASE("placement: a new network has the histogram as its mean, energies included") {
    auto config = told_config(6);
    Transformer network(config, Backend::reference, 1);
    const auto head = told_head(config);
    const auto z = some_coordinates(config, 1);
    const Tensor rows = host_rows(z, 4);
    const std::vector<double> counts = {3, 1, 1, 1, 1, 5, 2, 2, 2, 1, 4, 1};
    const double smoothing = 1e-9;
    network.initialise_from_marginals(
        counts, smoothing, mean_of_curves(*head.placement(), rows, 3, Backend::reference));
    const auto logits = outputs_of(network, head, z).values();
    for (std::size_t t = 0; t < 4; ++t) {
      double of_logits = 0, of_counts = 0;
      for (std::size_t v = 0; v < 3; ++v) {
        of_logits += std::exp(logits[3 * t + v]);
        of_counts += counts[3 * t + v];
      }
      for (std::size_t v = 0; v < 3; ++v)
        CHECK(std::exp(logits[3 * t + v]) / of_logits ==
              doctest::Approx(counts[3 * t + v] / of_counts).epsilon(1e-8));
    }
  }

  TEST_CASE("placement: a bin without counts, which energies forbid, is left to the energies") {
    Transformer network(told_config(0), Backend::reference, 1);
    const std::vector<double> counts = {8, 8, 0, 8, 8, 0, 8, 8, 0, 8, 8, 0};
    std::vector<double> curves;
    for (int t = 0; t < 4; ++t) curves.insert(curves.end(), {0.5, 0.5, 1e-18});
    network.initialise_from_marginals(counts, 1, curves);
    const auto bias = find_tensor(network.values(), "output_bias").values();
    for (std::size_t t = 0; t < 4; ++t) CHECK(std::abs(bias[3 * t + 2]) < 1e-9);
  }

  TEST_CASE("placement: moments of a curve are sums over its bins") {
    constexpr std::size_t kV = 37, kMoments = 3;
    const CurveMoments moments(2, kV, kMoments);
    const Random random(6, 1);
    std::vector<double> u(2 * kV), found(2 * kMoments);
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = 20 * random.uniform(i);
    moments.evaluate(std::span<const double>(u), std::span(found));
    double total = 0;
    std::vector<double> expected(2 * kMoments);
    for (std::size_t v = 0; v < kV; ++v) {
      const double p = std::exp(-u[v] - u[kV + v]);
      total += p;
      for (std::size_t k = 0; k < kMoments; ++k) {
        const double angle =
            2 * std::numbers::pi * static_cast<double>(k + 1) * (static_cast<double>(v) + 0.5) / kV;
        expected[2 * k] += p * std::cos(angle);
        expected[2 * k + 1] += p * std::sin(angle);
      }
    }
    std::vector<float> single(u.begin(), u.end()), rounded(found.size());
    moments.evaluate(std::span<const float>(single), std::span(rounded));
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i] == doctest::Approx(expected[i] / total).epsilon(1e-12));
      CHECK(rounded[i] == doctest::Approx(found[i]).epsilon(1e-5));
    }
  }

  TEST_CASE("placement: config survives JSON; energies that are missing or unasked are refused") {
    const auto config = told_config(6);
    const auto again = TransformerConfig::from_json(config.to_json(), "config");
    CHECK(again.to_json().dump() == config.to_json().dump());
    CHECK(again.placement->components == 2);
    CHECK(again.placement->features == 6);
    auto wrong = config.to_json();
    wrong["placement"]["moments"] = 3;
    CHECK_THROWS_AS(TransformerConfig::from_json(wrong, "config"), Error);
    auto newer = config.to_json();
    newer["placement"]["version"] = 2;
    CHECK_THROWS_AS(TransformerConfig::from_json(newer, "config"), Error);
    const auto network = lively_network(config, Backend::cpu);
    const auto head = told_head(config);
    const Tensor z = host_rows(some_coordinates(config, 2), 4);
    CHECK_THROWS_AS(parameters_of(network, BinnedHead(head.bins()), z), Error);
    CHECK_THROWS_AS(
        network.logits(Tensor::from_indices(std::vector<std::int32_t>(4), {1, 4}, Backend::cpu)),
        Error);
    auto plain = config;
    plain.placement.reset();
    CHECK_THROWS_AS(parameters_of(lively_network(plain, Backend::cpu), head, z), Error);
    CHECK_THROWS_AS(head.require_fits(plain), Error);
  }
}

}  // namespace arbg::nn
