#include "sampling/evaluation/ensembles.h"

#include <algorithm>

namespace arbg::sampling {

std::int64_t held_out_count(std::int64_t frames, double share) {
  constexpr std::int64_t kMost = 4096;
  return std::min(kMost, static_cast<std::int64_t>(share * static_cast<double>(frames)));
}

std::vector<std::int64_t> held_out_frames(std::int64_t frames, std::int64_t replicas,
                                          double share) {
  if (share >= 1) return replica_frames(frames, replicas, 0, replicas, held_out_count(frames, 1));
  const std::int64_t first = frames - std::max<std::int64_t>(1, held_out_count(frames, share));
  std::vector<std::int64_t> out;
  for (std::int64_t replica = 0; replica < replicas; ++replica) {
    for (std::int64_t f = first; f < frames; ++f)
      if (f % replicas == replica) out.push_back(f);
  }
  return out;
}

// Replica by replica: a stride over the interleaved frames of the file could meet some replicas
// only.
std::vector<std::int64_t> replica_frames(std::int64_t frames, std::int64_t replicas,
                                         std::int64_t first, std::int64_t last,
                                         std::int64_t count) {
  std::vector<std::int64_t> all, out;
  for (std::int64_t replica = first; replica < last; ++replica) {
    for (std::int64_t f = replica; f < frames; f += replicas) all.push_back(f);
  }
  for (const auto i : evenly_spaced(std::ssize(all), count))
    out.push_back(all[static_cast<std::size_t>(i)]);
  return out;
}

std::vector<std::int64_t> evenly_spaced(std::int64_t size, std::int64_t count) {
  std::vector<std::int64_t> out;
  count = std::min(count, size);
  for (std::int64_t i = 0; i < count; ++i) out.push_back(i * size / count);
  return out;
}

std::vector<double> pick(std::span<const double> rows, std::span<const std::int64_t> indices,
                         std::size_t width) {
  std::vector<double> out;
  out.reserve(indices.size() * width);
  for (const auto i : indices) {
    const auto row = rows.subspan(static_cast<std::size_t>(i) * width, width);
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

}  // namespace arbg::sampling
