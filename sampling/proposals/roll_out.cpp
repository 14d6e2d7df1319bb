#include "sampling/proposals/roll_out.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

std::vector<std::int32_t> tokens_of(const nn::CoordinateBins& bins, std::span<const double> z) {
  require(std::ssize(z) == bins.coordinates(), "expected ", bins.coordinates(),
          " coordinates, found ", z.size());
  std::vector<std::int32_t> out(z.size());
  bins.encode_rows(z, out);
  const auto outside = std::ranges::find(out, nn::CoordinateBins::kOutside);
  require(outside == out.end(), "coordinate ", outside - out.begin(), " is outside its bins");
  return out;
}

// log softmax_v(-sum_c u[c, v]) of u [C, V], in double.
std::vector<double> log_placed_alone(std::span<const double> u, std::size_t V) {
  std::vector<double> out(V, 0.0);
  for (std::size_t i = 0; i < u.size(); ++i) out[i % V] -= u[i];
  const double largest = std::ranges::max(out);
  double total = 0;
  for (const double one : out) total += std::exp(one - largest);
  for (double& one : out) one -= largest + std::log(total);
  return out;
}

}  // namespace

RollOut roll_out(const Generator& generator, std::span<const double> z, const Decoding& decoding) {
  decoding.check();
  const autograd::NoGradient no_graph;
  const auto& network = generator.network();
  const auto V = static_cast<std::size_t>(generator.bins().bins());
  const nn::Tensor row = nn::host_rows(z, std::ssize(z));
  RollOut out{tokens_of(generator.bins(), z), {}, {}, {}};
  auto cache = network.make_cache(1, generator.molecules(1));
  nn::Tensor previous;
  std::int32_t curves = 0;
  for (std::int64_t j = 0; j < std::ssize(z); ++j) {
    const auto placement = generator.head().placement_rows(row, j, 1, network.backend());
    const auto logits = network.next_logits(previous, cache, placement);
    const auto log_p = nn::checked_log_p(tensor::log_categorical_all(logits, decoding));
    out.log_p.insert(out.log_p.end(), log_p.begin(), log_p.end());
    const auto own_z = nn::host_rows(z.subspan(static_cast<std::size_t>(j), 1), 1);
    out.log_drawn.push_back(
        generator.head().log_p(logits.reshape({1, 1, std::ssize(log_p)}), own_z, j, decoding)[0]);
    const bool has_curve = placement.energies.defined();
    out.curve.push_back(has_curve ? curves++ : -1);
    if (has_curve) {
      const auto alone = log_placed_alone(placement.energies.values(), V);
      out.log_placed.insert(out.log_placed.end(), alone.begin(), alone.end());
    }
    const std::span own(&out.token[static_cast<std::size_t>(j)], 1);
    previous = nn::Tensor::from_indices(own, {1}, network.backend());
  }
  return out;
}

}  // namespace arbg::sampling
