#include "metrics/assignment.h"

#include <cmath>
#include <limits>

#include "tensor/base/error.h"
#include "tensor/base/simd.h"

namespace arbg::metrics {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kWidth = kLaneCount<double>;
constexpr std::int64_t kNobody = -1;

using Doubles = Lanes<double>;

Doubles load_costs(const float* from) {
  using Floats __attribute__((vector_size(kLaneBytes / 2))) = float;
  Floats v;
  std::memcpy(&v, from, sizeof v);
  return __builtin_convertvector(v, Doubles);
}

class Solver {
 public:
  explicit Solver(const CostMatrix& costs)
      : costs_(costs),
        n_(costs.size()),
        stride_(costs.stride()),
        price_(stride_, 0.0),
        open_price_(stride_),
        distance_(stride_),
        parent_(stride_),
        row_of_column_(stride_, kNobody),
        column_of_row_(n_, kNobody) {}

  Assignment solve() {
    price_columns();
    bid_for_columns();
    for (std::size_t i = 0; i < n_; ++i) {
      if (column_of_row_[i] == kNobody) augment(i);
    }
    Assignment result;
    result.column_of_row.assign(column_of_row_.begin(), column_of_row_.end());
    result.column_price.assign(price_.begin(), price_.begin() + static_cast<std::ptrdiff_t>(n_));
    return result;
  }

 private:
  struct Closed {
    std::size_t column;
    double distance;
  };

  // v(j) = min_i c(i,j): no reduced cost c - v is negative then, and each column has a zero.
  void price_columns() {
    for (std::size_t j = 0; j < n_; ++j) price_[j] = kInfinity;
    for (std::size_t i = 0; i < n_; ++i) {
      const float* row = costs_.row(i);
      for (std::size_t j = 0; j < n_; ++j) {
        const double c = row[j];
        price_[j] = c < price_[j] ? c : price_[j];
      }
    }
  }

  // Each free row takes its cheapest column, lowers that column's price until it is as cheap as the
  // row's second choice, and frees the column's former row, which bids at once. No reduced cost
  // becomes negative and every assigned pair stays a row's cheapest. Without a minimal bid this may
  // creep, so the number of bids is limited.
  void bid_for_columns() {
    std::vector<std::size_t> waiting(n_), next;
    for (std::size_t i = 0; i < n_; ++i) waiting[i] = n_ - 1 - i;
    for (int pass = 0; pass < 2; ++pass) {
      std::size_t bids_left = kBidsPerRow * n_;
      while (!waiting.empty() && bids_left > 0) {
        const std::size_t i = waiting.back();
        waiting.pop_back();
        --bids_left;
        bid(i, waiting, next);
      }
      next.insert(next.end(), waiting.begin(), waiting.end());
      waiting.swap(next);
      next.clear();
    }
  }

  void bid(std::size_t i, std::vector<std::size_t>& waiting, std::vector<std::size_t>& next) {
    double cheapest, second;
    two_cheapest(i, cheapest, second);
    std::size_t j = column_at(i, cheapest, n_);
    const double gap = n_ > 1 ? second - cheapest : 0;  // a single column has no rival
    const double lowered = price_[j] - gap;
    const bool lowers = lowered < price_[j];
    if (!lowers && row_of_column_[j] != kNobody) j = column_at(i, second, j);
    if (lowers) price_[j] = lowered;
    const std::int64_t evicted = row_of_column_[j];
    row_of_column_[j] = static_cast<std::int64_t>(i);
    column_of_row_[i] = static_cast<std::int64_t>(j);
    if (evicted == kNobody) return;
    column_of_row_[static_cast<std::size_t>(evicted)] = kNobody;
    (lowers ? waiting : next).push_back(static_cast<std::size_t>(evicted));
  }

  void two_cheapest(std::size_t i, double& cheapest, double& second) const {
    const float* row = costs_.row(i);
    Doubles first = broadcast(kInfinity), runner_up = first;
    for (std::size_t j = 0; j < stride_; j += kWidth) {
      const Doubles reduced = load_costs(row + j) - load_lanes(&price_[j]);
      const auto better = reduced < first;
      const Doubles loser = select(better, first, reduced);
      first = select(better, reduced, first);
      runner_up = select(loser < runner_up, loser, runner_up);
    }
    cheapest = second = kInfinity;
    for (std::size_t k = 0; k < kWidth; ++k) {
      const double a = first[k], b = runner_up[k];
      second = std::fmin(second, a < cheapest ? std::fmin(cheapest, b) : a);
      cheapest = std::fmin(cheapest, a);
    }
  }

