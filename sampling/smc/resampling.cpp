#include "sampling/smc/resampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics/weights/weights.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

constexpr const char* kNames[] = {"systematic", "stratified", "residual", "multinomial"};

// The index whose interval each pointer falls into; pointers ascend in [0, 1).
std::vector<std::int64_t> indices_at(std::span<const double> pointers,
                                     std::span<const double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::size_t last = weights.size() - 1;
  while (last > 0 && weights[last] == 0) --last;  // rounding must not lead beyond it
  std::vector<std::int64_t> chosen;
  std::size_t i = 0;
  double upper = weights[0];
  for (const double pointer : pointers) {
    while (pointer * total >= upper && i < last) upper += weights[++i];
    chosen.push_back(static_cast<std::int64_t>(i));
  }
  return chosen;
}

// Independent uniform numbers in ascending order: sums of exponential gaps over their total.
std::vector<double> sorted_uniforms(std::int64_t count, const Random& random, std::uint64_t first) {
  std::vector<double> out;
  double sum = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    sum -= std::log(random.uniform(first + static_cast<std::uint64_t>(k)));
    out.push_back(sum);
  }
  sum -= std::log(random.uniform(first + static_cast<std::uint64_t>(count)));
  for (double& value : out) value /= sum;
  return out;
}

std::vector<std::int64_t> residual(std::vector<double> weights, std::int64_t count,
                                   const Random& random, std::uint64_t first) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::int64_t> chosen;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double share = static_cast<double>(count) * (weights[i] / total);
    const double whole = std::floor(share);
    chosen.insert(chosen.end(), static_cast<std::size_t>(whole), static_cast<std::int64_t>(i));
    weights[i] = share - whole;
  }
  const std::int64_t left = count - std::ssize(chosen);
  if (left > 0) {
    const auto rest = indices_at(sorted_uniforms(left, random, first), weights);
    chosen.insert(chosen.end(), rest.begin(), rest.end());
  }
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace

Resampling resampling_named(const std::string& name) {
  const auto found = std::ranges::find(kNames, name);
  require(found != std::end(kNames),
          "expected systematic, stratified, residual or multinomial resampling, got '", name, "'");
  return static_cast<Resampling>(found - std::begin(kNames));
}

const char* name_of(Resampling scheme) { return kNames[static_cast<std::size_t>(scheme)]; }

std::vector<std::int64_t> resample(Resampling scheme, std::span<const double> log_weights,
                                   std::int64_t count, const Random& random, std::uint64_t first) {
  std::vector<double> weights = metrics::relative_weights(log_weights);
  if (scheme == Resampling::residual) return residual(std::move(weights), count, random, first);
  if (scheme == Resampling::multinomial) {
    return indices_at(sorted_uniforms(count, random, first), weights);
  }
  std::vector<double> pointers;
  for (std::int64_t k = 0; k < count; ++k) {
    const auto draw = scheme == Resampling::stratified ? static_cast<std::uint64_t>(k) : 0;
    pointers.push_back((static_cast<double>(k) + random.uniform(first + draw)) /
                       static_cast<double>(count));
  }
  return indices_at(pointers, weights);
}

}  // namespace arbg::sampling
