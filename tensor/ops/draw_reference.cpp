// w[v] = exp((logits[v] - largest) / tau), T = sum of w. Of the kept, K = sum of their w, and
//   P(v) = w[v] f[v] / sum of w f,   f = (1 - eps) + eps K / T for the kept, eps K / T for others.
// The index drawn is the first v with w[0] f[0] + ... + w[v] f[v] >= uniform times their sum.
// logits [M, V]; index, log_p [M] or log_p [M, V].
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "tensor/base/defects.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/draw.h"

namespace arbg::tensor::reference {
namespace {

double total_of(const std::vector<double>& weights) {
  double total = 0;
  for (const double w : weights) total += w;
  return planted(Defect::float32_total) ? static_cast<float>(total) : total;
}

class Categorical {
 public:
  Categorical(const double* logits, std::int64_t V, const Decoding& decoding)
      : logits_(logits, logits + V), factors_(logits_.size(), 1) {
    inverse_tau_ = 1 / decoding.temperature;
    largest_ = *std::max_element(logits_.begin(), logits_.end());
    for (const double x : logits_) weights_.push_back(std::exp((x - largest_) * inverse_tau_));
    total_ = total_of(weights_);
    if (exists() && decoding.truncates()) truncate(decoding);
  }

  bool exists() const { return std::isfinite(total_); }

  std::int32_t draw(double uniform) const {
    const double target = uniform * total_;
    double cumulative = 0;
    std::size_t chosen = 0;  // the last of all, if rounding leaves the sum short of the target
    for (std::size_t v = 0; v < weights_.size(); ++v) {
      if (weights_[v] == 0) continue;
      chosen = v;
      cumulative += weights_[v];
      if (cumulative >= target) break;
    }
    return static_cast<std::int32_t>(chosen);
  }

  double log_p(std::int64_t index) const {
    const auto v = static_cast<std::size_t>(index);
    return logits_[v] * inverse_tau_ - (largest_ * inverse_tau_ + std::log(total_)) +
           std::log(factors_[v]);
  }

 private:
  void truncate(const Decoding& decoding) {
    std::vector<std::size_t> order(weights_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [this](std::size_t a, std::size_t b) { return logits_[a] > logits_[b]; });
    std::size_t kept = 0;
    double kept_sum = 0;
    while (kept < order.size() && (decoding.top_k == 0 || std::cmp_less(kept, decoding.top_k)) &&
           (decoding.top_p == 1 || kept_sum < decoding.top_p * total_)) {
      kept_sum += weights_[order[kept++]];
    }
    const double rest_factor = decoding.full_support * (kept_sum / total_);
    factors_.assign(weights_.size(), rest_factor);
    for (std::size_t i = 0; i < kept; ++i)
      factors_[order[i]] = (1 - decoding.full_support) + rest_factor;
    for (std::size_t v = 0; v < weights_.size(); ++v) weights_[v] *= factors_[v];
    total_ = total_of(weights_);
  }

  std::vector<double> logits_, weights_, factors_;
  double inverse_tau_ = 1, largest_ = 0, total_ = 0;
};

}  // namespace

void draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                      const DrawWords& words, const Tensor& place, Drawn& drawn) {
  const auto t = static_cast<std::uint64_t>(place.host_data<std::int32_t>()[0]);
  const std::uint64_t first = words.first + t * words.step;
  const std::int64_t M = logits.extent(0), V = logits.extent(1);
  const double* L = logits.host_data<double>();
  std::int32_t* I = drawn.index.host_data<std::int32_t>();
  double* log_P = drawn.log_p.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    const Categorical categorical(L + m * V, V, decoding);
    const double uniform = random.uniform(first + static_cast<std::uint64_t>(m) * words.stride);
    I[m] = categorical.exists() ? categorical.draw(uniform) : 0;
    log_P[m] = categorical.log_p(I[m]);
  }
}

void log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding,
                     Tensor& log_p) {
  const std::int64_t M = index.elements(), V = logits.extent(-1);
  const double* L = logits.host_data<double>();
  const std::int32_t* I = index.host_data<std::int32_t>();
  double* log_P = log_p.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) log_P[m] = Categorical(L + m * V, V, decoding).log_p(I[m]);
}

void log_categorical_all(const Tensor& logits, const Decoding& decoding, Tensor& log_p) {
  const std::int64_t M = row_count(logits.shape()), V = logits.extent(-1);
  const double* L = logits.host_data<double>();
  double* log_P = log_p.host_data<double>();
  for (std::int64_t m = 0; m < M; ++m) {
    const Categorical categorical(L + m * V, V, decoding);
    for (std::int64_t v = 0; v < V; ++v) log_P[m * V + v] = categorical.log_p(v);
  }
}

}  // namespace arbg::tensor::reference
