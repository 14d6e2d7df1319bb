#include "nn/transformer/placement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "tensor/base/error.h"
#include "tensor/base/simd.h"

namespace arbg::nn {
namespace {

// Lanes from a row of V numbers; behind its end stands `beyond`.
template <class Real>
Lanes<Real> some_of(std::span<const Real> row, std::size_t first, Real beyond) {
  constexpr auto kLanes = static_cast<std::size_t>(kLaneCount<Real>);
  if (first + kLanes <= row.size()) return load_lanes(&row[first]);
  Lanes<Real> some = broadcast(beyond);
  for (std::size_t i = first; i < row.size(); ++i) some[i - first] = row[i];
  return some;
}

// exp(least - sum_c u[c, v]), least the smallest of the sums, [V] and zeros up to whole vectors;
// returns their total.
template <class Real>
Real weights_of_curve(std::span<const Real> u, std::size_t V, std::vector<Real>& weight) {
  constexpr auto kLanes = static_cast<std::size_t>(kLaneCount<Real>);
  const Real infinity = std::numeric_limits<Real>::infinity();
  weight.resize((V + kLanes - 1) / kLanes * kLanes);
  Lanes<Real> least = broadcast(infinity), total{};
  for (std::size_t v = 0; v < V; v += kLanes) {
    Lanes<Real> sum{};
    for (std::size_t c = 0; c < u.size(); c += V) sum += some_of(u.subspan(c, V), v, infinity);
    store_lanes(&weight[v], sum);
    least = select(sum < least, sum, least);
  }
  const Real lowest = -max_lanes(-least);
  for (std::size_t v = 0; v < V; v += kLanes) {
    const Lanes<Real> w = exp_lanes(lowest - load_lanes(&weight[v]));
    store_lanes(&weight[v], w);
    total += w;
  }
  return sum_lanes(total);
}

// a [n], b [n and zeros].
template <class Real>
Real dot(std::span<const Real> a, const std::vector<Real>& b) {
  Lanes<Real> sum{};
  for (std::size_t i = 0; i < b.size(); i += static_cast<std::size_t>(kLaneCount<Real>))
    sum += some_of(a, i, Real(0)) * load_lanes(&b[i]);
  return sum_lanes(sum);
}

}  // namespace

std::unique_ptr<GrowingPlacement> Placement::grow(const Tensor&, std::int64_t,
                                                  Backend backend) const {
  fail("placement energies of growing rows do not work on the backend ", name_of(backend));
}

CurveMoments::CurveMoments(std::int64_t components, std::int64_t bins, std::int64_t moments)
    : components_(components), bins_(bins), moments_(moments) {
  for (std::int64_t k = 1; k <= moments; ++k) {
    for (const bool sine : {false, true}) {
      for (std::int64_t v = 0; v < bins; ++v) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(k) *
                             (static_cast<double>(v) + 0.5) / static_cast<double>(bins);
        table_double_.push_back(sine ? std::sin(angle) : std::cos(angle));
      }
    }
  }
  table_float_.assign(table_double_.begin(), table_double_.end());
}

template <>
const std::vector<float>& CurveMoments::table<float>() const {
  return table_float_;
}
template <>
const std::vector<double>& CurveMoments::table<double>() const {
  return table_double_;
}

template <class Real>
void CurveMoments::evaluate(std::span<const Real> u, std::span<Real> features) const {
  const auto V = static_cast<std::size_t>(bins_);
  require(std::ssize(u) == components_ * bins_ && std::ssize(features) == 2 * moments_,
          "expected a curve of ", components_, " x ", bins_, " energies and ", 2 * moments_,
          " moments, found ", u.size(), " and ", features.size());
  std::vector<Real> weight;
  const Real total = weights_of_curve(u, V, weight);
  const std::span<const Real> table = this->table<Real>();
  for (std::size_t i = 0; i < features.size(); ++i)
    features[i] = dot(table.subspan(i * V, V), weight) / total;
}

template void CurveMoments::evaluate(std::span<const float>, std::span<float>) const;
template void CurveMoments::evaluate(std::span<const double>, std::span<double>) const;

std::vector<double> mean_of_curves(const Placement& placement, const Tensor& z, std::int64_t bins,
                                   Backend backend) {
  const auto T = z.extent(1), B = z.extent(0);
  require(B > 0, "the mean of curves needs conformations");
  const auto V = static_cast<std::size_t>(bins);
  std::vector<double> mean(static_cast<std::size_t>(T) * V, 1 / static_cast<double>(V));
  std::vector<std::vector<double>> of_slot;
  std::vector<std::int32_t> slot;
  constexpr std::int64_t kRows = 64;
  std::vector<double> weight;
  for (std::int64_t first = 0; first < B; first += kRows) {
    const auto rows = placement.rows(z.rows(first, std::min(kRows, B - first)), 0, T, backend);
    if (!rows.energies.defined()) return mean;
    const auto u = rows.energies.values();
    const auto S = static_cast<std::size_t>(rows.energies.extent(1)),
               size = static_cast<std::size_t>(rows.energies.extent(2)) * V;
    slot = rows.slot.indices();
    of_slot.resize(S, std::vector<double>(V));
    for (std::size_t i = 0; i * size < u.size(); ++i) {
      const double total =
          weights_of_curve(std::span<const double>(u).subspan(i * size, size), V, weight);
      for (std::size_t v = 0; v < V; ++v)
        of_slot[i % S][v] += weight[v] / total / static_cast<double>(B);
    }
  }
  for (std::size_t t = 0; t < slot.size(); ++t)
    if (slot[t] >= 0)
      std::ranges::copy(of_slot[static_cast<std::size_t>(slot[t])],
                        mean.begin() + static_cast<std::ptrdiff_t>(t * V));
  return mean;
}

}  // namespace arbg::nn
