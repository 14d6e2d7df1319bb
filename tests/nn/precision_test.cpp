// Networks whose matrix products are of tf32 or bf16, on cuda: how far training goes from that with
// products of float32.
//
// Six steps of batches of four, seeds 1 to 20 on the emulator (tests/emulator). Losses differ by
// 1.6e-6 to 1.1e-5 with tf32, by 8e-6 to 3.7e-5 with bf16, relative; weights by 0.0009 to 0.029 and
// 0.009 to 0.059 of how far they have moved: AdamW's steps have the size of the rate whatever that
// of the gradient, and follow its sign. The bounds are about twice the largest.
#include "tensor/gemm/precision.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "tests/backends.h"
#include "tests/nn/ring_walk.h"

namespace arbg::nn {
namespace {

using tensor::ProductPrecision;
using tensor::WithPrecision;

struct Trained {
  std::vector<double> losses, start, weights;
};

std::vector<double> weights_of(const Transformer& network) {
  std::vector<double> all;
  for (const auto& [name, value] : network.values())
    std::ranges::copy(value.values(), std::back_inserter(all));
  return all;
}

Trained trained(ProductPrecision precision, std::uint64_t seed) {
  const WithPrecision with(precision);
  RingWalk source;
  TrainerOptions options = small_options();
  options.batch = 4;
  options.shards = 1;
  options.total_steps = 6;
  Transformer network(small_config(), Backend::cuda, seed);
  Trainer trainer(network, cells(), source, options);
  Trained run{{}, weights_of(network), {}};
  while (!trainer.done()) run.losses.push_back(trainer.train_step().loss);
  run.weights = weights_of(network);
  return run;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

double largest_change(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] / b[i] - 1));
  return largest;
}

struct Bounds {
  ProductPrecision precision;
  double losses, weights;
};
constexpr Bounds kBounds[] = {{ProductPrecision::tf32, 2.2e-5, 0.057},
                              {ProductPrecision::bf16, 6.8e-5, 0.11}};

TEST_SUITE("fast") {
  TEST_CASE("training with products of tf32 and bf16 stays near that with float32") {
    if (!is_here(Backend::cuda)) return;
    constexpr std::uint64_t kSeed = 1;
    const Trained exact = trained(ProductPrecision::float32, kSeed);
    for (const Bounds& bounds : kBounds) {
      CAPTURE(name_of(bounds.precision));
      const Trained run = trained(bounds.precision, kSeed);
      const double of_losses = largest_change(run.losses, exact.losses);
      const double of_weights =
          distance(run.weights, exact.weights) / distance(exact.start, exact.weights);
      CHECK(of_losses < bounds.losses);
      CHECK(of_weights < bounds.weights);
      CHECK(of_weights > 0);  // they are other products
    }
  }
}

}  // namespace
}  // namespace arbg::nn
