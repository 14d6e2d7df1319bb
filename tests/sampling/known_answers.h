// Targets whose partition functions are known, and generators that lie near them.
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "sampling/targets/potential.h"
#include "tests/sampling/small_generators.h"

namespace arbg::sampling {

inline constexpr double kPi = std::numbers::pi;

inline double simpson(const std::function<double(double)>& f, double lo, double hi) {
  constexpr int kIntervals = 2000;
  const double h = (hi - lo) / kIntervals;
  double sum = f(lo) + f(hi);
  for (int i = 1; i < kIntervals; ++i) sum += f(lo + i * h) * (i % 2 == 1 ? 4 : 2);
  return sum * h / 3;
}

inline double boltzmann(double value, double mean, double width) {
  return std::exp(-0.5 * std::pow((value - mean) / width, 2));
}

inline double bond_z(double width) {
  return simpson([&](double r) { return r * r * boltzmann(r, kLength, width); }, 0, 0.6);
}
inline double angle_z(double width) {
  return simpson([&](double theta) { return std::sin(theta) * boltzmann(theta, kAngle, width); }, 0,
                 kPi);
}

// A generator near the target: the bias of each coordinate is log `density` at bin centres, and the
// rest of the network bends the conditionals a little.
inline Generator near_generator(std::unique_ptr<md::CoordinateMap> map, std::int64_t bins,
                                const std::function<double(const md::Coordinate&, double)>& density,
                                nn::Backend backend = nn::Backend::cpu,
                                const std::optional<Told>& told = {},
                                nn::WithinBins within = nn::WithinBins::uniform) {
  const auto axes = bins_of(*map, bins);
  std::vector<double> counts;
  for (std::int64_t j = 0; j < axes.coordinates(); ++j) {
    for (std::int64_t v = 0; v < bins; ++v) {
      const double centre = axes.axis(j).low + (static_cast<double>(v) + 0.5) * axes.width(j);
      counts.push_back(1000 * density(map->coordinates()[static_cast<std::size_t>(j)], centre));
    }
  }
  const auto prepare = [&](nn::Transformer& network) {
    network.initialise_from_marginals(counts);
    stir(network, "output_proj", 0.1);
  };
  return small_generator(std::move(map), bins, backend, told, prepare, within);
}

// Atoms on springs, each step coupled to the next: u = sum k/2 |r_i|^2 + c sum r_i . r_{i+1} over
// the steps r_i = x_{i+1} - x_i, which are Gaussian. Positions in the order of the chain.
class SpringChain final : public Potential {
 public:
  SpringChain(int atoms, double k, double c) : atoms_(atoms), k_(k), c_(c) {}

  std::vector<double> reduced_energy(std::span<const double> x,
                                     std::span<double> gradient) const override {
    const auto size = static_cast<std::size_t>(3 * atoms_);
    std::vector<double> u(x.size() / size, 0.0);
    std::ranges::fill(gradient, 0.0);
    for (std::size_t b = 0; b < u.size(); ++b) {
      for (std::size_t i = b * size; i + 3 < (b + 1) * size; ++i) {
        const double step = x[i + 3] - x[i];
        const double next = i + 6 < (b + 1) * size ? x[i + 6] - x[i + 3] : 0;
        const double last = i >= b * size + 3 ? x[i] - x[i - 3] : 0;
        u[b] += 0.5 * k_ * step * step + c_ * step * next;
        const double slope = k_ * step + c_ * (next + last);
        if (!gradient.empty()) gradient[i] -= slope, gradient[i + 3] += slope;
      }
    }
    return u;
  }
  std::unique_ptr<Potential> restricted(std::span<const int> atoms) const override {
    return std::make_unique<SpringChain>(static_cast<int>(atoms.size()), k_, c_);
  }

  // The Cartesian map's Z: the integral over the steps, over the 8 pi^2 of rotations. The matrix of
  // one axis is tridiagonal, its determinant the continuant d_n = k d_{n-1} - c^2 d_{n-2}.
  double log_z() const {
    double before = 1, determinant = k_;
    for (int n = 2; n < atoms_; ++n) {
      before = std::exchange(determinant, k_ * determinant - c_ * c_ * before);
    }
    return 1.5 * ((atoms_ - 1) * std::log(2 * kPi) - std::log(determinant)) -
           std::log(8 * kPi * kPi);
  }

 private:
  int atoms_;
  double k_, c_;
};

}  // namespace arbg::sampling
