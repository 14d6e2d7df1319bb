#include "nn/heads/coordinate_bins.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::nn {
namespace {

constexpr double kFloatsPerBin = 8;  // enough for a float32 on either side of the middle
constexpr int kMostNudges = 16;

double wrap(double x, const CoordinateBins::Axis& axis) {
  const double period = axis.high - axis.low;
  const double wrapped = x - period * std::floor((x - axis.low) / period);
  return wrapped >= axis.low && wrapped < axis.high ? wrapped : axis.low;  // rounding at the seam
}

}  // namespace

CoordinateBins::CoordinateBins(std::int64_t bins, std::vector<Axis> axes)
    : bins_(bins), axes_(std::move(axes)) {
  require(bins >= 1 && bins <= (1 << 24), "the number of bins is ", bins, ", expected 1 to ",
          1 << 24);
  for (std::int64_t j = 0; j < coordinates(); ++j) {
    const auto [low, high, periodic] = axis(j);
    require(std::isfinite(low) && std::isfinite(high) && low < high, "coordinate ", j,
            ": the bins' range [", low, ", ", high, ") is empty or unbounded");
    const double float_spacing = 0x1.0p-23 * std::max(std::abs(low), std::abs(high));
    require(width(j) >= kFloatsPerBin * float_spacing, "coordinate ", j, ": ", bins, " bins on [",
            low, ", ", high, ") are narrower than ", kFloatsPerBin,
            " steps of float32; use fewer bins");
    if (!planted(Defect::bins_without_width)) log_volume_ += log_width(j);
  }
}

double CoordinateBins::width(std::int64_t j) const {
  return (axis(j).high - axis(j).low) / static_cast<double>(bins_);
}

double CoordinateBins::log_width(std::int64_t j) const { return std::log(width(j)); }

std::int32_t CoordinateBins::encode(std::int64_t j, double x) const {
  const Axis& range = axis(j);
  if (!std::isfinite(x)) return kOutside;
  if (range.periodic) x = wrap(x, range);
  if (planted(Defect::outside_clamped))
    x = std::clamp(x, range.low, std::nextafter(range.high, range.low));
  if (x < range.low || x >= range.high) return kOutside;
  if (planted(Defect::bins_rounded))
    return static_cast<std::int32_t>(
        std::lround((x - range.low) / (range.high - range.low) * static_cast<double>(bins_ - 1)));
  // A number just below `high` is inside, even where the quotient rounds up to V.
  const auto k = static_cast<std::int64_t>(std::floor((x - range.low) / width(j)));
  return static_cast<std::int32_t>(std::min(k, bins_ - 1));
}

template <class T>
T CoordinateBins::decode_as(std::int64_t j, std::int32_t k, double fraction) const {
  require(k >= 0 && k < bins_, "coordinate ", j, ": there is no bin ", k, " among ", bins_);
  require(fraction >= 0 && fraction < 1, "a place within a bin is a number in [0, 1), not ",
          fraction);
  const double low = axis(j).low, h = width(j);
  if (planted(Defect::bins_rounded))
    return static_cast<T>(low +
                          k * h * static_cast<double>(bins_) / static_cast<double>(bins_ - 1) +
                          (fraction - 0.5) * h);
  const T middle = static_cast<T>(low + (k + 0.5) * h);
  T x = static_cast<T>(low + (k + fraction) * h);
  // Near zero, neighbours of x are closer together than x - low can resolve: a nudge is at least a
  // grain.
  const double grain = 0x1.0p-52 * std::max(std::abs(low), std::abs(axis(j).high));
  for (int nudge = 0; nudge < kMostNudges; ++nudge) {
    if (encode(j, static_cast<double>(x)) == k) return x;
    const T next = std::nextafter(x, middle);
    x = x < middle ? std::max(next, static_cast<T>(static_cast<double>(x) + grain))
                   : std::min(next, static_cast<T>(static_cast<double>(x) - grain));
  }
  fail("coordinate ", j, ": bin ", k, " holds no number near the fraction ", fraction);
}

double CoordinateBins::decode(std::int64_t j, std::int32_t k, double fraction) const {
  return decode_as<double>(j, k, fraction);
}

float CoordinateBins::decode_float(std::int64_t j, std::int32_t k, double fraction) const {
  return decode_as<float>(j, k, fraction);
}

double CoordinateBins::place_in_bin(std::int64_t j, std::int32_t k, double x) const {
  if (axis(j).periodic) x = wrap(x, axis(j));
  return (x - axis(j).low) / width(j) - k - 0.5;
}

std::int64_t CoordinateBins::encode_rows(std::span<const double> x, std::span<std::int32_t> tokens,
                                         std::span<std::int64_t> outside) const {
  const auto K = axes_.size();
  require(x.size() == tokens.size() && K > 0 && x.size() % K == 0, "expected rows of ", K,
          " coordinates and as many tokens, found ", x.size(), " and ", tokens.size());
  require(outside.empty() || outside.size() == K, "expected ", K, " counters, found ",
          outside.size());
  std::int64_t rows_outside = 0;
  for (std::size_t row = 0; row < x.size(); row += K) {
    bool inside = true;
    for (std::size_t j = 0; j < K; ++j) {
      const auto k = encode(static_cast<std::int64_t>(j), x[row + j]);
      tokens[row + j] = k;
      if (k != kOutside) continue;
      inside = false;
      if (!outside.empty()) ++outside[j];
    }
    if (!inside) ++rows_outside;
  }
  return rows_outside;
}

Json CoordinateBins::to_json() const {
  Json low = Json::list(), high = Json::list(), periodic = Json::list();
  for (const auto& range : axes_) {
    low.push_back(range.low);
    high.push_back(range.high);
    periodic.push_back(range.periodic);
  }
  Json json = Json::object();
  json["bins"] = bins_;
  json["low"] = low;
  json["high"] = high;
  json["periodic"] = periodic;
  return json;
}

CoordinateBins CoordinateBins::from_json(const Json& json) {
  const auto &low = json.at("low").items(), &high = json.at("high").items(),
             &periodic = json.at("periodic").items();
  require(low.size() == high.size() && low.size() == periodic.size(), "the bins have ", low.size(),
          " low ends, ", high.size(), " high ends and ", periodic.size(), " periodic flags");
  std::vector<Axis> axes;
  for (std::size_t j = 0; j < low.size(); ++j) {
    axes.push_back({low[j].number(), high[j].number(), periodic[j].boolean()});
  }
  return CoordinateBins(json.at("bins").integer(), std::move(axes));
}

}  // namespace arbg::nn