  // The column other than `except` whose reduced cost in row i is exactly `reduced`.
  std::size_t column_at(std::size_t i, double reduced, std::size_t except) const {
    const float* row = costs_.row(i);
    for (std::size_t j = 0; j < n_; ++j) {
      if (static_cast<double>(row[j]) - price_[j] == reduced && j != except) return j;
    }
    return except;
  }

  // Dijkstra from a free row over reduced costs, through the rows of assigned columns, to the
  // nearest free column; then the assignments along the path are flipped and the prices of closed
  // columns lowered.
  void augment(std::size_t free_row) {
    closed_.clear();
    open_price_ = price_;
    distance_.assign(stride_, kInfinity);
    std::size_t nearest = relax(free_row, 0.0);
    while (row_of_column_[nearest] != kNobody) {
      const double reached = distance_[nearest];
      const auto i = static_cast<std::size_t>(row_of_column_[nearest]);
      closed_.push_back({nearest, reached});
      distance_[nearest] = kInfinity;     // never the nearest again
      open_price_[nearest] = -kInfinity;  // and never reached again
      nearest = relax(i, reached - (static_cast<double>(costs_.row(i)[nearest]) - price_[nearest]));
    }
    const double length = distance_[nearest];
    for (const Closed& c : closed_) price_[c.column] += c.distance - length;
    flip_path(free_row, nearest);
  }

  // Offers every open column the way through row i, at `base` plus its reduced cost; returns the
  // nearest column.
  std::size_t relax(std::size_t i, double base) {
    const float* row = costs_.row(i);
    const Doubles start = broadcast(base);
    const auto via = LaneMask<double>{} + static_cast<std::int64_t>(i);
    Doubles shortest = broadcast(kInfinity);
    LaneMask<double> where = {};
    for (std::size_t j = 0; j < stride_; j += kWidth) {
      const Doubles offer = start + (load_costs(row + j) - load_lanes(&open_price_[j]));
      const Doubles old = load_lanes(&distance_[j]);
      const LaneMask<double> improves = offer < old;
      const Doubles updated = select(improves, offer, old);
      store_lanes(&distance_[j], updated);
      LaneMask<double> parent;
      std::memcpy(&parent, &parent_[j], sizeof parent);
      parent = (via & improves) | (parent & ~improves);
      std::memcpy(&parent_[j], &parent, sizeof parent);
      const LaneMask<double> shorter = updated < shortest;
      shortest = select(shorter, updated, shortest);
      where = ((LaneMask<double>{} + static_cast<std::int64_t>(j)) & shorter) | (where & ~shorter);
    }
    std::size_t best = 0;
    for (std::size_t k = 1; k < kWidth; ++k) {
      if (shortest[k] < shortest[best]) best = k;
    }
    return static_cast<std::size_t>(where[best]) + best;
  }

  void flip_path(std::size_t free_row, std::size_t column) {
    for (std::size_t i = n_; i != free_row;) {
      i = static_cast<std::size_t>(parent_[column]);
      row_of_column_[column] = static_cast<std::int64_t>(i);
      const std::int64_t former = column_of_row_[i];
      column_of_row_[i] = static_cast<std::int64_t>(column);
      column = static_cast<std::size_t>(former);
    }
  }

  static constexpr std::size_t kBidsPerRow = 20;
  const CostMatrix& costs_;
  std::size_t n_, stride_;
  std::vector<double> price_;         // v(j)
  std::vector<double> open_price_;    // v(j), or -infinity once the column is closed in this search
  std::vector<double> distance_;      // of open columns from the free row, in reduced cost
  std::vector<std::int64_t> parent_;  // the row through which an open or closed column was reached
  std::vector<std::int64_t> row_of_column_, column_of_row_;
  std::vector<Closed> closed_;
};

}  // namespace

CostMatrix::CostMatrix(std::size_t n)
    : n_(n), stride_((n + kWidth - 1) / kWidth * kWidth), data_(n * stride_) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = n; j < stride_; ++j) row(i)[j] = std::numeric_limits<float>::infinity();
  }
}

Assignment solve_assignment(const CostMatrix& costs) {
  for (std::size_t i = 0; i < costs.size(); ++i) {
    for (std::size_t j = 0; j < costs.size(); ++j) {
      const float c = costs.row(i)[j];
      require(std::isfinite(c), "expected finite costs in an assignment problem, found ", c,
              " in row ", i, ", column ", j);
    }
  }
  return Solver(costs).solve();
}

}  // namespace arbg::metrics
