#include "apps/evaluation.h"

#include <algorithm>
#include <cmath>

#include "apps/cli/decoding_options.h"
#include "md/molecule/torsion_atoms.h"
#include "metrics/torsions.h"
#include "metrics/wasserstein.h"
#include "sampling/smc/resampling.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::apps {
namespace {

using Indices = std::vector<std::int64_t>;

// `count` of 0 ... size-1, evenly spaced; all of them if there are no more.
Indices evenly_spaced(std::int64_t size, std::int64_t count) {
  Indices out;
  count = std::min(count, size);
  for (std::int64_t i = 0; i < count; ++i) out.push_back(i * size / count);
  return out;
}

Indices replica_frames(const Dataset& data, std::int64_t first, std::int64_t last,
                       std::int64_t count) {
  return apps::replica_frames(data.frames(), data.replicas, first, last, count);
}

template <class T>
std::vector<T> pick(const std::vector<T>& rows, const Indices& indices, std::size_t width = 1) {
  std::vector<T> out;
  out.reserve(indices.size() * width);
  for (const auto i : indices) {
    const auto row =
        rows.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * width);
    out.insert(out.end(), row, row + static_cast<std::ptrdiff_t>(width));
  }
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

Angles first_phi_psi(const md::Topology& topology, const std::vector<double>& torsions,
                     std::size_t width) {
  const std::size_t psi = md::backbone_torsions(topology).phi.size();
  Angles out;
  if (psi == 0 || psi == width) return out;
  for (std::size_t row = 0; row < torsions.size(); row += width) {
    out.phi.push_back(torsions[row]);
    out.psi.push_back(torsions[row + psi]);
  }
  return out;
}

void add_reference_likelihood(Evaluation& out, const WeightedSamples& samples,
                              const Dataset& reference, const Model& model,
                              const EvaluationOptions& options) {
  const auto atoms = static_cast<std::size_t>(3 * reference.topology.atom_count());
  const auto frames = held_out_frames(reference, options.held_out);
  const auto encoded =
      model.generator.encode(pick(reference.positions_nm, frames, atoms), options.seed);
  const auto log_q = model.generator.log_density(encoded.tokens);
  const auto decoded_log_q = options.decoding == sampling::Decoding{}
                                 ? log_q
                                 : model.generator.log_density(encoded.tokens, options.decoding);
  const auto log_w = sampling::log_weights(pick(reference.reduced_energy, frames),
                                           encoded.log_volume, decoded_log_q);
  double sum = 0, inside = 0;
  for (const double value : log_q) {
    if (std::isfinite(value)) sum += value, inside += 1;
  }
  out.likelihood_frames = static_cast<std::int64_t>(frames.size());
  out.reference_outside = encoded.outside;
  out.reference_nats = -sum / inside / model.generator.map().size();
  out.reverse_ess_fraction = metrics::reverse_ess_fraction(log_w);
  out.bennett = metrics::bennett_log_z(samples.log_weight, log_w);
}

}  // namespace

// Replica by replica: a stride over the interleaved frames of the file could meet some replicas
// only.
Indices replica_frames(std::int64_t frames, std::int64_t replicas, std::int64_t first,
                       std::int64_t last, std::int64_t count) {
  Indices all;
  for (std::int64_t replica = first; replica < last; ++replica) {
    for (std::int64_t f = replica; f < frames; f += replicas) all.push_back(f);
  }
  return pick(all, evenly_spaced(static_cast<std::int64_t>(all.size()), count));
}

Indices held_out_frames(const Dataset& data, double share) {
  if (share >= 1)
    return apps::replica_frames(data.frames(), data.replicas, 0, data.replicas, data.held_out(1));
  const std::int64_t first = data.frames() - std::max<std::int64_t>(1, data.held_out(share));
  Indices out;
  for (std::int64_t replica = 0; replica < data.replicas; ++replica) {
    for (std::int64_t f = first; f < data.frames(); ++f)
      if (f % data.replicas == replica) out.push_back(f);
  }
  return out;
}

