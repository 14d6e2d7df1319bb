// How a coordinate is spread within its bin (binned.h), at t from -1/2 at the lower edge to 1/2 at
// the upper one.
//
//   uniform:  1
//   sloped:   1 + a t,   a of the bins beside it (tensor/ops/bin_slope.h), |a| <= 1.8
//
// is the density there times the bin's width: both integrate to 1. In a checkpoint's description,
// and in a run's settings, the member "within_bins" is "sloped"; where it is not, bins are uniform,
// as they were before there was a choice.
#pragma once

#include <string>

#include "tensor/base/json.h"

namespace arbg::nn {

enum class WithinBins { uniform, sloped };

inline constexpr const char* kWithinBins = "within_bins";

const char* name_of(WithinBins within);
WithinBins within_bins_named(const std::string& name);  // throws Error for another name

// What a description says, and to say it in one.
WithinBins within_bins_of(const Json& description);
void say_within_bins(Json& description, WithinBins within);

// The share f in [0, 1) of the way through a bin of slope a, below which lies the share u of its
// probability: the root of a/2 f^2 + (1 - a/2) f = u. Of slope 0 u itself, to the bit.
double sloped_place(double u, double slope);

// log(1 + a t)
double log_sloped(double slope, double t);

}  // namespace arbg::nn
