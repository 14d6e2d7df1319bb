#include "sampling/evaluation/backbone.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "md/molecule/torsion_atoms.h"
#include "metrics/torsions.h"
#include "sampling/smc/population.h"

namespace arbg::sampling {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Columns of torsions [B, width].
Angles columns(std::span<const double> torsions, std::size_t width, std::size_t phi,
               std::size_t psi) {
  Angles out;
  for (std::size_t row = 0; row < torsions.size(); row += width) {
    out.phi.push_back(torsions[row + phi]);
    out.psi.push_back(torsions[row + psi]);
  }
  return out;
}

// Of every residue with both; torsions as torsions_of() gives them.
std::vector<ResidueAngles> angles_of_residues(const md::Topology& topology,
                                              std::span<const double> samples,
                                              std::span<const double> reference) {
  const auto atoms = md::backbone_torsions(topology);
  const std::size_t width = atoms.phi.size() + atoms.psi.size();
  std::vector<ResidueAngles> out;
  for (std::size_t phi = 0; phi < atoms.phi.size(); ++phi) {
    const int nitrogen = atoms.phi[phi][1];
    const auto same =
        std::ranges::find(atoms.psi, nitrogen, [](const auto& psi) { return psi[0]; });
    if (same == atoms.psi.end()) continue;
    const auto psi = atoms.phi.size() + static_cast<std::size_t>(same - atoms.psi.begin());
    const int residue = topology.atoms[static_cast<std::size_t>(nitrogen)].residue;
    ResidueAngles& one = out.emplace_back();
    one.residue = topology.residues[static_cast<std::size_t>(residue)].label();
    one.samples = columns(samples, width, phi, psi);
    one.reference = columns(reference, width, phi, psi);
  }
  return out;
}

// [B, 2], phi and psi.
std::vector<double> pairs_of(const Angles& angles) {
  std::vector<double> out;
  for (std::size_t i = 0; i < angles.phi.size(); ++i) {
    out.push_back(angles.phi[i]);
    out.push_back(angles.psi[i]);
  }
  return out;
}

Distance total_variation(const ResidueAngles& residue, const Points& at) {
  const auto map = [](const std::vector<double>& pairs) {
    const Angles angles = columns(pairs, 2, 0, 1);
    return metrics::ramachandran(angles.phi, angles.psi, {});
  };
  return distances(pairs_of(residue.samples), pairs_of(residue.reference), 2, at,
                   [&](const std::vector<double>& a, const std::vector<double>& b) {
                     return metrics::total_variation(map(a), map(b));
                   });
}

// Independent parts of samples or frames: part_of[i], and how many there are.
struct Parts {
  std::vector<std::size_t> part_of;
  std::size_t count = 0;
};

Parts replicas_of(std::int64_t frames, std::int64_t replicas) {
  Parts out{{}, static_cast<std::size_t>(replicas)};
  for (std::int64_t f = 0; f < frames; ++f)
    out.part_of.push_back(static_cast<std::size_t>(f % replicas));
  return out;
}

// Populations, replicas, or a hundred equal parts of samples that are independent. Frames without
// weights are not known to be: they are one part.
Parts parts_of(const WeightedEnsemble& samples) {
  if (samples.weight_kind == WeightKind::none)
    return replicas_of(samples.count(), samples.replicas);
  constexpr std::int64_t kParts = 100;
  const std::int64_t size = samples.count(),
                     parts = samples.populations > 0 ? samples.populations : std::min(kParts, size);
  Parts out{{}, static_cast<std::size_t>(parts)};
  for (std::int64_t p = 0; p < parts; ++p) {
    const auto last = static_cast<std::size_t>(first_particle(size, parts, p + 1));
    out.part_of.resize(last, static_cast<std::size_t>(p));
  }
  return out;
}

constexpr double kLeastParts = 10;  // below, bootstrap intervals are too narrow

// Kish's number of parts, by what they weigh.
double effective_parts(std::span<const double> whole) {
  double sum = 0, squares = 0;
  for (const double w : whole) sum += w, squares += w * w;
  return sum * sum / squares;
}

// The share of each basin, with an interval over the parts. No weights: equal ones.
std::array<metrics::Interval, metrics::kBasins> basin_shares(const Angles& angles,
                                                             std::span<const double> weights,
                                                             const Parts& parts,
                                                             std::uint64_t seed) {
  std::array<std::vector<double>, metrics::kBasins> share;
  share.fill(std::vector<double>(parts.count));
  std::vector<double> whole(parts.count);
  for (std::size_t i = 0; i < angles.phi.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    const auto basin = static_cast<std::size_t>(metrics::basin_of(angles.phi[i], angles.psi[i]));
    share[basin][parts.part_of[i]] += weight;
    whole[parts.part_of[i]] += weight;
  }
  std::array<metrics::Interval, metrics::kBasins> out;
  std::vector<std::size_t> all(parts.count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  metrics::BootstrapSettings settings;
  settings.seed = seed;
  const bool enough = effective_parts(whole) >= kLeastParts;
  for (std::size_t basin = 0; basin < metrics::kBasins; ++basin) {
    for (std::size_t p = 0; p < parts.count; ++p)
      if (whole[p] > 0) share[basin][p] /= whole[p];
    const auto mean = metrics::weighted_mean(share[basin], whole);
    const double of_all = mean(all);
    if (!enough) {
      out[basin] = {of_all, kUnknown, kUnknown};
      continue;
    }
    // Parts that weigh nothing, drawn alone, say nothing.
    const auto share_of = [&](std::span<const std::size_t> units) {
      const double found = mean(units);
      return std::isfinite(found) ? found : of_all;
    };
    out[basin] = metrics::bootstrap(parts.count, share_of, settings);
  }
  return out;
}

}  // namespace

std::vector<double> torsions_of(const md::Topology& topology, std::span<const double> positions_nm,
                                std::size_t& width) {
  const auto torsions = md::backbone_torsions(topology);
  auto atoms = torsions.phi;
  atoms.insert(atoms.end(), torsions.psi.begin(), torsions.psi.end());
  width = atoms.size();
  return metrics::dihedrals(positions_nm, topology.atoms.size(), atoms);
}

std::vector<ResidueAngles> compare_residues(const WeightedEnsemble& samples,
                                            const ReferenceEnsemble& reference,
                                            std::span<const double> sample_torsions,
                                            std::span<const double> reference_torsions,
                                            std::span<const double> weight, const Points& at,
                                            std::uint64_t seed) {
  auto out = angles_of_residues(reference.topology, sample_torsions, reference_torsions);
  const Parts parts = parts_of(samples),
              replicas = replicas_of(reference.frames(), reference.replicas);
  for (ResidueAngles& residue : out) {
    residue.total_variation = total_variation(residue, at);
    const auto drawn = basin_shares(residue.samples, weight, parts, seed);
    const auto frames = basin_shares(residue.reference, {}, replicas, seed);
    for (std::size_t k = 0; k < metrics::kBasins; ++k) residue.basins[k] = {drawn[k], frames[k]};
  }
  return out;
}

}  // namespace arbg::sampling
