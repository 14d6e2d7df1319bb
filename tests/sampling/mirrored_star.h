// A molecule of which either hand is as likely, and a generator that proposes both.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/sampling/small_generators.h"

namespace arbg::sampling {

inline constexpr double kStarWidth = 0.04, kStarScale = 0.07;

// A centre with three neighbours on springs: no angle is stiff, either hand is as likely.
inline md::Molecule star() {
  auto m = md::molecule({"N", "CA", "C", "CB"}, {{0, 1}, {1, 2}, {1, 3}},
                        kRt / (kStarWidth * kStarWidth), 0);
  m.system.nonbonded.assign(4, {0, 0.1, 0});
  return m;
}

// Near normal coordinates of each atom, with conditionals that depend on what was drawn before, so
// that z and -z are not equally likely.
inline Generator star_generator(nn::Backend backend = nn::Backend::cpu,
                                nn::WithinBins within = nn::WithinBins::uniform) {
  auto map = md::make_cartesian_map(4, kStarScale, 4.5);
  nn::Transformer network(config_of(*map, 32), backend, 3);
  auto axes = bins_of(*map, 32);
  std::vector<double> counts;
  for (std::int64_t j = 0; j < axes.coordinates(); ++j) {
    for (int v = 0; v < 32; ++v) {
      const double y = axes.axis(j).low + (v + 0.5) * axes.width(j);
      counts.push_back(1000 * std::exp(-0.5 * std::pow((y - 0.2) / 1.3, 2)));
    }
  }
  network.initialise_from_marginals(counts);
  stir(network, "output_proj", 0.1);
  return {std::move(network), std::move(axes), std::move(map), {}, {}, within};
}

inline double star_log_z() {
  // Shapes of the right hand: three bonds, sin theta of two angles, half of the dihedrals.
  constexpr int kIntervals = 2000;
  double bond = 0;
  for (int i = 0; i < kIntervals; ++i) {
    const double r = 0.6 * (i + 0.5) / kIntervals;
    bond += 0.6 / kIntervals * r * r * std::exp(-0.5 * std::pow((r - kLength) / kStarWidth, 2));
  }
  return 3 * std::log(bond) + std::log(2 * 2 * std::numbers::pi);
}

}  // namespace arbg::sampling
