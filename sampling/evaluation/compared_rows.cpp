#include "sampling/evaluation/compared_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sampling/smc/population.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {

Points points_of(const WeightedEnsemble& samples, std::span<const double> log_weight,
                 const ReferenceEnsemble& reference, std::int64_t points,
                 const EvaluationOptions& options) {
  Points out;
  out.weighted = resample(options.published ? Resampling::multinomial : Resampling::systematic,
                          log_weight, points, Random(options.seed, stream_id(streams::kResample)));
  // Samples as drawn; what is not a conformation at all (infinite energy) has no place in a
  // distance.
  for (const auto i :
       replica_frames(samples.count(), samples.replicas, 0, samples.replicas, points)) {
    if (std::isfinite(samples.reduced_energy[static_cast<std::size_t>(i)])) out.raw.push_back(i);
  }
  if (samples.weight_kind == WeightKind::none) out.weighted = out.raw;
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

}  // namespace arbg::sampling
