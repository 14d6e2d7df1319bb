#include "metrics/transport/assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "tensor/base/threads.h"

namespace arbg::metrics {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int32_t kNobody = -1;

constexpr std::size_t kListed = 16;  // columns a row
constexpr double kEpsilonFactor = 0.2;
constexpr double kLeastEpsilon = 1e-8;  // of the typical cost: prices still differ by it
// Bids per row that place nobody more: then a far point costs a price war, and the round ends. An
// unfinished one leaves valid prices too.
constexpr std::size_t kMostIdleBids = 2;

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

// A number for each point, the same for equal points.
std::vector<std::int32_t> number_distinct(const std::vector<double>& points,
                                          std::size_t dimension) {
  std::vector<std::int32_t> order(points.size() / dimension), number(order.size());
  std::iota(order.begin(), order.end(), 0);
  const auto point = [&](std::int32_t i) {
    return std::span(points).subspan(at(i) * dimension, dimension);
  };
  const auto before = [&](std::int32_t i, std::int32_t j) {
    return std::ranges::lexicographical_compare(point(i), point(j));
  };
  std::sort(order.begin(), order.end(), before);
  for (std::size_t k = 1; k < order.size(); ++k)
    number[at(order[k])] = number[at(order[k - 1])] + (before(order[k - 1], order[k]) ? 1 : 0);
  return number;
}

// Rows and columns are numbered by their places in leaf_order here.
class Solver {
 public:
  Solver(std::vector<double> rows, std::size_t dimension, PricedPoints columns)
      : dimension_(dimension),
        rows_(std::move(rows)),
        columns_(std::move(columns)),
        n_(columns_.size()),
        listed_(std::min(kListed, n_)),
        list_column_(n_ * listed_),
        list_cost_(n_ * listed_),
        bound_(n_),
        row_of_column_(n_, kNobody),
        column_of_row_(n_, kNobody),
        distinct_(number_distinct(rows_, dimension)),
        distance_(n_, kInfinity),
        base_(n_),
        parent_(n_),
        scanned_by_(n_, kNobody) {}

  void solve() {
    parallel_for(static_cast<std::int64_t>(n_),
                 [&](std::int64_t i) { make_list(static_cast<std::size_t>(i)); });
    const double typical = typical_cost();
    for (double epsilon = typical * kEpsilonFactor;
         epsilon > typical * kLeastEpsilon && epsilon > mean_step(); epsilon *= kEpsilonFactor) {
      hold_auction(epsilon);
    }
    free_all();
    for (std::size_t i = 0; i < n_; ++i) augment(static_cast<std::int32_t>(i));
  }

  std::int32_t column_of_row(std::size_t i) const { return column_of_row_[i]; }
  double price(std::size_t j) const { return columns_.price(j); }

 private:
  struct Choice {
    std::int32_t column = kNobody;
    double reduced = kInfinity, second = kInfinity;
  };
  struct Event {  // in a Dijkstra search
    double distance;
    std::int32_t what;  // a column is reached, or, as ~row, a row may offer columns not in its list
    bool operator<(const Event& other) const {  // a heap has its largest in front: the nearest
      return distance > other.distance || (distance == other.distance && what < other.what);
    }
  };

  const double* row(std::size_t i) const { return &rows_[i * dimension_]; }

  void make_list(std::size_t i) {
    std::vector<PricedPoints::Offer> offers;
    columns_.cheapest(row(i), listed_, offers);
    bound_[i] = listed_ < n_ ? offers.back().reduced : kInfinity;
    for (std::size_t k = 0; k < listed_; ++k) {
      list_column_[i * listed_ + k] = offers[k].point;
      list_cost_[i * listed_ + k] = offers[k].cost;
    }
  }

  double reduced(std::size_t i, std::size_t k) const {
    return list_cost_[i * listed_ + k] - columns_.price(at(list_column_[i * listed_ + k]));
  }

