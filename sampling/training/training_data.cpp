#include "sampling/training/training_data.h"

#include <algorithm>
#include <numeric>

#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

constexpr int kMostFrames =
    1000;  // redraws of a random frame that puts a conformation outside the support

}  // namespace

double encode_inside(const md::CoordinateMap& map, const nn::Head& head,
                     std::span<const double> positions_nm, const Random& random,
                     std::span<double> z) {
  for (std::uint64_t attempt = 0; attempt < kMostFrames; ++attempt) {
    map.encode(positions_nm, z, random, attempt);
    if (head.inside(z)) return map.log_volume(z);
  }
  fail("the conformation does not fit into the coordinate range in ", kMostFrames,
       " random frames; raise --range");
}

TrainingData::TrainingData(const md::CoordinateMap& map, const nn::Head& head,
                           std::vector<float> positions_nm, std::vector<double> reduced_energy,
                           std::uint64_t seed, bool drop_outside)
    : map_(map),
      head_(head),
      seed_(seed),
      positions_nm_(std::move(positions_nm)),
      log_target_(std::move(reduced_energy)),
      has_energies_(!log_target_.empty()),
      new_frame_every_visit_(!map.invariant_to_motion()) {
  const auto frame = static_cast<std::size_t>(map_.atom_count()) * 3;
  require(!positions_nm_.empty() && positions_nm_.size() % frame == 0, "expected conformations of ",
          map_.atom_count(), " atoms to train on, got ", positions_nm_.size(), " numbers");
  const std::size_t count = positions_nm_.size() / frame;
  require(!has_energies_ || log_target_.size() == count, "expected an energy for each of ", count,
          " conformations, got ", log_target_.size());
  log_target_.resize(count);
  for (auto& u : log_target_) u = -u;
  if (new_frame_every_visit_) return;
  encode_all();
  keep_inside(drop_outside);
}

// Coordinates that are the same at every visit take the place of the positions.
void TrainingData::encode_all() {
  const auto frame = static_cast<std::size_t>(map_.atom_count()) * 3,
             length = static_cast<std::size_t>(map_.size());
  z_.resize(log_target_.size() * length);
  const Random unused(seed_, 0);
  parallel_for(size(), [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    const auto x = std::span(positions_nm_).subspan(k * frame, frame);
    const auto z = std::span(z_).subspan(k * length, length);
    map_.encode(std::vector<double>(x.begin(), x.end()), z, unused, 0);
    log_target_[k] += map_.log_volume(z);
  });
  positions_nm_.clear();
  positions_nm_.shrink_to_fit();
}

void TrainingData::keep_inside(bool drop_outside) {
  const std::size_t count = log_target_.size(), length = static_cast<std::size_t>(map_.size());
  std::vector<std::int64_t> outside(length);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto z = std::span(z_).subspan(i * length, length);
    if (!head_.inside(z)) {
      for (std::size_t j = 0; j < length; ++j)
        outside[j] += !head_.inside(static_cast<std::int64_t>(j), z[j]);
      continue;
    }
    std::ranges::copy(z, z_.begin() + static_cast<std::ptrdiff_t>(kept * length));
    log_target_[kept++] = log_target_[i];
  }
  dropped_ = static_cast<std::int64_t>(count - kept);
  const auto worst = std::ranges::max_element(outside) - outside.begin();
  require(drop_outside || dropped_ == 0, dropped_, " of ", count,
          " conformations are outside the bins' support, most (",
          outside[static_cast<std::size_t>(worst)], ") in coordinate ", worst, " of atom ",
          map_.coordinates()[static_cast<std::size_t>(worst)].atom,
          "; are they of this molecule and temperature? --outside drop trains without them");
  require(kept > 0, "no conformation is inside the bins' support");
  z_.resize(kept * length);
  log_target_.resize(kept);
}

// z of a visit in a frame of its own; returns its log volume.
double TrainingData::encode(std::int64_t conformation, std::uint64_t visit,
                            std::span<double> z) const {
  const auto frame = static_cast<std::size_t>(map_.atom_count()) * 3;
  const auto x =
      std::span(positions_nm_).subspan(static_cast<std::size_t>(conformation) * frame, frame);
  try {
    return encode_inside(map_, head_, std::vector<double>(x.begin(), x.end()),
                         Random(seed_, stream_id(streams::kFrame, visit)), z);
  } catch (const Error& error) {
    fail("conformation ", conformation, ": ", error.what());
  }
}

std::vector<double> TrainingData::counts(const nn::CoordinateBins& bins) const {
  const auto length = static_cast<std::size_t>(map_.size()),
             vocabulary = static_cast<std::size_t>(bins.bins());
  std::vector<double> counts(length * vocabulary), row(length);
  for (std::int64_t i = 0; i < size(); ++i) {
    if (new_frame_every_visit_)
      encode(i, ~static_cast<std::uint64_t>(i), row);
    else
      std::copy_n(z_.begin() + i * map_.size(), length, row.begin());
    for (std::size_t j = 0; j < length; ++j) {
      const auto v = bins.encode(static_cast<std::int64_t>(j), row[j]);
      counts[j * vocabulary + static_cast<std::size_t>(v)] += 1;
    }
  }
  return counts;
}

const std::vector<std::int32_t>& TrainingData::order(std::int64_t epoch) {
  if (epoch == epoch_) return order_;
  epoch_ = epoch;
  order_.resize(static_cast<std::size_t>(size()));
  std::iota(order_.begin(), order_.end(), 0);
  const Random random(seed_, stream_id(streams::kEpoch, static_cast<std::uint64_t>(epoch)));
  for (std::size_t i = order_.size() - 1; i > 0; --i) {
    std::swap(order_[i],
              order_[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i) + 1, i))]);
  }
  return order_;
}

void TrainingData::fill(std::int64_t step, std::span<double> z, std::span<double> log_target) {
  require(log_target.empty() || has_energies_,
          "the variance term needs the energies of the conformations");
  const auto length = static_cast<std::size_t>(map_.size()), batch = z.size() / length;
  std::vector<std::int64_t> chosen(batch);
  for (std::size_t b = 0; b < batch; ++b) {
    const std::int64_t visit =
        step * static_cast<std::int64_t>(batch) + static_cast<std::int64_t>(b);
    chosen[b] = order(visit / size())[static_cast<std::size_t>(visit % size())];
  }
  if (!new_frame_every_visit_) {
    for (std::size_t b = 0; b < batch; ++b) {
      std::copy_n(z_.begin() + chosen[b] * map_.size(), length,
                  z.begin() + static_cast<std::ptrdiff_t>(b * length));
      if (!log_target.empty()) log_target[b] = log_target_[static_cast<std::size_t>(chosen[b])];
    }
    return;
  }
  parallel_for(static_cast<std::int64_t>(batch), [&](std::int64_t i) {
    const auto b = static_cast<std::size_t>(i);
    const double log_volume = encode(chosen[b], static_cast<std::uint64_t>(step) * batch + b,
                                     z.subspan(b * length, length));
    if (!log_target.empty())
      log_target[b] = log_target_[static_cast<std::size_t>(chosen[b])] + log_volume;
  });
}

}  // namespace arbg::sampling
