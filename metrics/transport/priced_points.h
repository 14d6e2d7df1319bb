// n points with prices, searched for the cheapest: the columns of an assignment problem between two
// clouds of points, whose n x n costs are never stored.
//
// The cost of a point x for a buyer at y is the squared distance of the two, its reduced cost the
// cost minus the price v(x). Points lie in leaves of 64 neighbours, made by halving the cloud along
// its widest coordinate (Bentley, "Multidimensional binary search trees used for associative
// searching", CACM 18, 1975). No reduced cost of a leaf is below the squared distance to its box
// minus its highest price: in few dimensions a search reads few leaves, in many it reads all, in
// vector registers either way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace arbg::metrics {

enum class Geometry { kTorus, kSpace };  // coordinates in [-pi, pi], wrapped; or on the line

// The indices 0 ... n-1 of points [n, D] such that neighbours in space are mostly neighbours in the
// list, and every 64 from the start on are a leaf.
std::vector<std::int32_t> leaf_order(std::span<const double> points, std::size_t dimension);

class PricedPoints {
 public:
  struct Offer {
    double reduced, cost;
    std::int32_t point;
  };

  // Points [n, D], n >= 1, indexed from here on by their place in `order` = leaf_order(points, D).
  // All prices are 0.
  PricedPoints(std::span<const double> points, std::size_t dimension, Geometry geometry,
               std::span<const std::int32_t> order);

  std::size_t size() const { return size_; }
  double price(std::size_t point) const { return price_[point]; }
  void set_price(std::size_t point, double price);

  double cost(const double* buyer, std::size_t point) const;

  // The `count` <= n offers of least reduced cost to the buyer, cheapest first.
  void cheapest(const double* buyer, std::size_t count, std::vector<Offer>& offers) const;

  // Every offer of a reduced cost below `level`.
  void below(const double* buyer, double level, std::vector<Offer>& offers) const;

 private:
  std::vector<double> leaf_bounds(const double* buyer) const;
  void leaf_costs(const double* buyer, std::size_t leaf, double* costs) const;
  void read_leaf(const double* buyer, std::size_t leaf, double level,
                 std::vector<Offer>& offers) const;
  std::size_t size_, dimension_, leaves_;
  bool torus_;
  std::vector<double> coordinate_;      // [leaf, D, 64]
  std::vector<double> price_;           // [leaf, 64]; -infinity where the last leaf has no point
  std::vector<double> top_price_;       // [leaf]
  std::vector<double> middle_, reach_;  // [D, leaf]: a leaf's box is middle +- reach
};

}  // namespace arbg::metrics