  // The median between rows and columns half a cloud apart: the scale of the costs, wherever a few
  // far points are. The mean, where half of these are at one place.
  double typical_cost() const {
    std::vector<double> costs(n_);
    for (std::size_t i = 0; i < n_; ++i) costs[i] = columns_.cost(row(i), (i + n_ / 2) % n_);
    std::ranges::nth_element(costs, costs.begin() + static_cast<std::ptrdiff_t>(n_ / 2));
    if (costs[n_ / 2] > 0) return costs[n_ / 2];
    return std::accumulate(costs.begin(), costs.end(), 0.0) / static_cast<double>(n_);
  }

  // By how much the columns of a list differ: the scale below which an auction has no more to sort.
  double mean_step() const {
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      double least = kInfinity, most = -kInfinity;
      for (std::size_t k = 0; k < listed_; ++k) {
        least = std::min(least, reduced(i, k));
        most = std::max(most, reduced(i, k));
      }
      sum += (most - least) / static_cast<double>(listed_);
    }
    return sum / static_cast<double>(n_);
  }

  void free_all() {
    std::fill(row_of_column_.begin(), row_of_column_.end(), kNobody);
    std::fill(column_of_row_.begin(), column_of_row_.end(), kNobody);
  }

  void hold_auction(double epsilon) {
    free_all();
    std::vector<std::int32_t> waiting(n_);
    std::iota(waiting.rbegin(), waiting.rend(), 0);
    std::size_t fewest = n_;
    for (std::size_t idle = 0; !waiting.empty() && idle < kMostIdleBids * n_; ++idle) {
      if (waiting.size() < fewest) {
        fewest = waiting.size();
        idle = 0;
      }
      const std::int32_t i = waiting.back();
      waiting.pop_back();
      const Choice choice = choose(at(i), epsilon);
      const std::size_t j = at(choice.column);
      const double lead = n_ > 1 ? choice.second - choice.reduced : 0;
      columns_.set_price(j, columns_.price(j) - lead - epsilon);
      if (row_of_column_[j] != kNobody) waiting.push_back(row_of_column_[j]);
      row_of_column_[j] = i;
    }
  }

  // A row's cheapest column and what the others cost at least. A column dearer than one outside the
  // list may be, but by less than half of epsilon, will do: its price still falls by the other
  // half, and ends within epsilon of the cheapest.
  Choice choose(std::size_t i, double epsilon) {
    Choice choice = choose_listed(i);
    if (choice.reduced > bound_[i] + epsilon / 2) {
      make_list(i);
      choice = choose_listed(i);
    }
    choice.second = std::min(choice.second, bound_[i]);
    return choice;
  }

  Choice choose_listed(std::size_t i) const {
    Choice choice;
    for (std::size_t k = 0; k < listed_; ++k) {
      const double r = reduced(i, k);
      if (r < choice.reduced) {
        choice = {list_column_[i * listed_ + k], r, choice.reduced};
      } else if (r < choice.second) {
        choice.second = r;
      }
    }
    return choice;
  }

  // Dijkstra from a free row over reduced costs, through the rows of owned columns, to the nearest
  // free column; then owners along the path change and the prices of closed columns fall.
  void augment(std::int32_t free_row) {
    events_.clear();
    closed_.clear();
    length_ = kInfinity;
    scan(free_row, 0.0, free_row);
    while (!events_.empty() && events_.front().distance < length_) {
      std::pop_heap(events_.begin(), events_.end());
      const Event event = events_.back();
      events_.pop_back();
      if (event.what < 0) {
        look_beyond_list(at(~event.what), event.distance);
      } else if (event.distance == distance_[at(event.what)]) {
        close(at(event.what), free_row);
      }
    }
    for (const Event& c : closed_) {
      const double v = columns_.price(at(c.what));
      columns_.set_price(at(c.what), v + (c.distance - length_));
    }
    for (const std::int32_t j : reached_) distance_[at(j)] = kInfinity;
    reached_.clear();
    flip_path(free_row);
  }

  void close(std::size_t j, std::int32_t free_row) {
    const double reached = distance_[j];
    closed_.push_back({reached, static_cast<std::int32_t>(j)});
    distance_[j] = -kInfinity;  // never reached again
    const std::int32_t i = row_of_column_[j];
    scan(i, reached - (columns_.cost(row(at(i)), j) - columns_.price(j)), free_row);
  }

