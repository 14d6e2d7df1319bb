#include "sampling/proposals/marginals.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {

MarginalsProposal::MarginalsProposal(const md::CoordinateMap& map, nn::CoordinateBins bins,
                                     std::span<const double> weights)
    : map_(map), bins_(std::move(bins)) {
  const auto V = static_cast<std::size_t>(bins_.bins()), K = static_cast<std::size_t>(map.size());
  require(bins_.coordinates() == map.size() && weights.size() == K * V, "expected weights of ", K,
          " coordinates in ", V, " bins each, got ", weights.size(), " of bins for ",
          bins_.coordinates());
  for (std::size_t j = 0; j < K; ++j) {
    double sum = 0;
    for (const double w : weights.subspan(j * V, V)) {
      require(w >= 0 && std::isfinite(w), "the weights of coordinate ", j, " have to be 0 or more");
      covers_support_ = covers_support_ && w > 0;
      cumulative_.push_back(sum += w);
    }
    require(sum > 0 && std::isfinite(sum), "the weights of coordinate ", j, " sum to ", sum);
    for (const double w : weights.subspan(j * V, V)) log_p_.push_back(std::log(w / sum));
  }
}

Samples MarginalsProposal::draw(const SampleOptions& options) const {
  const std::int64_t K = map_.size(), V = bins_.bins();
  const Random random(options.seed, options.stream);
  Samples out;
  out.resize(options.count, map_);
  parallel_for(options.count, [&](std::int64_t i) {
    std::vector<double> z;
    for (std::int64_t j = 0; j < K; ++j) {
      const auto number = static_cast<std::uint64_t>(2 * ((options.first + i) * K + j));
      const auto row = std::span(cumulative_)
                           .subspan(static_cast<std::size_t>(j * V), static_cast<std::size_t>(V));
      const auto bin = std::ranges::upper_bound(row, random.uniform(number) * row.back());
      z.push_back(bins_.decode(j, static_cast<std::int32_t>(bin - row.begin()),
                               random.uniform(number + 1)));
    }
    out.put(i, z, log_density_of(z), map_);
  });
  if (options.on_progress) options.on_progress(options.count);
  return out;
}

double MarginalsProposal::log_density_of(std::span<const double> z) const {
  std::vector<std::int32_t> tokens(z.size());
  if (bins_.encode_rows(z, tokens) > 0) return -INFINITY;
  const auto V = static_cast<std::size_t>(bins_.bins());
  double sum = 0;
  for (std::size_t j = 0; j < tokens.size(); ++j)
    sum += log_p_[j * V + static_cast<std::size_t>(tokens[j])];
  return sum - bins_.log_volume();
}

std::vector<double> MarginalsProposal::log_density(std::span<const double> z) const {
  const auto K = static_cast<std::size_t>(map_.size());
  require(z.size() % K == 0, "expected rows of ", K, " coordinates, got ", z.size(), " in all");
  std::vector<double> out;
  for (std::size_t at = 0; at < z.size(); at += K) out.push_back(log_density_of(z.subspan(at, K)));
  return out;
}

bool MarginalsProposal::inside(std::span<const double> z) const {
  return log_density_of(z) > -INFINITY;
}

std::vector<std::string> MarginalsProposal::labels() const {
  if (covers_support_) return {};
  return {"biased: some bins are never drawn; weights are not consistent"};
}

}  // namespace arbg::sampling
