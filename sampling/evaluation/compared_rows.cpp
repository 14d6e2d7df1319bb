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
  const std::int64_t frames = reference.frames(), replicas = reference.replicas;
  const auto frames_of = [&](std::size_t count) {
    auto rows = replica_frames(frames, replicas, 0, replicas, static_cast<std::int64_t>(count));
    if (options.published) std::iota(rows.begin(), rows.end(), std::int64_t{0});
    return rows;
  };
  if (samples.weight_kind == WeightKind::none) out.weighted = out.raw;
  out.reference = frames_of(out.weighted.size());
  out.reference_of_raw = frames_of(out.raw.size());
  // As many of either half, evenly spaced, although one has a replica more.
  const std::int64_t first =
      replicas > 1 ? replicas / 2 * (frames / replicas) + std::min(frames % replicas, replicas / 2)
                   : frames / 2;
  const std::int64_t size = std::min({points, first, frames - first});
  if (replicas > 1) {
    out.left = replica_frames(frames, replicas, 0, replicas / 2, size);
    out.right = replica_frames(frames, replicas, replicas / 2, replicas, size);
  } else {
    out.left = evenly_spaced(frames / 2, size);
    for (const auto i : out.left) out.right.push_back(i + frames / 2);
  }
  return out;
}

}  // namespace arbg::sampling
