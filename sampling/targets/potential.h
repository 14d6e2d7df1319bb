// The reduced energy that samples are weighted to, as sequential Monte Carlo sees it.
//
// Target (target.h) is that of a molecule. Anything else with an energy of positions may stand in
// its place: tests use densities whose log Z is known.
#pragma once

#include <memory>
#include <span>
#include <vector>

namespace arbg::sampling {

class Potential {
 public:
  virtual ~Potential() = default;

  // u [B] of conformations [B, N, 3] in nm, in kT: infinity outside the target's support. If it is
  // not empty, gradient [B, N, 3] receives du/dx, zeros where u is infinite.
  virtual std::vector<double> reduced_energy(std::span<const double> positions_nm,
                                             std::span<double> gradient = {}) const = 0;

  // U of the first atoms alone, positions [B, n, 3] in the order of `atoms`: what is already known
  // of u when only they are placed. Any function is exact; it has to be infinite only where u is.
  virtual std::unique_ptr<Potential> restricted(std::span<const int> atoms) const = 0;
};

}  // namespace arbg::sampling
