// What a run of dynamics says of its own convergence.
//
// Of every backbone torsion (phi, psi, omega) and chi1: the integrated autocorrelation time
// (metrics/statistics/autocorrelation.h) and the effective number of frames. Replicas stand one
// after the other in one series about one mean, so that replicas that stay in different states show
// as a time as long as a replica. And the floor of T-W2: all phi and psi of the first half of the
// replicas against those of the second. And whether replicas agree (agreement.h).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "md/molecule/topology.h"
#include "sampling/evaluation/agreement.h"

namespace arbg::sampling {

struct TorsionConvergence {
  std::string name;  // "psi ALA2"
  double time_ps;    // to the next independent frame; at least the spacing of the frames used
  double effective_frames;
  bool reliable;  // otherwise the series is too short, and the time an underestimate
};

struct Convergence {
  std::size_t frames = 0;  // used
  double spacing_ps = 0;   // between them, in one replica
  std::vector<TorsionConvergence> torsions;
  std::vector<std::vector<double>> angles;  // [torsions][frames] radians, replica by replica
  double torsion_floor_rad = 0;
  std::size_t floor_points = 0;  // frames a side in the floor; 0: too few to tell
  Agreement agreement;

  const TorsionConvergence& slowest() const;  // throws Error if there are no torsions
};

// Frames [frames, N, 3] in nm, of so many replicas, replica by replica, as many of each, evenly
// spaced in time. With fewer than two of them there is nothing to tell, and no torsion in the
// result.
Convergence assess_convergence(const md::Topology& topology, std::span<const double> positions_nm,
                               std::int64_t replicas, double spacing_ps);

}  // namespace arbg::sampling
