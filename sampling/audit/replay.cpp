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

// Of the line through the mean heights at both edges of bin k, over its own height. An edge is half
// of the sum of the bins that meet there; at an end, as far from the height as the other edge.
double plain_slope(const Generator& generator, std::int64_t j, std::span<const double> p,
                   std::size_t k) {
  constexpr double kMost = 1.8;
  if (generator.within_bins() == nn::WithinBins::uniform) return 0;
  const bool ends = !generator.bins().axis(j).periodic;
  const std::size_t last = p.size() - 1;
  double lower = (p[k == 0 ? last : k - 1] + p[k]) / 2,
         upper = (p[k] + p[k == last ? 0 : k + 1]) / 2;
  if (last == 0)
    lower = upper;
  else if (ends && k == 0)
    lower = 2 * p[k] - upper;
  else if (ends && k == last)
    upper = 2 * p[k] - lower;
  return std::clamp((upper - lower) / p[k], -kMost, kMost);
}

// The share of bin k that lies below z.
double part_below(const nn::CoordinateBins& bins, std::int64_t j, std::int32_t k, double z) {
  const auto& axis = bins.axis(j);
  const auto V = static_cast<double>(bins.bins());
  double part = (z - axis.low) / (axis.high - axis.low) * V - k;
  if (axis.periodic) part -= V * std::round((part - 0.5) / V);
  return std::clamp(part, 0.0, 1.0);
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

Replay replay(const Generator& generator, const Sequences& sequences, const Decoding& decoding,
              std::span<const double> share) {
  const auto& network = generator.network();
  const auto tokens = sequences.tokens;
  const std::int64_t K = generator.map().size(), V = generator.bins().bins();
  const std::int64_t count = std::ssize(tokens) / K;
  Decoding full;
  full.temperature = decoding.temperature;
  double log_cell = 0;
  for (std::int64_t j = 0; j < K; ++j) {
    const auto& axis = generator.bins().axis(j);
    log_cell += std::log((axis.high - axis.low) / static_cast<double>(V));
  }
  Replay out;
  out.log_q.resize(static_cast<std::size_t>(count));
  out.transform.resize(static_cast<std::size_t>(count * K));
  out.uphill.resize(out.transform.size());
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
        const double part = part_below(generator.bins(), j, tokens[at], sequences.z[at]);
        const auto of_all = decoding.truncates() ? plain_probabilities(row, full) : p;
        const double a = plain_slope(generator, j, of_all, token);
        out.log_q[static_cast<std::size_t>(first + b)] += log_p + std::log(1 + a * (part - 0.5));
        const double own = share.empty() ? part + a / 2 * (part * part - part) : share[at];
        out.transform[at] = below + own * p[token];
        out.uphill[at] = a < 0 ? 1 - own : own;
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
