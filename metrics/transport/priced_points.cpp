#include "metrics/transport/priced_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

namespace arbg::metrics {

namespace {

constexpr std::size_t kLeaf = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTurn = 2 * std::numbers::pi;

struct Interval {
  double low = kInfinity, high = -kInfinity;
  void include(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
};

double wrapped_size(double apart) { return std::min(std::fabs(apart), kTurn - std::fabs(apart)); }

void halve(std::span<std::int32_t> part, const double* points, std::size_t dimension) {
  if (part.size() <= kLeaf) return;
  std::size_t widest = 0;
  double width = -1;
  for (std::size_t d = 0; d < dimension; ++d) {
    Interval extent;
    for (const std::int32_t i : part)
      extent.include(points[static_cast<std::size_t>(i) * dimension + d]);
    if (extent.high - extent.low <= width) continue;
    width = extent.high - extent.low;
    widest = d;
  }
  const std::size_t half = (part.size() + kLeaf) / (2 * kLeaf) * kLeaf;  // whole leaves
  std::nth_element(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(half), part.end(),
                   [&](std::int32_t i, std::int32_t j) {
                     const double x = points[static_cast<std::size_t>(i) * dimension + widest];
                     const double y = points[static_cast<std::size_t>(j) * dimension + widest];
                     return x < y || (x == y && i < j);
                   });
  halve(part.first(half), points, dimension);
  halve(part.subspan(half), points, dimension);
}

bool cheaper(const PricedPoints::Offer& x, const PricedPoints::Offer& y) {
  return x.reduced < y.reduced || (x.reduced == y.reduced && x.point < y.point);
}

// Into at most `count` sorted offers.
void insert(const PricedPoints::Offer& offer, std::size_t count,
            std::vector<PricedPoints::Offer>& sorted) {
  if (sorted.size() < count) {
    sorted.push_back(offer);
  } else if (!cheaper(offer, sorted.back())) {
    return;
  }
  std::size_t place = sorted.size() - 1;
  for (; place > 0 && cheaper(offer, sorted[place - 1]); --place) sorted[place] = sorted[place - 1];
  sorted[place] = offer;
}

}  // namespace

std::vector<std::int32_t> leaf_order(std::span<const double> points, std::size_t dimension) {
  std::vector<std::int32_t> order(points.size() / dimension);
  std::iota(order.begin(), order.end(), 0);
  halve(order, points.data(), dimension);
  return order;
}

PricedPoints::PricedPoints(std::span<const double> points, std::size_t dimension, Geometry geometry,
                           std::span<const std::int32_t> order)
    : size_(order.size()),
      dimension_(dimension),
      leaves_((size_ + kLeaf - 1) / kLeaf),
      torus_(geometry == Geometry::kTorus),
      coordinate_(leaves_ * dimension * kLeaf),
      price_(leaves_ * kLeaf, -kInfinity),
      top_price_(leaves_, 0.0),
      middle_(dimension * leaves_),
      reach_(dimension * leaves_) {
  std::fill_n(price_.begin(), size_, 0.0);
  for (std::size_t leaf = 0; leaf < leaves_; ++leaf) {
    const std::size_t first = leaf * kLeaf, count = std::min(kLeaf, size_ - first);
    for (std::size_t d = 0; d < dimension; ++d) {
      Interval extent;
      for (std::size_t k = 0; k < count; ++k) {
        const double x = points[static_cast<std::size_t>(order[first + k]) * dimension + d];
        coordinate_[(leaf * dimension + d) * kLeaf + k] = x;
        extent.include(x);
      }
      middle_[d * leaves_ + leaf] = (extent.low + extent.high) / 2;
      reach_[d * leaves_ + leaf] = (extent.high - extent.low) / 2;
    }
  }
}

void PricedPoints::set_price(std::size_t point, double price) {
  const double old = price_[point];
  price_[point] = price;
  const std::size_t leaf = point / kLeaf;
  double& top = top_price_[leaf];
  if (price >= top) {
    top = price;
  } else if (old == top) {
    top = *std::max_element(&price_[leaf * kLeaf], &price_[leaf * kLeaf] + kLeaf);
  }
}

double PricedPoints::cost(const double* buyer, std::size_t point) const {
  const double* x = &coordinate_[point / kLeaf * dimension_ * kLeaf + point % kLeaf];
  double sum = 0;
  for (std::size_t d = 0; d < dimension_; ++d) {
    const double apart = buyer[d] - x[d * kLeaf];
    const double shorter = torus_ ? wrapped_size(apart) : apart;
    sum += shorter * shorter;
  }
  return sum;
}

void PricedPoints::cheapest(const double* buyer, std::size_t count,
                            std::vector<Offer>& offers) const {
  offers.clear();
  std::vector<Offer> found;
  double level = kInfinity;
  const auto read = [&](std::size_t leaf) {
    found.clear();
    read_leaf(buyer, leaf, level, found);
    for (const Offer& offer : found) insert(offer, count, offers);
    if (offers.size() == count) level = offers.back().reduced;
  };
  const std::vector<double> bounds = leaf_bounds(buyer);
  const auto first =
      static_cast<std::size_t>(std::min_element(bounds.begin(), bounds.end()) - bounds.begin());
  read(first);
  // The most promising leaves first: the level falls soonest.
  std::vector<std::pair<double, std::size_t>> others;
  for (std::size_t leaf = 0; leaf < leaves_; ++leaf) {
    if (bounds[leaf] < level && leaf != first) others.emplace_back(bounds[leaf], leaf);
  }
  std::sort(others.begin(), others.end());
  for (const auto& [bound, leaf] : others) {
    if (bound >= level) break;
    read(leaf);
  }
}

void PricedPoints::below(const double* buyer, double level, std::vector<Offer>& offers) const {
  offers.clear();
  const std::vector<double> bounds = leaf_bounds(buyer);
  for (std::size_t leaf = 0; leaf < leaves_; ++leaf) {
    if (bounds[leaf] < level) read_leaf(buyer, leaf, level, offers);
  }
}

std::vector<double> PricedPoints::leaf_bounds(const double* buyer) const {
  std::vector<double> bounds(leaves_, 0.0);
  for (std::size_t d = 0; d < dimension_; ++d) {
    const double* middle = &middle_[d * leaves_];
    const double* reach = &reach_[d * leaves_];
    for (std::size_t leaf = 0; leaf < leaves_; ++leaf) {
      const double apart = std::fabs(buyer[d] - middle[leaf]);
      const double shorter = torus_ ? std::min(apart, kTurn - apart) : apart;
      const double outside = std::max(shorter - reach[leaf], 0.0);
      bounds[leaf] += outside * outside;
    }
  }
  // Less a little for rounding: no leaf may be passed over for it.
  for (std::size_t leaf = 0; leaf < leaves_; ++leaf)
    bounds[leaf] = bounds[leaf] * (1 - 1e-14) - top_price_[leaf];
  return bounds;
}

void PricedPoints::leaf_costs(const double* buyer, std::size_t leaf, double* costs) const {
  double sum[kLeaf] = {};  // its own array: the compiler knows that nothing else points here
  for (std::size_t d = 0; d < dimension_; ++d) {
    const double* x = &coordinate_[(leaf * dimension_ + d) * kLeaf];
    const double from = buyer[d];
    if (torus_) {
      for (std::size_t k = 0; k < kLeaf; ++k) {
        const double apart = std::fabs(from - x[k]), shorter = std::min(apart, kTurn - apart);
        sum[k] += shorter * shorter;
      }
    } else {
      for (std::size_t k = 0; k < kLeaf; ++k) sum[k] += (from - x[k]) * (from - x[k]);
    }
  }
  std::copy_n(sum, kLeaf, costs);
}

void PricedPoints::read_leaf(const double* buyer, std::size_t leaf, double level,
                             std::vector<Offer>& offers) const {
  double costs[kLeaf], reduced[kLeaf], least = kInfinity;
  leaf_costs(buyer, leaf, costs);
  const double* price = &price_[leaf * kLeaf];
  for (std::size_t k = 0; k < kLeaf; ++k) {
    reduced[k] = costs[k] - price[k];
    least = reduced[k] < least ? reduced[k] : least;
  }
  if (least >= level) return;
  for (std::size_t k = 0; k < kLeaf; ++k) {
    if (reduced[k] < level)
      offers.push_back({reduced[k], costs[k], static_cast<std::int32_t>(leaf * kLeaf + k)});
  }
}

}  // namespace arbg::metrics
