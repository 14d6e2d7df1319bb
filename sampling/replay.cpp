#include "sampling/replay.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

constexpr int kHalvings = 50;  // of the interval that holds the exponent

// w^a relative to the largest weight; 0 stays 0 at a = 0.
double smoothed(double log_weight, double largest, double exponent) {
  return std::isfinite(log_weight) ? std::exp(exponent * (log_weight - largest)) : 0;
}

double largest_of(std::span<const double> log_weights) {
  require(!log_weights.empty(), "expected at least one log weight, found none");
  const double largest = *std::ranges::max_element(log_weights);
  require(std::isfinite(largest), "expected at least one finite log weight among ",
          log_weights.size(), ", the largest is ", largest,
          ": no sample of this round is in the target's support");
  return largest;
}

double effective_size(std::span<const double> log_weights, double largest, double exponent) {
  double sum = 0, squares = 0;
  for (const double log_w : log_weights) {
    const double w = smoothed(log_w, largest, exponent);
    sum += w;
    squares += w * w;
  }
  return sum * sum / squares;
}

}  // namespace

double smoothing_exponent(std::span<const double> log_weights, double fraction) {
  require(fraction > 0 && fraction <= 1,
          "expected a share of effective samples above 0 and at most 1, found ", fraction);
  const double largest = largest_of(log_weights);
  const auto positive =
      std::ranges::count_if(log_weights, [](double log_w) { return std::isfinite(log_w); });
  const double wanted = fraction * static_cast<double>(positive);
  if (effective_size(log_weights, largest, 1) >= wanted) return 1;
  // The effective size falls with the exponent.
  double low = 0, high = 1;
  for (int k = 0; k < kHalvings; ++k) {
    const double middle = (low + high) / 2;
    (effective_size(log_weights, largest, middle) >= wanted ? low : high) = middle;
  }
  return low;
}

ReplayBuffer::ReplayBuffer(std::int64_t length, std::size_t rounds, double effective,
                           std::uint64_t seed)
    : length_(static_cast<std::size_t>(length)),
      most_rounds_(rounds),
      effective_(effective),
      seed_(seed) {
  require(length >= 1 && rounds >= 1, "expected rows of at least one token and room for a round");
}

double ReplayBuffer::add(ReplayRound round) {
  const std::size_t count = round.log_weight.size();
  require(round.log_target.size() == count && round.tokens.size() == count * length_, "expected ",
          count, " samples of ", length_, " tokens, found ", round.log_target.size(),
          " log target densities and ", round.tokens.size(), " tokens");
  const double exponent = smoothing_exponent(round.log_weight, effective_);
  const double largest = largest_of(round.log_weight);
  std::vector<double> cumulative(count);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    cumulative[i] = sum += smoothed(round.log_weight[i], largest, exponent);
  rounds_.push_back({std::move(round), std::move(cumulative)});
  if (rounds_.size() > most_rounds_) rounds_.pop_front();
  return exponent;
}

void ReplayBuffer::fill(std::int64_t step, std::span<std::int32_t> tokens,
                        std::span<double> log_target) {
  require(!rounds_.empty(), "expected samples to train on, found none");
  const Random random(seed_, stream_id("replay", static_cast<std::uint64_t>(step)));
  for (std::size_t b = 0; b < tokens.size() / length_; ++b) {
    const auto& [round, cumulative] = rounds_[static_cast<std::size_t>(
        random.below(static_cast<std::int64_t>(rounds_.size()), 2 * b))];
    // The first sample beyond the drawn number: never one of weight 0.
    const double target = random.uniform(2 * b + 1) * cumulative.back();
    const auto found = std::ranges::upper_bound(cumulative, target);
    const auto i =
        std::min(static_cast<std::size_t>(found - cumulative.begin()), cumulative.size() - 1);
    std::copy_n(round.tokens.begin() + static_cast<std::ptrdiff_t>(i * length_), length_,
                tokens.begin() + static_cast<std::ptrdiff_t>(b * length_));
    if (!log_target.empty()) log_target[b] = round.log_target[i];
  }
}

}  // namespace arbg::sampling
