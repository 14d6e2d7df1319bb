// Whether the replicas of a run agree: T-W2 of phi and psi between halves of them, beside what it
// would be if frames were independent of each other.
//
// Replicas are divided at random into two halves kDivisions times; of both, as many frames are
// taken, of each replica alike, evenly spaced. Beside the mean of their distances stands that of
// the same frames divided at random, whatever replica they are from: for independent frames the two
// are equal, by exchange. Where replicas keep to different basins, or are so short that each holds
// few independent frames, the first is larger:
//   ratio^2 = 1 + (difference between replicas)^2 / (distance of as many independent frames)^2
// about. So frames of one replica that resemble each other show, too: replicas agree if halves
// of them differ hardly more than so many independent frames do. What no replica has met, no
// comparison of replicas shows; scrambled ones (md/dynamics/scramble.h) have met more.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace arbg::sampling {

inline constexpr int kDivisions = 16;
inline constexpr double kAgreeingRatio = 1.2;  // the highest (apps/bench/results/dynamics.md)

// Of long runs some frames are judged, by `arbg md` and `arbg evaluate` the same: every so many
// saves.
std::int64_t saves_apart(std::int64_t frames);

struct Agreement {
  std::string why_not;      // if there is nothing to say, the reason; otherwise empty
  std::int64_t points = 0;  // frames a side
  double halves_rad = 0;    // mean T-W2 of halves of the replicas
  double random_rad = 0, random_scatter_rad = 0;  // mean and standard deviation of random halves

  double ratio() const { return halves_rad / random_rad; }
  bool agree() const { return why_not.empty() && ratio() <= kAgreeingRatio; }

  // "Replicas agree: ...", "Replicas do not agree: ...", or "Whether replicas agree cannot be told:
  // ...", with `whose`, as " of the reference", after the first noun. Without its full stop.
  std::string sentence(const std::string& whose = "") const;
};

// Rows [frames, width] of angles in radians; frame f is of replica f % replicas. Of every `apart`
// saves the first is judged, and at most 500 frames a side.
Agreement agreement_of(std::span<const double> rows, std::size_t width, std::int64_t replicas,
                       std::int64_t apart = 1);

}  // namespace arbg::sampling
