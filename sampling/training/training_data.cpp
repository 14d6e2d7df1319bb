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

double encode_inside(const md::CoordinateMap& map, const nn::CoordinateBins& bins,
                     std::span<const double> positions_nm, const Random& random,
                     std::span<std::int32_t> tokens) {
  std::vector<double> z(tokens.size());
  for (std::uint64_t attempt = 0; attempt < kMostFrames; ++attempt) {
    map.encode(positions_nm, z, random, attempt);
    if (bins.encode_rows(z, tokens) == 0) return map.log_volume(z);
  }
  fail("the conformation does not fit into the coordinate range in ", kMostFrames,
       " random frames; raise --range");
}

TrainingData::TrainingData(const md::CoordinateMap& map, const nn::CoordinateBins& bins,
                           std::vector<float> positions_nm, std::vector<double> reduced_energy,
                           std::uint64_t seed, bool drop_outside)
    : map_(map),
      bins_(bins),
      seed_(seed),
      positions_nm_(std::move(positions_nm)),
      log_target_(std::move(reduced_energy)),
      has_energies_(!log_target_.empty()),
      new_frame_every_visit_(!map.invariant_to_motion()) {
  const auto frame = static_cast<std::size_t>(map_.atom_count()) * 3,
             length = static_cast<std::size_t>(map_.size());
  require(!positions_nm_.empty() && positions_nm_.size() % frame == 0, "expected conformations of ",
          map_.atom_count(), " atoms to train on, got ", positions_nm_.size(), " numbers");
  const std::size_t count = positions_nm_.size() / frame;
  require(!has_energies_ || log_target_.size() == count, "expected an energy for each of ", count,
          " conformations, got ", log_target_.size());
  log_target_.resize(count);
  for (auto& u : log_target_) u = -u;
  if (new_frame_every_visit_) return;

  tokens_.resize(count * length);
  const Random unused(seed_, 0);
  parallel_for(static_cast<std::int64_t>(count), [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    std::vector<double> x(frame), z(length);
    std::copy_n(positions_nm_.begin() + static_cast<std::ptrdiff_t>(k * frame), frame, x.begin());
    map_.encode(x, z, unused, 0);
    bins_.encode_rows(z, std::span(tokens_).subspan(k * length, length));
    log_target_[k] += map_.log_volume(z);
  });
  positions_nm_.clear();
  positions_nm_.shrink_to_fit();

  std::vector<std::int64_t> outside(length);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bool inside = true;
    for (std::size_t j = 0; j < length; ++j) {
      if (tokens_[i * length + j] != nn::CoordinateBins::kOutside) continue;
      inside = false;
      ++outside[j];
    }
    if (!inside) continue;
    std::copy_n(tokens_.begin() + static_cast<std::ptrdiff_t>(i * length), length,
                tokens_.begin() + static_cast<std::ptrdiff_t>(kept * length));
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
  tokens_.resize(kept * length);
  log_target_.resize(kept);
}

void TrainingData::encode(std::int64_t conformation, std::uint64_t visit,
                          std::span<std::int32_t> tokens, double& log_volume) const {
  const auto frame = static_cast<std::size_t>(map_.atom_count()) * 3;
  std::vector<double> x(frame);
  std::copy_n(positions_nm_.begin() +
                  static_cast<std::ptrdiff_t>(static_cast<std::size_t>(conformation) * frame),
              frame, x.begin());
  try {
    log_volume =
        encode_inside(map_, bins_, x, Random(seed_, stream_id(streams::kFrame, visit)), tokens);
  } catch (const Error& error) {
    fail("conformation ", conformation, ": ", error.what());
  }
}

std::vector<double> TrainingData::counts() const {
  const auto length = static_cast<std::size_t>(map_.size()),
             vocabulary = static_cast<std::size_t>(bins_.bins());
  std::vector<double> counts(length * vocabulary);
  std::vector<std::int32_t> row(length);
  double ignored;
  for (std::int64_t i = 0; i < size(); ++i) {
    if (new_frame_every_visit_)
      encode(i, ~static_cast<std::uint64_t>(i), row, ignored);
    else
      std::copy_n(tokens_.begin() + i * map_.size(), length, row.begin());
    for (std::size_t j = 0; j < length; ++j)
      counts[j * vocabulary + static_cast<std::size_t>(row[j])] += 1;
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

void TrainingData::fill(std::int64_t step, std::span<std::int32_t> tokens,
                        std::span<double> log_target) {
  require(log_target.empty() || has_energies_,
          "the variance term needs the energies of the conformations");
  const auto length = static_cast<std::size_t>(map_.size()), batch = tokens.size() / length;
  std::vector<std::int64_t> chosen(batch);
  for (std::size_t b = 0; b < batch; ++b) {
    const std::int64_t visit =
        step * static_cast<std::int64_t>(batch) + static_cast<std::int64_t>(b);
    chosen[b] = order(visit / size())[static_cast<std::size_t>(visit % size())];
  }
  if (!new_frame_every_visit_) {
    for (std::size_t b = 0; b < batch; ++b) {
      std::copy_n(tokens_.begin() + chosen[b] * map_.size(), length,
                  tokens.begin() + static_cast<std::ptrdiff_t>(b * length));
      if (!log_target.empty()) log_target[b] = log_target_[static_cast<std::size_t>(chosen[b])];
    }
    return;
  }
  parallel_for(static_cast<std::int64_t>(batch), [&](std::int64_t i) {
    const auto b = static_cast<std::size_t>(i);
    double log_volume = 0;
    encode(chosen[b], static_cast<std::uint64_t>(step) * batch + b,
           tokens.subspan(b * length, length), log_volume);
    if (!log_target.empty())
      log_target[b] = log_target_[static_cast<std::size_t>(chosen[b])] + log_volume;
  });
}

}  // namespace arbg::sampling