Evaluation evaluate(const WeightedSamples& samples, const Dataset& reference, const Model* model,
                    const EvaluationOptions& options) {
  require(!reference.reduced_energy.empty(),
          "the reference folder has no energy.npy; make it with arbg md");
  Evaluation out;
  out.decoding = options.decoding;
  out.populations = samples.populations;
  out.weights = summarise(samples.log_weight, samples.populations);
  out.trim = options.trim;
  const auto log_weight = options.trim > 0 ? metrics::trim_largest(samples.log_weight, options.trim)
                                           : samples.log_weight;
  if (options.trim > 0) out.trimmed = summarise(log_weight, samples.populations);
  out.weight = metrics::normalised_weights(log_weight);

  // As many points a side as the smallest of the sets allows: the halves of the reference are the
  // floor's two sides.
  const std::int64_t half = reference.replicas > 1 ? reference.replicas / 2 : 1;
  const bool split = reference.replicas > 1;
  const std::int64_t points = std::min(
      {static_cast<std::int64_t>(options.points), samples.count(), reference.frames() / 2});
  require(points >= 2, "too few samples or reference frames to compare (", samples.count(), " and ",
          reference.frames(), ")");
  const Random random(options.seed, stream_id(streams::kResample));
  const Indices drawn =
      sampling::resample(sampling::Resampling::systematic, samples.log_weight, points, random);
  // Samples as drawn; what is not a conformation at all (infinite energy) has no place in a
  // distance.
  Indices raw;
  for (const auto i : evenly_spaced(samples.count(), points)) {
    if (std::isfinite(samples.reduced_energy[static_cast<std::size_t>(i)])) raw.push_back(i);
  }
  const Indices all = replica_frames(reference, 0, reference.replicas, points);
  Indices left, right;
  if (split) {
    left = replica_frames(reference, 0, half, points);
    right = replica_frames(reference, half, reference.replicas, points);
  } else {
    left = evenly_spaced(reference.frames() / 2, points);
    for (const auto i : left) right.push_back(i + reference.frames() / 2);
  }
  const auto size = std::min(left.size(), right.size());
  left.resize(size);
  right.resize(size);
  out.points = static_cast<std::size_t>(points);

  const auto& u = samples.reduced_energy;
  const auto& v = reference.reduced_energy;
  out.energy_w2_kt = {metrics::wasserstein2_line(pick(u, drawn), pick(v, all)),
                      metrics::wasserstein2_line(pick(u, raw), pick(v, all)),
                      metrics::wasserstein2_line(pick(v, left), pick(v, right))};

  std::size_t width = 0;
  const auto sample_torsions = torsions_of(reference.topology, samples.positions_nm, width);
  const auto reference_torsions = torsions_of(reference.topology, reference.positions_nm, width);
  out.sample_angles = first_phi_psi(reference.topology, sample_torsions, width);
  out.reference_angles = first_phi_psi(reference.topology, reference_torsions, width);
  if (width > 0) {
    const auto& s = sample_torsions;
    const auto& r = reference_torsions;
    out.torsion_w2_rad = {
        metrics::wasserstein2_torus(pick(s, drawn, width), pick(r, all, width), width).distance,
        metrics::wasserstein2_torus(pick(s, raw, width),
                                    pick(r,
                                         replica_frames(reference, 0, reference.replicas,
                                                        static_cast<std::int64_t>(raw.size())),
                                         width),
                                    width)
            .distance,
        metrics::wasserstein2_torus(pick(r, left, width), pick(r, right, width), width).distance};
  }
  if (model != nullptr) add_reference_likelihood(out, samples, reference, *model, options);
  return out;
}

Json to_json(const Evaluation& e) {
  const auto distance = [](const Distance& d) {
    Json json = Json::object();
    json["weighted"] = d.weighted;
    json["raw"] = d.raw;
    json["floor"] = d.floor;
    return json;
  };
  Json out = Json::object();
  out["weights"] = summary_json(e.weights);
  if (e.populations > 0) out["populations"] = e.populations;
  out["decoding"] = to_json(e.decoding);
  if (e.trim > 0) {
    out["trimmed_fraction"] = e.trim;
    out["trimmed_weights"] = summary_json(e.trimmed);
  }
  out["points"] = static_cast<std::int64_t>(e.points);
  out["energy_w2_kt"] = distance(e.energy_w2_kt);
  out["torsion_w2_rad"] = distance(e.torsion_w2_rad);
  if (e.likelihood_frames > 0) {
    out["reference_likelihood_frames"] = e.likelihood_frames;
    out["reference_nats_per_coordinate"] = e.reference_nats;
    out["reference_frames_outside_support"] = e.reference_outside;
    out["reverse_ess_fraction"] = e.reverse_ess_fraction;
    out["bennett_log_z"] = e.bennett->log_z;
    out["bennett_log_z_error"] = e.bennett->error;
    out["bennett_overlap"] = e.bennett->overlap;
  }
  return out;
}

}  // namespace arbg::apps
