#include "sampling/audit/replay.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sampling/audit/check.h"
#include "tensor/device/for_each_on.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kLanes = 32;

// P of one conditional, in double, one number after the other.
std::vector<double> plain_probabilities(std::span<const double> logits, const Decoding& decoding) {
  const double largest = std::ranges::max(logits);
  std::vector<double> full;
  for (const double x : logits) full.push_back(std::exp((x - largest) / decoding.temperature));
  const double total = std::accumulate(full.begin(), full.end(), 0.0);
  for (double& p : full) p /= total;
  if (!decoding.truncates()) return full;

  std::vector<std::size_t> order(full.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t v) { return logits[v]; });
  double kept = 0;
  std::size_t count = 0;
  const std::size_t most =
      decoding.top_k > 0 ? static_cast<std::size_t>(decoding.top_k) : full.size();
  while (count < std::min(most, full.size()) && (decoding.top_p == 1 || kept < decoding.top_p))
    kept += full[order[count++]];
  std::vector<double> mixed(full.size());
  for (std::size_t v = 0; v < full.size(); ++v) mixed[v] = decoding.full_support * full[v];
  for (std::size_t i = 0; i < count; ++i)
    mixed[order[i]] += (1 - decoding.full_support) * full[order[i]] / kept;
  return mixed;
}

std::span<const double> rows_of(std::span<const double> z, std::int64_t first, std::int64_t rows,
                                std::int64_t length) {
  return z.subspan(static_cast<std::size_t>(first * length),
                   static_cast<std::size_t>(rows * length));
}

nn::Tensor column(std::span<const std::int32_t> tokens, std::int64_t first, std::int64_t rows,
                  std::int64_t length, std::int64_t j, nn::Backend backend) {
  std::vector<std::int32_t> out;
  for (std::int64_t b = first; b < first + rows; ++b)
    out.push_back(tokens[static_cast<std::size_t>(b * length + j)]);
  return nn::Tensor::from_indices(out, {rows}, backend);
}

}  // namespace

Replay replay(const Generator& generator, const Sequences& sequences,
              std::span<const double> fraction, const Decoding& decoding) {
  const auto& network = generator.network();
  const auto tokens = sequences.tokens;
  const std::int64_t K = generator.map().size(), V = generator.bins().bins();
  const std::int64_t count = std::ssize(tokens) / K;
  double log_cell = 0;
  for (std::int64_t j = 0; j < K; ++j) {
    const auto& axis = generator.bins().axis(j);
    log_cell += std::log((axis.high - axis.low) / static_cast<double>(V));
  }
  Replay out;
  out.log_q.resize(static_cast<std::size_t>(count));
  out.transform.resize(static_cast<std::size_t>(count * K));
  const std::int64_t groups = (count + kLanes - 1) / kLanes;
  std::vector<double> worst(static_cast<std::size_t>(groups)), excess(worst), variance(worst);
  tensor::for_each_on({network.backend()}, groups, [&](std::int64_t group) {
    const auto g = static_cast<std::size_t>(group);
    const std::int64_t first = group * kLanes, rows = std::min(kLanes, count - first);
    const nn::Tensor z = nn::host_rows(rows_of(sequences.z, first, rows, K), K);
    auto cache = network.make_cache(rows, generator.molecules(rows));
    nn::Tensor previous;
    for (std::int64_t j = 0; j < K; ++j) {
      const nn::Tensor logits = network.next_logits(
          previous, cache, generator.head().placement_rows(z, j, 1, network.backend()));
      const auto numbers = logits.values();  // [rows, V]
      // What the sampler itself takes for its probabilities, to be judged.
      const auto own_log_p = nn::checked_log_p(tensor::log_categorical_all(logits, decoding));
      for (std::int64_t b = 0; b < rows; ++b) {
        const auto at = static_cast<std::size_t>((first + b) * K + j);
        const auto token = static_cast<std::size_t>(tokens[at]);
        double sum = 0;
        for (std::int64_t v = 0; v < V; ++v)
          sum += std::exp(own_log_p[static_cast<std::size_t>(b * V + v)]);
        worst[g] = worse(worst[g], std::abs(sum - 1));

        const auto row = std::span(numbers).subspan(static_cast<std::size_t>(b * V),
                                                    static_cast<std::size_t>(V));
        const auto p = plain_probabilities(row, decoding);
        double mean = 0, square = 0, below = 0;
        for (std::size_t v = 0; v < p.size(); ++v) {
          const double log_p = p[v] > 0 ? std::log(p[v]) : 0;
          mean += p[v] * log_p;
          square += p[v] * log_p * log_p;
          if (v < token) below += p[v];
        }
        const double log_p = std::log(p[token]);
        out.log_q[static_cast<std::size_t>(first + b)] += log_p;
        out.transform[at] = below + fraction[at] * p[token];
        excess[g] += log_p - mean;
        variance[g] += square - mean * mean;
      }
      previous = column(tokens, first, rows, K, j, network.backend());
    }
  });
  for (double& log_q : out.log_q) log_q -= log_cell;
  for (const double one : worst) out.worst_sum = worse(out.worst_sum, one);
  out.surprise = std::accumulate(excess.begin(), excess.end(), 0.0) /
                 std::sqrt(std::accumulate(variance.begin(), variance.end(), 0.0));
  return out;
}

std::vector<double> uncached_logits(const Generator& generator, const nn::Transformer& network,
                                    const Sequences& sequences) {
  const autograd::NoGradient no_graph;
  const std::int64_t K = generator.map().size(), rows = std::ssize(sequences.tokens) / K;
  const nn::Tensor z = nn::host_rows(sequences.z, K);
  return network
      .logits(nn::Tensor::from_indices(sequences.tokens, {rows, K}, network.backend()),
              generator.molecules(rows), {},
              generator.head().placement_rows(z, 0, K, network.backend()))
      .value()
      .values();
}

std::vector<double> cached_logits(const Generator& generator, const nn::Transformer& network,
                                  const Sequences& sequences) {
  const std::int64_t K = generator.map().size(), rows = std::ssize(sequences.tokens) / K;
  const nn::Tensor z = nn::host_rows(sequences.z, K);
  const std::int64_t V = network.config().num_bins;
  std::vector<double> out(static_cast<std::size_t>(rows * K * V));
  auto cache = network.make_cache(rows, generator.molecules(rows));
  nn::Tensor previous;
  for (std::int64_t j = 0; j < K; ++j) {
    const auto placement = generator.head().placement_rows(z, j, 1, network.backend());
    const auto logits = network.next_logits(previous, cache, placement).values();  // [rows, V]
    for (std::int64_t b = 0; b < rows; ++b)
      std::copy_n(logits.begin() + b * V, V, out.begin() + (b * K + j) * V);
    previous = column(sequences.tokens, 0, rows, K, j, network.backend());
  }
  return out;
}

}  // namespace arbg::sampling
