// A chain of four atoms that turns about its middle bond over three barriers; log Z is known.
#pragma once

#include <cmath>

#include "tests/sampling/known_answers.h"

namespace arbg::sampling {

inline constexpr double kBondWidth = 0.012, kAngleWidth = 0.3, kBarrier = 1.5;  // the barrier in kT

inline md::Molecule butane() {
  auto m = chain(4, kBondWidth, kAngleWidth);
  m.system.torsions.push_back({0, 1, 2, 3, 3, 0.5, kBarrier * kRt});
  return m;
}

inline double butane_log_z() {
  return 3 * std::log(bond_z(kBondWidth)) + 2 * std::log(angle_z(kAngleWidth)) +
         std::log(
             simpson([](double phi) { return std::exp(-kBarrier * (1 + std::cos(3 * phi - 0.5))); },
                     -kPi, kPi));
}

}  // namespace arbg::sampling