  // Offers a row's columns at `base` plus their reduced cost. Of equal points only the first is
  // asked: the others are further away and offer the same.
  void scan(std::int32_t i, double base, std::int32_t search) {
    std::int32_t& scanned_by = scanned_by_[at(distinct_[at(i)])];
    if (scanned_by == search) return;
    scanned_by = search;
    base_[at(i)] = base;
    offer_list(at(i));
  }

  void offer_list(std::size_t i) {
    for (std::size_t k = 0; k < listed_; ++k)
      offer(i, list_column_[i * listed_ + k], base_[i] + reduced(i, k));
    push({base_[i] + bound_[i], ~static_cast<std::int32_t>(i)});
  }

  void look_beyond_list(std::size_t i, double distance) {
    make_list(i);
    if (base_[i] + bound_[i] > distance) return offer_list(i);
    columns_.below(row(i), length_ - base_[i], beyond_);  // ties longer than a list
    for (const auto& o : beyond_) offer(i, o.point, base_[i] + o.reduced);
  }

  void offer(std::size_t i, std::int32_t j, double distance) {
    double& known = distance_[at(j)];
    if (distance >= known || distance >= length_) return;
    if (known == kInfinity) reached_.push_back(j);
    known = distance;
    parent_[at(j)] = static_cast<std::int32_t>(i);
    if (row_of_column_[at(j)] == kNobody) {
      length_ = distance;
      nearest_free_ = j;
    } else {
      push({distance, j});
    }
  }

  void push(const Event& event) {
    if (event.distance >= length_) return;
    events_.push_back(event);
    std::push_heap(events_.begin(), events_.end());
  }

  void flip_path(std::int32_t free_row) {
    std::int32_t i = kNobody;
    for (std::int32_t j = nearest_free_; i != free_row;) {
      i = parent_[at(j)];
      row_of_column_[at(j)] = i;
      std::swap(column_of_row_[at(i)], j);
    }
  }

  std::size_t dimension_;
  std::vector<double> rows_;  // [n, D]
  PricedPoints columns_;
  std::size_t n_, listed_;
  std::vector<std::int32_t> list_column_;  // [n, listed]
  std::vector<double> list_cost_;          // [n, listed]
  std::vector<double> bound_;              // of the reduced costs of columns not listed
  std::vector<std::int32_t> row_of_column_, column_of_row_;  // the latter only in augment
  // One Dijkstra search: lengths from the free row, in reduced cost.
  std::vector<std::int32_t> distinct_;
  std::vector<double> distance_;          // of columns; -infinity once closed
  std::vector<double> base_;              // of rows scanned
  std::vector<std::int32_t> parent_;      // the row through which a column was reached
  std::vector<std::int32_t> scanned_by_;  // of distinct rows: the last search that came by
  std::vector<Event> events_, closed_;
  std::vector<std::int32_t> reached_;
  std::vector<PricedPoints::Offer> beyond_;
  double length_ = kInfinity;  // to the nearest free column so far
  std::int32_t nearest_free_ = kNobody;
};

}  // namespace

Assignment match_points(std::span<const double> rows, std::span<const double> columns,
                        std::size_t dimension, Geometry geometry) {
  const auto row_order = leaf_order(rows, dimension), column_order = leaf_order(columns, dimension);
  std::vector<double> sorted;
  sorted.reserve(rows.size());
  for (const std::int32_t i : row_order) {
    const auto point = rows.subspan(at(i) * dimension, dimension);
    sorted.insert(sorted.end(), point.begin(), point.end());
  }
  Solver solver(std::move(sorted), dimension,
                PricedPoints(columns, dimension, geometry, column_order));
  solver.solve();
  const std::size_t n = row_order.size();
  Assignment result{std::vector<std::int32_t>(n), std::vector<double>(n)};
  for (std::size_t k = 0; k < n; ++k) {
    result.column_of_row[at(row_order[k])] = column_order[at(solver.column_of_row(k))];
    result.column_price[at(column_order[k])] = solver.price(k);
  }
  return result;
}

}  // namespace arbg::metrics
