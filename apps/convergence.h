// What an md run says of its own convergence.
//
// Of every backbone torsion (phi, psi, omega) and chi1, over at most 20,000 frames evenly spaced in
// time: the integrated autocorrelation time (metrics/autocorrelation.h) and the effective number of
// frames. Replicas stand one after the other in one series about one mean, so that replicas that
// stay in different states show as a time as long as a replica. And the floor of T-W2: all phi and
// psi of the first half of the replicas against those of the second.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tensor/base/json.h"

namespace arbg::apps {

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

  const TorsionConvergence& slowest() const;  // throws Error if there are no torsions
};

// Of a run folder with all its frames. Throws Error naming the file that is not as a run leaves it.
// With fewer than two frames there is nothing to tell, and no torsion in the result.
Convergence assess_convergence(const std::filesystem::path& folder);

Json to_json(const Convergence& convergence);

}  // namespace arbg::apps
