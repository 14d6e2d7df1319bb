// The slowest motions of a reference, and whether samples are spread over them as it is.
//
// Time-lagged independent components (metrics/tica.h) of the published features
// (metrics/tica_features.h: distances between atoms C, N and S; sines and cosines of phi, psi and
// omega) are fitted to all frames of the reference, replica by replica, and samples are projected
// onto the first two of them. TICA-W2 is the exact transport distance in that plane; JSD compares
// the shares of 20 clusters of the reference there.
#pragma once

#include <string>
#include <vector>

#include "metrics/kmeans.h"
#include "metrics/tica.h"
#include "sampling/evaluation/ensembles.h"

namespace arbg::sampling {

struct TicaOptions {
  std::size_t lag = 100;  // frames of a replica
  bool reweight = true;   // by Koopman weights, unless they make an eigenvalue of 1 or more
};

inline constexpr std::size_t kSlowComponents = 2;
inline constexpr std::int64_t kClusteredFrames = 10000;  // at most, evenly spaced

// Fitted once, so that other samples are projected alike.
struct SlowComponents {
  metrics::Tica tica;
  metrics::Clusters clusters;
};

// Throws Error as fit_tica() and k_means() do: for replicas that are no longer than the lag, say.
SlowComponents fit_slow_components(const ReferenceEnsemble& reference, const TicaOptions& options,
                                   std::uint64_t seed);

// [rows, 2] of conformations [rows, N, 3] in nm, whose atoms are in the topology's order.
std::vector<double> project(const metrics::Tica& tica, const md::Topology& topology,
                            std::span<const double> positions_nm);

}  // namespace arbg::sampling
