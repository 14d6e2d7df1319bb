#include "sampling/evaluation/agreement.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "metrics/format_number.h"
#include "metrics/transport/wasserstein.h"
#include "sampling/evaluation/ensembles.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kFewestReplicas = 3, kFewestPoints = 100, kMostPoints = 500;
constexpr std::int64_t kMostFrames = 20000;

using Indices = std::vector<std::int64_t>;

// Fisher-Yates; numbers `first` and on of the generator.
void shuffle(Indices& values, const Random& random, std::uint64_t first) {
  for (std::size_t left = values.size(); left > 1; --left)
    std::swap(values[left - 1], values[static_cast<std::size_t>(
                                    random.below(static_cast<std::int64_t>(left), first + left))]);
}

// Of each of these replicas the frames of these saves.
Indices frames_of(std::span<const std::int64_t> of, const Indices& saves, std::int64_t replicas) {
  Indices out;
  for (const std::int64_t replica : of)
    for (const std::int64_t save : saves) out.push_back(save * replicas + replica);
  return out;
}

}  // namespace

std::string Agreement::sentence(const std::string& whose) const {
  using metrics::format_number;
  if (!why_not.empty()) return "Whether replicas" + whose + " agree cannot be told: " + why_not;
  const std::string figures =
      " agree: T-W2 of phi and psi between halves of them is " + format_number(ratio(), 3) +
      " times that of as many frames divided at random (" + format_number(halves_rad, 3) +
      " against " + format_number(random_rad, 3) + " +- " + format_number(random_scatter_rad, 2) +
      " rad, " + std::to_string(points) + " a side)";
  if (agree()) return "Replicas" + whose + figures;
  return "Replicas" + whose + " do not" + figures +
         "; longer runs (arbg md --steps) may bring them together";
}

std::int64_t saves_apart(std::int64_t frames) {
  return std::max<std::int64_t>(1, (frames + kMostFrames - 1) / kMostFrames);
}

Agreement agreement_of(std::span<const double> rows, std::size_t width, std::int64_t replicas,
                       std::int64_t apart) {
  Agreement out;
  if (replicas < kFewestReplicas) {
    out.why_not = replicas < 2 ? "there is one" : "there are two, which are one pair of halves";
    return out;
  }
  const std::int64_t all =
      width == 0 ? 0 : std::ssize(rows) / static_cast<std::int64_t>(width) / replicas;
  const std::int64_t judged = (all + apart - 1) / apart, half = std::min(replicas / 2, kMostPoints),
                     each = std::min(judged, kMostPoints / half);
  Indices saves = evenly_spaced(judged, each);
  for (std::int64_t& save : saves) save *= apart;
  out.points = half * each;
  if (out.points < kFewestPoints) {
    out.why_not = width == 0 ? "there is no phi and no psi" : "there are too few frames";
    return out;
  }
  const auto distance = [&](std::span<const std::int64_t> frames) {
    const std::size_t side = frames.size() / 2;
    return metrics::wasserstein2_torus(pick(rows, frames.first(side), width),
                                       pick(rows, frames.last(side), width), width)
        .distance;
  };
  double sum = 0, squares = 0;
  for (int division = 0; division < kDivisions; ++division) {
    const Random random(1, stream_id(streams::kAgreement, static_cast<std::uint64_t>(division)));
    Indices order(static_cast<std::size_t>(replicas));
    std::iota(order.begin(), order.end(), 0);
    shuffle(order, random, 0);
    Indices frames =
        frames_of(std::span(order).first(static_cast<std::size_t>(2 * half)), saves, replicas);
    out.halves_rad += distance(frames) / kDivisions;
    shuffle(frames, random, order.size() + 1);
    const double of_random = distance(frames);
    sum += of_random;
    squares += of_random * of_random;
  }
  out.random_rad = sum / kDivisions;
  out.random_scatter_rad =
      std::sqrt(std::max(0.0, squares - sum * out.random_rad) / (kDivisions - 1));
  if (out.random_rad == 0) out.why_not = "its frames are all alike";
  return out;
}

}  // namespace arbg::sampling
