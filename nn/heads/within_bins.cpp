#include "nn/heads/within_bins.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::nn {

const char* name_of(WithinBins within) {
  return within == WithinBins::sloped ? "sloped" : "uniform";
}

WithinBins within_bins_named(const std::string& name) {
  if (name == "uniform") return WithinBins::uniform;
  require(name == "sloped", "a density within bins is sloped or uniform, not '", name, "'");
  return WithinBins::sloped;
}

WithinBins within_bins_of(const Json& description) {
  if (!description.is_object() || !description.has(kWithinBins)) return WithinBins::uniform;
  return within_bins_named(description.at(kWithinBins).string());
}

void say_within_bins(Json& description, WithinBins within) {
  if (within == WithinBins::sloped || description.has(kWithinBins))
    description[kWithinBins] = name_of(within);
}

// The root in the form without a difference of near numbers, and with products that meet sums in
// fma() only: md/placement/placement_cuda.cu has these bits too.
double sloped_place(double u, double slope) {
  if (planted(Defect::slope_downhill)) slope = -slope;
  constexpr double kLast = 1 - 0x1p-53;  // below 1
  const double b = 1 - slope / 2;        // 0.1 or more
  return std::min(2 * u / (b + std::sqrt(std::fma(b, b, 2 * slope * u))), kLast);
}

double log_sloped(double slope, double t) {
  if (planted(Defect::slope_without_density)) return 0;
  return std::log1p(slope * t);
}

}  // namespace arbg::nn
