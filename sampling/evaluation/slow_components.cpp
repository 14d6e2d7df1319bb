#include "sampling/evaluation/slow_components.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "md/molecule/torsion_atoms.h"
#include "tensor/base/error.h"
#include "tensor/base/json_file.h"

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

// The residues, as "ACE1 ALA2 NME3".
std::string molecule_of(const md::Topology& topology) {
  std::string out;
  for (const auto& residue : topology.residues) out += (out.empty() ? "" : " ") + residue.label();
  return out;
}

std::vector<double> finite_numbers(const Json& list) {
  std::vector<double> out;
  for (const Json& number : list.items()) {
    out.push_back(number.number());
    require(std::isfinite(out.back()), "expected finite numbers");
  }
  return out;
}

// The atoms of a list of names, of which each is one of the molecule's.
std::vector<int> atoms_named(const Json& names, const std::map<std::string, int>& atoms) {
  std::vector<int> out;
  for (const Json& name : names.items()) {
    const auto found = atoms.find(name.string());
    require(found != atoms.end(), "there is no atom ", name.string(), " in the molecule");
    out.push_back(found->second);
  }
  return out;
}

metrics::TicaFeatures features_from_json(const Json& json, const md::Topology& topology) {
  std::map<std::string, int> atoms;
  for (int i = 0; i < topology.atom_count(); ++i) atoms[topology.describe(i)] = i;
  metrics::TicaFeatures out;
  out.atoms = member(json, "distances_between",
                     [&](const Json& names) { return atoms_named(names, atoms); });
  for (const Json& names : json.at("torsions").items()) {
    const auto four = atoms_named(names, atoms);
    require(four.size() == 4, "expected torsions of 4 atoms, found one of ", four.size());
    out.torsions.push_back({four[0], four[1], four[2], four[3]});
  }
  return out;
}

// Whether they are the same, in any order.
bool same_features(const metrics::TicaFeatures& a, const metrics::TicaFeatures& b) {
  return std::set(a.atoms.begin(), a.atoms.end()) == std::set(b.atoms.begin(), b.atoms.end()) &&
         std::set(a.torsions.begin(), a.torsions.end()) ==
             std::set(b.torsions.begin(), b.torsions.end()) &&
         a.count() == b.count();
}

// From one frame of a replica that is fitted to the next: the smallest divisor of the lag by which
// the fit takes no more than its multiplications, or else the largest.
std::int64_t spacing_of_fit(const ReferenceEnsemble& reference, std::size_t features,
                            const TicaOptions& options) {
  const std::int64_t frames = reference.frames(), lag = static_cast<std::int64_t>(options.lag);
  if (frames <= lag * reference.replicas) return 1;  // too few: the fit says so
  const auto F = static_cast<double>(features);
  const double of_all = 3 * F * F * static_cast<double>(frames);
  for (std::int64_t k = 1; k < lag; ++k)
    if (lag % k == 0 && of_all <= static_cast<double>(k) * options.most_multiplications) return k;
  return std::max<std::int64_t>(1, lag);
}

// Of every `spacing`-th of the frames replica, replica + replicas, ... of a reference.
metrics::FeatureSeries series_of_replica(const ReferenceEnsemble& reference,
                                         const metrics::TicaFeatures& features,
                                         std::int64_t replica, std::int64_t spacing) {
  metrics::FeatureSeries out;
  const std::int64_t step = spacing * reference.replicas;
  out.frames = static_cast<std::size_t>((reference.frames() - replica + step - 1) / step);
  out.read = [&reference, features, replica, step](std::size_t first, std::size_t count,
                                                   std::span<double> to) {
    const auto atoms = reference.topology.atoms.size();
    std::vector<std::int64_t> frames(count);
    for (std::size_t i = 0; i < count; ++i)
      frames[i] = static_cast<std::int64_t>(first + i) * step + replica;
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
  const std::int64_t spacing = spacing_of_fit(reference, features.count(), options);
  std::vector<metrics::FeatureSeries> replicas;
  for (std::int64_t r = 0; r < reference.replicas; ++r)
    replicas.push_back(series_of_replica(reference, features, r, spacing));
  metrics::TicaSettings settings;
  settings.lag = options.lag / static_cast<std::size_t>(spacing);
  settings.components = kSlowComponents;
  settings.reweight = options.reweight;
  SlowComponents out;
  out.features = features;
  out.tica = metrics::fit_tica(replicas, features.count(), settings);
  // Koopman weights may be negative, and many of them make correlations above 1.
  const auto beyond = [](double lambda) { return std::abs(lambda) >= 1; };
  if (settings.reweight && std::ranges::any_of(out.tica.eigenvalues, beyond)) {
    settings.reweight = false;
    out.tica = metrics::fit_tica(replicas, features.count(), settings);
  }
  out.tica.lag = options.lag;  // in frames of the reference
  metrics::KMeansSettings clustering;
  clustering.seed = seed;
  const auto frames = replica_frames(reference.frames(), reference.replicas, 0, reference.replicas,
                                     kClusteredFrames);
  const auto width = 3 * reference.topology.atoms.size();
  out.clusters = metrics::k_means(
      project(out, reference.topology.atoms.size(), pick(reference.positions_nm, frames, width)),
      kSlowComponents, clustering);
  return out;
}

std::vector<double> project(const SlowComponents& components, std::size_t atom_count,
                            std::span<const double> positions_nm) {
  return metrics::project(
      components.tica, metrics::tica_feature_series(positions_nm, atom_count, components.features));
}

Json to_json(const SlowComponents& components, const md::Topology& topology) {
  const auto names_of = [&](const auto& atoms) {
    Json out = Json::list();
    for (const int atom : atoms) out.push_back(topology.describe(atom));
    return out;
  };
  Json json = Json::object();
  json["molecule"] = molecule_of(topology);
  json["distances_between"] = names_of(components.features.atoms);
  Json& torsions = json["torsions"] = Json::list();
  for (const auto& torsion : components.features.torsions) torsions.push_back(names_of(torsion));
  json["tica"] = metrics::to_json(components.tica);
  const auto& clusters = components.clusters;
  json["cluster_centres"] = Json(Json::List(clusters.centres.begin(), clusters.centres.end()));
  return json;
}

SlowComponents slow_components_from_json(const Json& json, const md::Topology& topology) {
  const std::string fitted = member(json, "molecule", &Json::string), here = molecule_of(topology);
  require(fitted == here, "these components are of ", fitted, ", the samples of ", here);
  SlowComponents out;
  out.features = features_from_json(json, topology);
  require(same_features(out.features, published_features(topology)),
          "these components are of other features than distances between all atoms C, N and S, and "
          "phi, psi and omega");
  out.tica = member(json, "tica", &metrics::tica_from_json);
  require(out.tica.feature_count() == out.features.count(), "expected components of ",
          out.features.count(), " features, found some of ", out.tica.feature_count());
  require(out.tica.components() == kSlowComponents, "expected ", kSlowComponents,
          " components, found ", out.tica.components());
  out.clusters.dimension = kSlowComponents;
  out.clusters.centres = member(json, "cluster_centres", finite_numbers);
  require(!out.clusters.centres.empty() && out.clusters.centres.size() % kSlowComponents == 0,
          "expected two numbers for each centre of a cluster, found ", out.clusters.centres.size(),
          " in all");
  return out;
}

}  // namespace arbg::sampling
