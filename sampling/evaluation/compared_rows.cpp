#include "sampling/evaluation/compared_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "sampling/smc/population.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {

namespace {

// The replicas of one half stand in parts of their own: those of the other are none here.
Parts parts_met(const Parts& all) {
  Parts out;
  std::vector<std::size_t> name(all.count, all.count);
  for (const std::size_t part : all.part_of) {
    if (name[part] == all.count) name[part] = out.count++;
    out.part_of.push_back(name[part]);
  }
  return out;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double finite(double distance) {
  require(std::isfinite(distance),
          "a distance of samples and reference is not finite: their numbers are too large");
  return distance;
}

metrics::Interval interval_of(const Measured& measured, const Parts& a, const Parts& b,
                              std::uint64_t seed) {
  auto of_b = b.sum(measured.of_rows.b);
  for (double& potential : of_b) potential = -potential;  // a difference of means is drawn
  const Ratio mean_a(a.sum(measured.of_rows.a), a.sum({})), mean_b(of_b, b.sum({}));
  metrics::Interval out = difference_over(mean_a, mean_b, seed);
  const auto limit = [&](double drawn) {  // no distance is below 0; NaN stays
    if (drawn < 0) return 0.0;
    return measured.squared ? std::sqrt(drawn) : drawn;
  };
  out.low = limit(out.low);
  out.high = limit(out.high);
  out.estimate = measured.distance;
  return out;
}

}  // namespace

Points points_of(const WeightedEnsemble& samples, std::span<const double> log_weight,
                 const ReferenceEnsemble& reference, std::int64_t points,
                 const EvaluationOptions& options) {
  const Parts of_samples = parts_of(samples),
              of_frames = replicas_of(reference.frames(), reference.replicas);
  Indices weighted =
      resample(options.published ? Resampling::multinomial : Resampling::systematic, log_weight,
               points, Random(options.seed, stream_id(streams::kResample)));
  // Samples as drawn; what is not a conformation at all (infinite energy) has no place in a
  // distance.
  Indices raw;
  for (const auto i :
       replica_frames(samples.count(), samples.replicas, 0, samples.replicas, points)) {
    if (std::isfinite(samples.reduced_energy[static_cast<std::size_t>(i)])) raw.push_back(i);
  }
  if (samples.weight_kind == WeightKind::none) weighted = raw;
  const std::int64_t frames = reference.frames(), replicas = reference.replicas;
  const auto frames_of = [&](std::size_t count) {
    auto rows = replica_frames(frames, replicas, 0, replicas, static_cast<std::int64_t>(count));
    if (options.published) std::iota(rows.begin(), rows.end(), std::int64_t{0});
    return rows;
  };
  const auto side = [](Indices rows, const Parts& parts) {
    return Side{rows, parts_met(parts.of_rows(rows))};
  };
  Points out;
  out.seed = options.seed;
  out.reference = side(frames_of(weighted.size()), of_frames);
  out.reference_of_raw = side(frames_of(raw.size()), of_frames);
  out.weighted = side(std::move(weighted), of_samples);
  out.raw = side(std::move(raw), of_samples);
  // As many of either half, evenly spaced, although one has a replica more.
  const std::int64_t first =
      replicas > 1 ? replicas / 2 * (frames / replicas) + std::min(frames % replicas, replicas / 2)
                   : frames / 2;
  const std::int64_t size = std::min({points, first, frames - first});
  Indices left, right;
  if (replicas > 1) {
    left = replica_frames(frames, replicas, 0, replicas / 2, size);
    right = replica_frames(frames, replicas, replicas / 2, replicas, size);
  } else {
    left = evenly_spaced(frames / 2, size);
    for (const auto i : left) right.push_back(i + frames / 2);
  }
  out.left = side(std::move(left), of_frames);
  out.right = side(std::move(right), of_frames);
  return out;
}

Measured measured_square(metrics::Potentials of_rows) {
  const double square = finite(mean(of_rows.a) + mean(of_rows.b));
  return {std::sqrt(std::max(0.0, square)), true, std::move(of_rows)};
}

Measured measured(metrics::Potentials of_rows) {
  const double distance = finite(mean(of_rows.a) + mean(of_rows.b));
  return {std::max(0.0, distance), false, std::move(of_rows)};
}

Measured measured_cells(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b,
                        std::size_t cells, std::size_t values_a_row, OfCells* potentials) {
  const auto count = [&](const std::vector<std::size_t>& values) {
    std::vector<double> out(cells);
    for (const std::size_t cell : values) out[cell] += 1;
    return out;
  };
  const metrics::Potentials of_cells = potentials(count(a), count(b));
  const auto of_rows = [&](const std::vector<std::size_t>& values,
                           const std::vector<double>& of_cell) {
    std::vector<double> out(values.size() / values_a_row);
    for (std::size_t i = 0; i < values.size(); ++i)
      out[i / values_a_row] += of_cell[values[i]] / static_cast<double>(values_a_row);
    return out;
  };
  return measured({of_rows(a, of_cells.a), of_rows(b, of_cells.b)});
}

MeasuredThree gathered(const std::vector<Measured>& own, const Share& share, const Ranks& ranks) {
  std::array<Measured, 3> all;
  for (std::int64_t which = 0; which < std::ssize(all); ++which) {
    const bool here = which >= share.first && which < share.last;
    const Measured from = here ? own[static_cast<std::size_t>(which - share.first)] : Measured{};
    std::vector<double> numbers;
    if (here) numbers = {from.distance, from.squared ? 1.0 : 0.0};
    numbers = ranks.gather(std::span<const double>(numbers));
    all[static_cast<std::size_t>(which)] = {
        numbers[0],
        numbers[1] != 0,
        {ranks.gather(std::span<const double>(from.of_rows.a)),
         ranks.gather(std::span<const double>(from.of_rows.b))}};
  }
  return {std::move(all[0]), std::move(all[1]), std::move(all[2])};
}

Distance with_intervals(const MeasuredThree& measured, const Points& at) {
  return {interval_of(measured.weighted, at.weighted.parts, at.reference.parts, at.seed),
          interval_of(measured.raw, at.raw.parts, at.reference_of_raw.parts, at.seed),
          interval_of(measured.floor, at.left.parts, at.right.parts, at.seed)};
}

}  // namespace arbg::sampling
