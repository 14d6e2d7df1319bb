// The slowest motions of a reference, and whether samples are spread over them as it is.
//
// Time-lagged independent components (metrics/motions/tica.h) of the published features
// (metrics/motions/tica_features.h: distances between atoms C, N and S; sines and cosines of phi,
// psi and omega) are fitted to the frames of the reference, replica by replica, and samples are
// projected onto the first two of them. TICA-W2 is the exact transport distance in that plane; JSD
// compares the shares of 20 clusters of the reference there.
//
// The fit takes 3 F^2 multiplications for each frame of F features: a long reference of a large
// molecule is fitted to every k-th frame of a replica, k a divisor of the lag, which stays.
#pragma once

#include <string>
#include <vector>

#include "metrics/motions/kmeans.h"
#include "metrics/motions/tica.h"
#include "metrics/motions/tica_features.h"
#include "sampling/evaluation/ensembles.h"
#include "tensor/base/json.h"

namespace arbg::sampling {

struct TicaOptions {
  std::size_t lag = 100;  // frames of a replica
  bool reweight = true;   // by Koopman weights, unless they make an eigenvalue of 1 or more
  double most_multiplications = 1e12;  // of a fit, where a k is large enough: a minute
};

inline constexpr std::size_t kSlowComponents = 2;
inline constexpr std::int64_t kClusteredFrames = 10000;  // at most, evenly spaced

// Fitted once, so that other samples are projected alike.
struct SlowComponents {
  metrics::Tica tica;
  metrics::TicaFeatures features;  // by the atoms of the reference they were fitted to
  metrics::Clusters clusters;
};

// Throws Error as fit_tica() and k_means() do: for replicas that are no longer than the lag, say.
SlowComponents fit_slow_components(const ReferenceEnsemble& reference, const TicaOptions& options,
                                   std::uint64_t seed);

// [rows, 2] of conformations [rows, N, 3] in nm of N atoms, in the order that the features are of.
std::vector<double> project(const SlowComponents& components, std::size_t atom_count,
                            std::span<const double> positions_nm);

// All of it, atoms by residue and name ("ALA2:CA"), so that the atoms of a molecule may come in any
// order. from_json() throws Error for what is missing or does not fit together, for other features
// than those above, and for another molecule than that of the topology.
Json to_json(const SlowComponents& components, const md::Topology& topology);
SlowComponents slow_components_from_json(const Json& json, const md::Topology& topology);

}  // namespace arbg::sampling
