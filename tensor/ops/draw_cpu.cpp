// As the reference, with exponentials in vectors (as accurate: simd.h) and sums by blocks, so that
// neither they nor the search for an index is one long chain of additions.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "tensor/base/defects.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/lane_loops.h"

namespace arbg::tensor::cpu {
namespace {

constexpr std::size_t kBlock = 8;
constexpr std::int64_t kWork = 8;  // an index costs about as much as so many numbers touched

double largest_of(const std::vector<double>& x) {  // whole blocks; NaN is passed over
  double most[kBlock];
  std::fill_n(most, kBlock, -INFINITY);
  for (std::size_t v = 0; v < x.size(); v += kBlock) {
    for (std::size_t i = 0; i < kBlock; ++i) most[i] = x[v + i] > most[i] ? x[v + i] : most[i];
  }
  return *std::max_element(most, most + kBlock);
}

// The distribution of one row at a time; its memory serves for the next.
class Categorical {
 public:
  explicit Categorical(const Decoding& decoding)
      : decoding_(decoding),
        inverse_tau_(1 / decoding.temperature),
        truncates_(decoding.truncates()) {}

  void set(const float* logits, std::int64_t V) {
    logits_.assign(logits, logits + V);
    logits_.resize((logits_.size() + kBlock - 1) / kBlock * kBlock, -INFINITY);
    largest_ = largest_of(logits_);
    exponentiate();
    add_up();
    if (exists() && truncates_) truncate(V);
  }

  bool exists() const { return std::isfinite(total_); }

  std::int32_t draw(double uniform) const {
    const double target = uniform * sum_of_blocks_;
    double cumulative = 0;
    std::size_t block = 0;
    while (block_sums_[block] == 0 || cumulative + block_sums_[block] < target)
      cumulative += block_sums_[block++];
    // Added one by one, a block may stay short of its sum by rounding: then its last index it is.
    std::size_t chosen = 0;
    for (std::size_t v = block * kBlock; v < (block + 1) * kBlock; ++v) {
      if (weights_[v] == 0) continue;
      chosen = v;
      cumulative += weights_[v];
      if (cumulative >= target) break;
    }
    return static_cast<std::int32_t>(chosen);
  }

  double log_p(std::int64_t index) const {
    const auto v = static_cast<std::size_t>(index);
    const double log_p = logits_[v] * inverse_tau_ - (largest_ * inverse_tau_ + std::log(total_));
    return truncates_ && exists() ? log_p + std::log(factors_[v]) : log_p;
  }

 private:
  // weights[v] = exp((logits[v] - largest) / tau)
  void exponentiate() {
    weights_.resize(logits_.size());
    constexpr std::size_t kStep = kLaneCount<double>;
    static_assert(kBlock % kStep == 0);
    for (std::size_t v = 0; v < weights_.size(); v += kStep) {
      const Lanes<double> x = load_lanes(&logits_[v]) - largest_;
      store_lanes<double>(&weights_[v], exp_lanes(x * inverse_tau_));
    }
  }

  void add_up() {
    block_sums_.clear();
    sum_of_blocks_ = 0;
    for (const double* w = weights_.data(); w != weights_.data() + weights_.size(); w += kBlock) {
      block_sums_.push_back(((w[0] + w[1]) + (w[2] + w[3])) + ((w[4] + w[5]) + (w[6] + w[7])));
      sum_of_blocks_ += block_sums_.back();
    }
    total_ = sum_of_blocks_;
    if (planted(Defect::float32_total)) total_ = static_cast<float>(total_);
  }

  void truncate(std::int64_t V) {
    const double kept = keep_likeliest(V);
    const double rest_factor = decoding_.full_support * (kept / total_);
    const double kept_factor = (1 - decoding_.full_support) + rest_factor;
    for (std::size_t v = 0; v < weights_.size(); ++v) {
      factors_[v] = factors_[v] == 1 ? kept_factor : rest_factor;
      weights_[v] *= factors_[v];
    }
    add_up();
  }

  // Sets factors to 1 for the indices kept, 0 for the others; returns the sum of the kept weights.
  // A heap, as few of many are kept.
  double keep_likeliest(std::int64_t V) {
    order_.resize(static_cast<std::size_t>(V));
    std::iota(order_.begin(), order_.end(), 0);
    const auto after = [this](std::int32_t a, std::int32_t b) {
      const double x = logits_[static_cast<std::size_t>(a)];
      const double y = logits_[static_cast<std::size_t>(b)];
      return x < y || (x == y && a > b);
    };
    std::make_heap(order_.begin(), order_.end(), after);
    factors_.assign(weights_.size(), 0);
    const std::int64_t most = decoding_.top_k > 0 ? std::min(decoding_.top_k, V) : V;
    const double enough = decoding_.top_p < 1 ? decoding_.top_p * total_ : INFINITY;
    double sum = 0;
    for (std::int64_t kept = 0; kept < most && sum < enough; ++kept) {
      std::pop_heap(order_.begin(), order_.end() - kept, after);
      const auto index = static_cast<std::size_t>(*(order_.end() - kept - 1));
      factors_[index] = 1;
      sum += weights_[index];
    }
    return sum;
  }

  Decoding decoding_;
  double inverse_tau_;
  bool truncates_;
  // Padded to whole blocks with weight 0.
  std::vector<double> logits_, weights_, block_sums_;
  double largest_ = 0, sum_of_blocks_ = 0, total_ = 0;
  std::vector<std::int32_t> order_;
  std::vector<double> factors_;  // of the weights, where truncated
};

// body(m, distribution of row m) for all rows of logits.
template <class Body>
void for_rows(const Tensor& logits, const Decoding& decoding, const Body& body) {
  const std::int64_t M = row_count(logits.shape()), V = logits.extent(-1);
  const float* L = logits.host_data<float>();
  for_pieces(M, kWork * V, [&](std::int64_t first, std::int64_t last) {
    Categorical categorical(decoding);
    for (std::int64_t m = first; m < last; ++m) {
      categorical.set(L + m * V, V);
      body(m, std::as_const(categorical));
    }
  });
}

}  // namespace

void draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                      const DrawWords& words, const Tensor& place, Drawn& drawn) {
  const auto t = static_cast<std::uint64_t>(place.host_data<std::int32_t>()[0]);
  const std::uint64_t first = words.first + t * words.step;
  std::int32_t* I = drawn.index.host_data<std::int32_t>();
  double* log_P = drawn.log_p.host_data<double>();
  for_rows(logits, decoding, [&](std::int64_t m, const Categorical& categorical) {
    const double uniform = random.uniform(first + static_cast<std::uint64_t>(m) * words.stride);
    I[m] = categorical.exists() ? categorical.draw(uniform) : 0;
    log_P[m] = categorical.log_p(I[m]);
  });
}

void log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding,
                     Tensor& log_p) {
  const std::int32_t* I = index.host_data<std::int32_t>();
  double* log_P = log_p.host_data<double>();
  for_rows(logits, decoding, [&](std::int64_t m, const Categorical& categorical) {
    log_P[m] = categorical.log_p(I[m]);
  });
}

void log_categorical_all(const Tensor& logits, const Decoding& decoding, Tensor& log_p) {
  const std::int64_t V = logits.extent(-1);
  double* log_P = log_p.host_data<double>();
  for_rows(logits, decoding, [&](std::int64_t m, const Categorical& categorical) {
    for (std::int64_t v = 0; v < V; ++v) log_P[m * V + v] = categorical.log_p(v);
  });
}

}  // namespace arbg::tensor::cpu
