// Placement energies of no molecule: waves over the bins of every second coordinate, whose depth
// and phase depend on all coordinates before it.
#pragma once

#include <cmath>
#include <vector>

#include "nn/transformer/placement.h"

namespace arbg::nn {

class PrefixCurves final : public Placement {
 public:
  PrefixCurves(std::int64_t bins, const PlacementConfig& config)
      : bins_(bins), config_(config), moments_(config.components, bins, config.features / 2) {}

  bool has_curve(std::int64_t position) const override { return position % 2 == 1; }
  PlacementRows rows(const Tensor& z, std::int64_t first, std::int64_t n,
                     Backend backend) const override {
    PlacementRows out;
    out.told = true;
    const auto B = z.extent(0), width = z.extent(1), F = config_.features;
    const auto all = z.values();
    std::vector<std::int32_t> slot;
    std::int32_t S = 0;
    for (auto t = first; t < first + n; ++t) slot.push_back(has_curve(t) ? S++ : -1);
    if (S == 0) return out;
    std::vector<double> energies, features;
    for (std::int64_t b = 0; b < B; ++b) {
      for (auto t = first; t < first + n; ++t) {
        std::vector<double> moments(static_cast<std::size_t>(F));
        if (has_curve(t)) {
          const auto u = curve(std::span(all).subspan(static_cast<std::size_t>(b * width),
                                                      static_cast<std::size_t>(t)));
          energies.insert(energies.end(), u.begin(), u.end());
          moments_.evaluate(std::span<const double>(u), std::span(moments));
        }
        features.insert(features.end(), moments.begin(), moments.end());
      }
    }
    out.energies = Tensor::from_values(energies, {B, S, config_.components, bins_}, backend);
    out.slot = Tensor::from_indices(slot, {n}, backend);
    if (F > 0) out.features = Tensor::from_values(features, {B, n, F}, backend);
    return out;
  }

  // [c, V] of the position after these coordinates.
  std::vector<double> curve(std::span<const double> before) const {
    double phase = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      phase += before[i] * (1 + 0.3 * static_cast<double>(i));
    std::vector<double> u;
    for (std::int64_t c = 0; c < config_.components; ++c)
      for (std::int64_t v = 0; v < bins_; ++v)
        u.push_back((1 + std::sin(phase)) *
                    (1 + std::cos(phase + static_cast<double>((c + 1) * v))));
    return u;
  }

 private:
  std::int64_t bins_;
  PlacementConfig config_;
  CurveMoments moments_;
};

}  // namespace arbg::nn
