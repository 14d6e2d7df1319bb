#include "sampling/categorical.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "tensor/base/defects.h"
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

void Decoding::check() const {
  require(temperature > 0 && std::isfinite(temperature) && std::isfinite(1 / temperature),
          "the sampling temperature must be positive and finite, got ", temperature);
  require(top_k >= 0, "top-k expects a number of tokens to keep, 0 for all, got ", top_k);
  require(top_p > 0 && top_p <= 1,
          "top-p expects a probability to keep, above 0 and at most 1, got ", top_p);
  require(full_support >= 0 && full_support <= 1,
          "full-support expects a share of the untruncated distribution from 0 to 1, got ",
          full_support);
}

std::string Decoding::text() const {
  std::ostringstream out;
  out << "temperature " << temperature;
  if (top_k > 0) out << ", top-k " << top_k;
  if (top_p < 1) out << ", top-p " << top_p;
  if (full_support > 0) out << " + " << 100 * full_support << " % full support";
  return out.str();
}

void Categorical::set(const nn::Tensor& logits, std::int64_t b, const Decoding& decoding) {
  const auto V = logits.extent(-1);
  const bool plain = logits.backend() == nn::Backend::reference;
  if (plain)
    logits_.assign(logits.data<double>() + b * V, logits.data<double>() + (b + 1) * V);
  else
    logits_.assign(logits.data<float>() + b * V, logits.data<float>() + (b + 1) * V);
  logits_.resize((logits_.size() + kBlock - 1) / kBlock * kBlock, -INFINITY);
  inverse_tau_ = 1 / decoding.temperature;
  largest_ = largest_of(logits_);
  exponentiate(!plain);
  add_up(plain);
  require(std::isfinite(total_),
          "the network's logits are not finite: the checkpoint is damaged or training diverged");
  truncated_ = decoding.truncates();
  if (!truncated_) return;
  // Weights w times T_kept / T (eps + (1 - eps) T / T_kept) or T_kept / T eps: P up to a constant.
  const double kept = keep_likeliest(decoding, V);
  const double rest_factor = decoding.full_support * (kept / total_);
  const double kept_factor = (1 - decoding.full_support) + rest_factor;
  for (std::size_t v = 0; v < weights_.size(); ++v) {
    factors_[v] = factors_[v] == 1 ? kept_factor : rest_factor;
    weights_[v] *= factors_[v];
  }
  add_up(plain);
}

// Sets factors to 1 for the tokens kept, 0 for the others; returns the sum of the kept weights. A
// heap, as few tokens of many are kept.
double Categorical::keep_likeliest(const Decoding& decoding, std::int64_t V) {
  order_.resize(static_cast<std::size_t>(V));
  std::iota(order_.begin(), order_.end(), 0);
  const auto after = [this](std::int32_t a, std::int32_t b) {
    const double x = logits_[static_cast<std::size_t>(a)], y = logits_[static_cast<std::size_t>(b)];
    return x < y || (x == y && a > b);
  };
  std::make_heap(order_.begin(), order_.end(), after);
  factors_.assign(weights_.size(), 0);
  const std::int64_t most = decoding.top_k > 0 ? std::min(decoding.top_k, V) : V;
  const double enough = decoding.top_p < 1 ? decoding.top_p * total_ : INFINITY;
  double sum = 0;
  for (std::int64_t kept = 0; kept < most && sum < enough; ++kept) {
    std::pop_heap(order_.begin(), order_.end() - kept, after);
    const auto token = static_cast<std::size_t>(*(order_.end() - kept - 1));
    factors_[token] = 1;
    sum += weights_[token];
  }
  return sum;
}

void Categorical::add_up(bool one_by_one) {
  block_sums_.clear();
  sum_of_blocks_ = 0;
  for (const double* w = weights_.data(); w != weights_.data() + weights_.size(); w += kBlock) {
    block_sums_.push_back(((w[0] + w[1]) + (w[2] + w[3])) + ((w[4] + w[5]) + (w[6] + w[7])));
    sum_of_blocks_ += block_sums_.back();
  }
  // The reference adds one after the other, as its log_prob() does: log P is the same bits.
  total_ = one_by_one ? std::accumulate(weights_.begin(), weights_.end(), 0.0) : sum_of_blocks_;
  if (planted(Defect::float32_total)) total_ = static_cast<float>(total_);
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
  const auto v = static_cast<std::size_t>(token);
  const double log_p = logits_[v] * inverse_tau_ - (largest_ * inverse_tau_ + std::log(total_));
  return truncated_ ? log_p + std::log(factors_[v]) : log_p;
}

}  // namespace arbg::sampling
