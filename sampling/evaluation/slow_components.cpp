#include "sampling/evaluation/slow_components.h"

#include <algorithm>
#include <cmath>

#include "md/molecule/torsion_atoms.h"
#include "metrics/tica_features.h"

namespace arbg::sampling {
namespace {

metrics::TicaFeatures published_features(const md::Topology& topology) {
  metrics::TicaFeatures out;
  for (int i = 0; i < topology.atom_count(); ++i) {
    const std::string& element = topology.atoms[static_cast<std::size_t>(i)].element;
    if (element == "C" || element == "N" || element == "S") out.atoms.push_back(i);
  }
  const auto torsions = md::backbone_torsions(topology);
  for (const auto* kind : {&torsions.phi, &torsions.psi, &torsions.omega})
    out.torsions.insert(out.torsions.end(), kind->begin(), kind->end());
  return out;
}

// Of frames replica, replica + replicas, ... of a reference.
metrics::FeatureSeries series_of_replica(const ReferenceEnsemble& reference,
                                         const metrics::TicaFeatures& features,
                                         std::int64_t replica) {
  metrics::FeatureSeries out;
  const std::int64_t replicas = reference.replicas;
  out.frames = static_cast<std::size_t>((reference.frames() - replica + replicas - 1) / replicas);
  out.read = [&reference, features, replica](std::size_t first, std::size_t count,
                                             std::span<double> to) {
    const auto atoms = reference.topology.atoms.size();
    std::vector<std::int64_t> frames(count);
    for (std::size_t i = 0; i < count; ++i)
      frames[i] = static_cast<std::int64_t>(first + i) * reference.replicas + replica;
    const auto made =
        metrics::tica_features(pick(reference.positions_nm, frames, 3 * atoms), atoms, features);
    std::ranges::copy(made, to.begin());
  };
  return out;
}

}  // namespace

SlowComponents fit_slow_components(const ReferenceEnsemble& reference, const TicaOptions& options,
                                   std::uint64_t seed) {
  const auto features = published_features(reference.topology);
  std::vector<metrics::FeatureSeries> replicas;
  for (std::int64_t r = 0; r < reference.replicas; ++r)
    replicas.push_back(series_of_replica(reference, features, r));
  metrics::TicaSettings settings;
  settings.lag = options.lag;
  settings.components = kSlowComponents;
  settings.reweight = options.reweight;
  SlowComponents out;
  out.tica = metrics::fit_tica(replicas, features.count(), settings);
  // Koopman weights may be negative, and many of them make correlations above 1.
  const auto beyond = [](double lambda) { return std::abs(lambda) >= 1; };
  if (settings.reweight && std::ranges::any_of(out.tica.eigenvalues, beyond)) {
    settings.reweight = false;
    out.tica = metrics::fit_tica(replicas, features.count(), settings);
  }
  metrics::KMeansSettings clustering;
  clustering.seed = seed;
  const auto frames = replica_frames(reference.frames(), reference.replicas, 0, reference.replicas,
                                     kClusteredFrames);
  const auto width = 3 * reference.topology.atoms.size();
  out.clusters = metrics::k_means(
      project(out.tica, reference.topology, pick(reference.positions_nm, frames, width)),
      kSlowComponents, clustering);
  return out;
}

std::vector<double> project(const metrics::Tica& tica, const md::Topology& topology,
                            std::span<const double> positions_nm) {
  return metrics::project(tica, metrics::tica_feature_series(positions_nm, topology.atoms.size(),
                                                             published_features(topology)));
}

}  // namespace arbg::sampling
