#include "metrics/pages/svg_axes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace arbg::metrics {

namespace {

constexpr const char* kMinus = "\xE2\x88\x92";      // U+2212
constexpr const char* kThinSpace = "\xE2\x80\xAF";  // U+202F, does not break
constexpr double kMostTicks = 50;

std::string superscript(int number) {
  static const char* const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result = number < 0 ? "⁻" : "";
  for (const char c : std::to_string(std::abs(number))) result += digits[c - '0'];
  return result;
}

// 1234567.5 -> "1 234 567.5", with a true minus sign.
std::string decimal(double value, int decimals) {
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", decimals, std::fabs(value));
  std::string digits = text;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  if (point > 4) {
    for (std::size_t k = point; k > 3;) digits.insert(k -= 3, kThinSpace);
  }
  const bool zero = digits.find_first_of("123456789") == std::string::npos;
  return (value < 0 && !zero ? kMinus : "") + digits;
}

// The first of 1, 2, 5, 10 times a power of ten that is at least `rough`.
double round_step(double rough) {
  const double decade = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * decade >= rough * (1 - 1e-9)) return factor * decade;
  }
  return 10 * decade;
}

}  // namespace

Scale::Scale(const Axis& axis, double low, double high)
    : logarithmic_(axis.logarithmic),
      tick_step_(axis.tick_step),
      low_(axis.low.value_or(low)),
      high_(axis.high.value_or(high)) {
  const bool usable = std::isfinite(low_) && std::isfinite(high_) && std::fabs(low_) < 1e300 &&
                      std::fabs(high_) < 1e300 && low_ <= high_ && (!logarithmic_ || low_ > 0);
  if (!usable) {
    low_ = logarithmic_ ? 0.1 : 0;
    high_ = 1;
  }
  // The range must be wide enough for its ticks to be told apart in double precision.
  const double least = logarithmic_ ? 0 : 1e-9 * std::max(std::fabs(low_), std::fabs(high_));
  if (logarithmic_ && high_ < low_ * 1.01) {
    low_ /= 2;
    high_ *= 2;
  } else if (!logarithmic_ && high_ - low_ <= least) {
    const double half = low_ == 0 ? 0.5 : 0.05 * std::fabs(low_);
    low_ -= half;
    high_ += half;
  }
}

bool Scale::shows(double value) const {
  return std::isfinite(value) && (!logarithmic_ || value > 0);
}

double Scale::position(double value) const {
  if (logarithmic_) return std::log(value / low_) / std::log(high_ / low_);
  return (value - low_) / (high_ - low_);
}

std::vector<Tick> Scale::ticks(int about) const {
  return logarithmic_ && high_ / low_ >= 20 ? decade_ticks(about) : linear_ticks(about);
}

std::vector<Tick> Scale::linear_ticks(int about) const {
  double step = round_step((high_ - low_) / about);
  if (tick_step_ > 0 && (high_ - low_) / tick_step_ < kMostTicks) step = tick_step_;
  const double largest = std::max(std::fabs(low_), std::fabs(high_));
  // Beyond plain figures the labels are multiples of one power of ten.
  const int exponent = static_cast<int>(std::floor(std::log10(largest)));
  const bool powers = exponent >= 7 || exponent <= -4;
  const double unit = powers ? std::pow(10.0, exponent) : 1;
  int decimals = 0;
  while (decimals < 10 && std::fabs(std::round(step / unit * std::pow(10, decimals)) -
                                    step / unit * std::pow(10, decimals)) > 1e-6) {
    ++decimals;
  }
  std::vector<Tick> ticks;
  const double first = std::ceil(low_ / step - 1e-9), last = std::floor(high_ / step + 1e-9);
  for (double k = first; k <= last; ++k) {
    const double value = k * step;
    if (logarithmic_ && value <= 0) continue;
    std::string label = decimal(value / unit, decimals);
    if (powers && value != 0) label += "×10" + superscript(exponent);
    ticks.push_back({value, label});
  }
  return ticks;
}

// Powers of ten, every so many of them; over less than three decades also their doubles and
// fivefolds.
std::vector<Tick> Scale::decade_ticks(int about) const {
  const int first = static_cast<int>(std::floor(std::log10(low_)));
  const int last = static_cast<int>(std::floor(std::log10(high_) + 1e-9));
  const bool between = high_ / low_ < 1000;
  const bool powers = last > 4 || first < -3;
  const int stride = std::max(1, (last - first + about - 1) / about);
  std::vector<Tick> ticks;
  for (int exponent = first; exponent <= last; exponent += stride) {
    for (const int factor : {1, 2, 5}) {
      const double value = factor * std::pow(10.0, exponent);
      if ((factor > 1 && !between) || value < low_ * (1 - 1e-9) || value > high_ * (1 + 1e-9))
        continue;
      const std::string times = factor > 1 ? std::to_string(factor) + "×" : "";
      ticks.push_back({value, powers ? times + "10" + superscript(exponent)
                                     : decimal(value, std::max(-exponent, 0))});
    }
  }
  return ticks;
}

}  // namespace arbg::metrics
