// The assignment of least cost between two clouds of n points, exactly: the permutation p that
// minimises sum_i c(i, p(i)), c the squared distance, in memory that grows as n.
//
// Points of the first cloud, the rows, buy points of the second, the columns. In an auction a row
// takes its cheapest column and lowers its price by its lead over the second cheapest plus epsilon;
// the former owner must look elsewhere. Epsilon falls from round to round, each of which starts
// from the prices of the last (Bertsekas, "The auction algorithm", Annals of Operations Research
// 14, 1988). From the last prices every row is placed by one Dijkstra search for a shortest
// augmenting path, which leaves no epsilon (Jonker and Volgenant, Computing 38, 1987).
//
// Each row keeps a short list of its cheapest columns and a bound that no column outside it was
// below. As prices only ever fall, reduced costs only rise and the bound stays true; where a
// decision needs what lies beyond it, the list is made anew (metrics/transport/priced_points.h). So
// nothing is left out, although few of the n^2 costs are computed.
//
// All arithmetic is in double. The prices v prove the result: sum_i min_j (c(i,j) - v(j)) + sum_j
// v(j) is a lower bound of every assignment's cost, for any v, and equals the cost of this one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metrics/transport/priced_points.h"

namespace arbg::metrics {

struct Assignment {
  std::vector<std::int32_t> column_of_row;  // [n], a permutation
  std::vector<double> column_price;         // [n], the dual variables v
};

// Both clouds [n, D], n >= 1; coordinates finite, on the torus within [-pi, pi]. About n^1.5
// operations in few dimensions, n^2 in many; n^3 at worst. The same result for any thread count.
Assignment match_points(std::span<const double> rows, std::span<const double> columns,
                        std::size_t dimension, Geometry geometry);

}  // namespace arbg::metrics
