#include "sampling/categorical.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/base/error.h"
#include "tensor/base/simd.h"

namespace arbg::sampling {
namespace {

constexpr std::size_t kBlock = 8;

double largest_of(const std::vector<double>& x) {  // whole blocks; NaN is passed over
  double most[kBlock];
  std::fill_n(most, kBlock, -INFINITY);
  for (std::size_t v = 0; v < x.size(); v += kBlock) {
    for (std::size_t i = 0; i < kBlock; ++i) most[i] = x[v + i] > most[i] ? x[v + i] : most[i];
  }
  return *std::max_element(most, most + kBlock);
}

}  // namespace

void Categorical::set(const nn::Tensor& logits, std::int64_t b, double tau) {
  const auto V = logits.extent(1);
  const bool plain = logits.backend() == nn::Backend::reference;
  if (plain)
    logits_.assign(logits.data<double>() + b * V, logits.data<double>() + (b + 1) * V);
  else
    logits_.assign(logits.data<float>() + b * V, logits.data<float>() + (b + 1) * V);
  logits_.resize((logits_.size() + kBlock - 1) / kBlock * kBlock, -INFINITY);
  inverse_tau_ = 1 / tau;
  largest_ = largest_of(logits_);
  exponentiate(!plain);
  block_sums_.clear();
  sum_of_blocks_ = 0;
  for (const double* w = weights_.data(); w != weights_.data() + weights_.size(); w += kBlock) {
    block_sums_.push_back(((w[0] + w[1]) + (w[2] + w[3])) + ((w[4] + w[5]) + (w[6] + w[7])));
    sum_of_blocks_ += block_sums_.back();
  }
  // The reference adds one after the other, as its log_prob() does: log P is the same bits.
  total_ = plain ? std::accumulate(weights_.begin(), weights_.end(), 0.0) : sum_of_blocks_;
  require(std::isfinite(total_),
          "the network's logits are not finite: the checkpoint is damaged or training diverged");
}

// weights[v] = exp((logits[v] - largest) / tau)
void Categorical::exponentiate(bool in_vectors) {
  weights_.resize(logits_.size());
  constexpr std::size_t kStep = kLaneCount<double>;
  static_assert(kBlock % kStep == 0);
  for (std::size_t v = 0; in_vectors && v < weights_.size(); v += kStep) {
    const Lanes<double> x = load_lanes(&logits_[v]) - largest_;
    store_lanes<double>(&weights_[v], exp_lanes(x * inverse_tau_));
  }
  for (std::size_t v = 0; !in_vectors && v < weights_.size(); ++v)
    weights_[v] = std::exp((logits_[v] - largest_) * inverse_tau_);
}

std::int32_t Categorical::draw(double uniform) const {
  const double target = uniform * sum_of_blocks_;
  double cumulative = 0;
  std::size_t block = 0;
  while (block_sums_[block] == 0 || cumulative + block_sums_[block] < target)
    cumulative += block_sums_[block++];
  // Added one by one, a block may stay short of its sum by rounding: then its last token it is.
  std::size_t chosen = 0;
  for (std::size_t v = block * kBlock; v < (block + 1) * kBlock; ++v) {
    if (weights_[v] == 0) continue;
    chosen = v;
    cumulative += weights_[v];
    if (cumulative >= target) break;
  }
  return static_cast<std::int32_t>(chosen);
}

double Categorical::log_probability(std::int32_t token) const {
  return logits_[static_cast<std::size_t>(token)] * inverse_tau_ -
         (largest_ * inverse_tau_ + std::log(total_));
}

}  // namespace arbg::sampling
