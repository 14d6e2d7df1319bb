// The linear assignment problem, solved exactly: the permutation p that minimises sum_i c(i, p(i)).
//
// Shortest augmenting paths in the manner of Jonker and Volgenant, "A shortest augmenting path
// algorithm for dense and sparse linear assignment problems", Computing 38 (1987): columns are
// priced, free rows bid as in an auction while that lowers prices, and every row still free is
// placed by one Dijkstra search. All arithmetic on prices is in double. The prices v prove the
// result: sum_i min_j (c(i,j) - v(j)) + sum_j v(j) is a lower bound of every assignment's cost, for
// any v, and equals the cost of this one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace arbg::metrics {

// An n x n matrix of costs in float32, 400 MB for n = 10,000. Rows are padded with +infinity to a
// whole number of vector registers.
class CostMatrix {
 public:
  explicit CostMatrix(std::size_t n);
  std::size_t size() const { return n_; }
  std::size_t stride() const { return stride_; }
  float* row(std::size_t i) { return data_.data() + i * stride_; }
  const float* row(std::size_t i) const { return data_.data() + i * stride_; }

 private:
  std::size_t n_, stride_;
  std::vector<float> data_;
};

struct Assignment {
  std::vector<std::int32_t> column_of_row;  // [n], a permutation
  std::vector<double> column_price;         // [n], the dual variables v
};

// O(n^3) at worst; about n^2.5 on point clouds. Throws Error for a cost that is not finite, naming
// row and column.
Assignment solve_assignment(const CostMatrix& costs);

}  // namespace arbg::metrics
