#include "sampling/evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "md/molecule/torsion_atoms.h"
#include "metrics/torsions.h"
#include "metrics/wasserstein.h"
#include "sampling/smc/population.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

using Indices = std::vector<std::int64_t>;

// The rows that distances compare.
struct Points {
  Indices weighted, raw;  // samples: resampled, and as drawn
  Indices reference;
  Indices left, right;  // halves of the reference: the floor's two sides
};

// `log_weight`: of the samples, trimmed where that was asked for.
Points points_of(const WeightedEnsemble& samples, std::span<const double> log_weight,
                 const ReferenceEnsemble& reference, std::int64_t points,
                 const EvaluationOptions& options) {
  Points out;
  out.weighted = resample(options.published ? Resampling::multinomial : Resampling::systematic,
                          log_weight, points, Random(options.seed, stream_id(streams::kResample)));
  // Samples as drawn; what is not a conformation at all (infinite energy) has no place in a
  // distance.
  for (const auto i : evenly_spaced(samples.count(), points)) {
    if (std::isfinite(samples.reduced_energy[static_cast<std::size_t>(i)])) out.raw.push_back(i);
  }
  const std::int64_t frames = reference.frames(), replicas = reference.replicas,
                     half = replicas / 2;
  out.reference = replica_frames(frames, replicas, 0, replicas, points);
  if (options.published) std::iota(out.reference.begin(), out.reference.end(), std::int64_t{0});
  if (replicas > 1) {
    out.left = replica_frames(frames, replicas, 0, half, points);
    out.right = replica_frames(frames, replicas, half, replicas, points);
  } else {
    out.left = evenly_spaced(frames / 2, points);
    for (const auto i : out.left) out.right.push_back(i + frames / 2);
  }
  const auto size = std::min(out.left.size(), out.right.size());
  out.left.resize(size);
  out.right.resize(size);
  return out;
}

// phi and psi of every residue that has them, [B, width]: all phi first, then all psi.
std::vector<double> torsions_of(const md::Topology& topology, std::span<const double> positions_nm,
                                std::size_t& width) {
  auto atoms = md::backbone_torsions(topology).phi;
  const auto psi = md::backbone_torsions(topology).psi;
  atoms.insert(atoms.end(), psi.begin(), psi.end());
  width = atoms.size();
  return metrics::dihedrals(positions_nm, topology.atoms.size(), atoms);
}

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
    out.push_back({topology.residues[static_cast<std::size_t>(residue)].label(),
                   columns(samples, width, phi, psi), columns(reference, width, phi, psi)});
  }
  return out;
}

Distance energy_distance(std::span<const double> u, std::span<const double> v, const Points& at) {
  return {metrics::wasserstein2_line(pick(u, at.weighted), pick(v, at.reference)),
          metrics::wasserstein2_line(pick(u, at.raw), pick(v, at.reference)),
          metrics::wasserstein2_line(pick(v, at.left), pick(v, at.right))};
}

// Torsions [B, width] of samples and of reference frames.
Distance torsion_distance(std::span<const double> s, std::span<const double> r, std::size_t width,
                          const Points& at, const ReferenceEnsemble& reference) {
  // The solver wants as many points on either side.
  const auto for_raw = replica_frames(reference.frames(), reference.replicas, 0, reference.replicas,
                                      std::ssize(at.raw));
  const auto distance = [&](const std::vector<double>& a, const std::vector<double>& b) {
    return metrics::wasserstein2_torus(a, b, width).distance;
  };
  return {distance(pick(s, at.weighted, width), pick(r, at.reference, width)),
          distance(pick(s, at.raw, width), pick(r, for_raw, width)),
          distance(pick(r, at.left, width), pick(r, at.right, width))};
}

void add_reference_likelihood(Evaluation& out, const WeightedEnsemble& samples,
                              const ReferenceEnsemble& reference, const Generator& model,
                              const EvaluationOptions& options) {
  const auto atoms = static_cast<std::size_t>(3 * reference.topology.atom_count());
  const auto frames = held_out_frames(reference.frames(), reference.replicas, options.held_out);
  const auto encoded = model.encode(pick(reference.positions_nm, frames, atoms), options.seed);
  const auto log_q = model.log_density(encoded.coordinates);
  const auto decoded_log_q = samples.decoding == Decoding{}
                                 ? log_q
                                 : model.log_density(encoded.coordinates, samples.decoding);
  const auto log_w =
      log_weights(pick(reference.reduced_energy, frames), encoded.log_volume, decoded_log_q);
  double sum = 0, inside = 0;
  for (const double value : log_q) {
    if (std::isfinite(value)) sum += value, inside += 1;
  }
  out.likelihood_frames = std::ssize(frames);
  out.reference_outside = encoded.outside;
  out.reference_nats = -sum / inside / model.map().size();
  out.reverse_ess_fraction = metrics::reverse_ess_fraction(log_w);
  out.bennett = metrics::bennett_log_z(samples.log_weight, log_w);
}

}  // namespace

Evaluation evaluate(const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                    const Generator* model, const EvaluationOptions& options) {
  require(std::ssize(reference.reduced_energy) == reference.frames(),
          "expected an energy for each of ", reference.frames(), " reference frames, found ",
          reference.reduced_energy.size());
  Evaluation out;
  out.decoding = samples.decoding;
  out.populations = samples.populations;
  out.weights = summarise(samples.log_weight, samples.populations);
  out.trim = options.trim;
  out.weight_kind = samples.weight_kind;
  std::vector<double> log_weight(samples.log_weight.begin(), samples.log_weight.end());
  if (options.trim > 0) {
    log_weight = metrics::trim_largest(samples.log_weight, options.trim);
    out.trimmed = summarise(log_weight, samples.populations);
  }
  out.weight = metrics::normalised_weights(log_weight);

  // As many points a side as the smallest of the sets allows: the halves of the reference are the
  // floor's two sides.
  require(options.points >= 2, "distances need at least 2 points a side, got ", options.points);
  require(samples.count() >= 2 && reference.frames() >= 4,
          "distances need at least 2 samples and 4 reference frames, 2 in each half; found ",
          samples.count(), " and ", reference.frames(), ": draw more samples or run more dynamics");
  const std::int64_t points = std::min(
      {static_cast<std::int64_t>(options.points), samples.count(), reference.frames() / 2});
  const Points at = points_of(samples, log_weight, reference, points, options);
  out.points = static_cast<std::size_t>(points);
  out.energy_w2_kt = energy_distance(samples.reduced_energy, reference.reduced_energy, at);

  std::size_t width = 0;
  const auto sample_torsions = torsions_of(reference.topology, samples.positions_nm, width);
  const auto reference_torsions = torsions_of(reference.topology, reference.positions_nm, width);
  out.angles = angles_of_residues(reference.topology, sample_torsions, reference_torsions);
  if (width > 0)
    out.torsion_w2_rad =
        torsion_distance(sample_torsions, reference_torsions, width, at, reference);
  if (model != nullptr) add_reference_likelihood(out, samples, reference, *model, options);
  return out;
}

}  // namespace arbg::sampling
