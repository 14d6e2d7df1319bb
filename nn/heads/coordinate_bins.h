// The only code that does arithmetic with bins: V uniform bins on [low_j, high_j) for each
// coordinate j.
//
// h_j = (high_j - low_j) / V; encode(x) = floor((x - low_j) / h_j); decode(k, U) = low_j + (k + U)
// h_j, nudged to the next number so that encode() gives k back in the precision it is stored in. A
// density in coordinates is log q(x) = sum_j (log P(k_j) - log h_j). Periodic coordinates are
// wrapped into [low_j, high_j) first; of others, what is outside (or not a number) is kOutside,
// never clamped.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/base/json.h"

namespace arbg::nn {

class CoordinateBins {
 public:
  struct Axis {
    double low, high;
    bool periodic = false;
  };
  static constexpr std::int32_t kOutside = -1;

  // Throws Error for an empty or unbounded axis, or bins too narrow to hold several float32 numbers
  // each.
  CoordinateBins(std::int64_t bins, std::vector<Axis> axes);

  std::int64_t bins() const { return bins_; }                                           // V
  std::int64_t coordinates() const { return static_cast<std::int64_t>(axes_.size()); }  // K
  const Axis& axis(std::int64_t j) const { return axes_[static_cast<std::size_t>(j)]; }
  double width(std::int64_t j) const;                // h_j
  double log_width(std::int64_t j) const;            // log h_j
  double log_volume() const { return log_volume_; }  // sum_j log h_j: the same for every cell

  // The bin of x, or kOutside.
  std::int32_t encode(std::int64_t j, double x) const;
  // A point of bin k, `fraction` in [0, 1) of the way; stored as double or as float. Throws Error
  // if k is no bin.
  double decode(std::int64_t j, std::int32_t k, double fraction) const;
  float decode_float(std::int64_t j, std::int32_t k, double fraction) const;
  // Where x lies in bin k = encode(x): (x - low_j) / h_j - k - 1/2, from -1/2 to 1/2.
  double place_in_bin(std::int64_t j, std::int32_t k, double x) const;

  // Rows of K coordinates -> rows of K tokens. Returns the number of rows with a coordinate
  // outside; if given, adds to outside[j] the rows in which coordinate j is.
  std::int64_t encode_rows(std::span<const double> x, std::span<std::int32_t> tokens,
                           std::span<std::int64_t> outside = {}) const;

  Json to_json() const;  // {"bins": V, "low": [...], "high": [...], "periodic": [...]}
  static CoordinateBins from_json(const Json& json);

 private:
  template <class T>
  T decode_as(std::int64_t j, std::int32_t k, double fraction) const;

  std::int64_t bins_;
  std::vector<Axis> axes_;
  double log_volume_ = 0;
};

}  // namespace arbg::nn
