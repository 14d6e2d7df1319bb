#include "sampling/proposals/generator.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "sampling/proposals/growing_samples.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kRows = 16;  // molecules in one pass of the uncached network

}  // namespace

nn::CoordinateBins bins_of(const md::CoordinateMap& map, std::int64_t bins) {
  std::vector<nn::CoordinateBins::Axis> axes;
  for (const auto& c : map.coordinates()) axes.push_back({c.low, c.high, c.periodic});
  return {bins, std::move(axes)};
}

Generator::Generator(nn::Transformer network, nn::CoordinateBins bins,
                     std::unique_ptr<md::CoordinateMap> map,
                     std::optional<MoleculeEncoding> molecule)
    : network_(std::move(network)),
      bins_(std::move(bins)),
      map_(std::move(map)),
      molecule_(std::move(molecule)) {
  const auto& config = network_.config();
  const bool fits = molecule_ ? map_->size() <= config.length() : map_->size() == config.length();
  require(fits && bins_.coordinates() == map_->size(), "the network has ", config.length(),
          " positions, the bins ", bins_.coordinates(), ", the ", map_->name(), " coordinates ",
          map_->size());
  require(config.num_bins == bins_.bins(), "the network has ", config.num_bins,
          " bins, the checkpoint's axes ", bins_.bins());
  require(molecule_.has_value() == config.conditioning.has_value(), "the network is ",
          config.conditioning ? "conditioned: it has to be told its molecule"
                              : "not conditioned: it cannot be told a molecule");
  require(!molecule_ || molecule_->atom_count() == map_->atom_count(), "a molecule of ",
          molecule_ ? molecule_->atom_count() : 0, " atoms with coordinates of ",
          map_->atom_count());
}

nn::Molecules Generator::molecules(std::int64_t count) const {
  if (!molecule_ || count == 0) return {};
  const std::vector<const MoleculeEncoding*> rows(static_cast<std::size_t>(count), &*molecule_);
  return stack_molecules(rows, molecule_->atom_count(), network_.backend());
}

BinnedSamples Generator::sample(const SampleOptions& options, const Decoding& decoding) const {
  decoding.check();
  require(options.count >= 0 && options.lanes >= 1,
          "expected a number of samples and at least one lane");
  BinnedSamples out;
  out.resize(options.count, *map_);
  out.tokens.resize(out.coordinates.size());

  const std::int64_t groups = (options.count + options.lanes - 1) / options.lanes;
  std::vector<char> complete(static_cast<std::size_t>(groups), 0);
  std::mutex progress_mutex;
  std::int64_t done = 0;
  parallel_for(groups, [&](std::int64_t group) {
    if (interrupted()) return;
    const std::int64_t first = group * options.lanes;
    const std::int64_t lanes = std::min(options.lanes, options.count - first);
    if (!sample_lanes(options, decoding, first, lanes, out)) return;
    complete[static_cast<std::size_t>(group)] = 1;
    const std::lock_guard lock(progress_mutex);
    done += lanes;
    if (options.on_progress) options.on_progress(done);
  });

  // After an interrupt keep the complete groups up to the first gap.
  const auto gap = std::ranges::find(complete, 0);
  out.resize(std::min(options.count, (gap - complete.begin()) * options.lanes), *map_);
  out.tokens.resize(out.coordinates.size());
  return out;
}

GrowingSamples Generator::start(std::int64_t count, const Decoding& decoding, const Random& random,
                                std::int64_t first) const {
  return {network_, bins_, network_.make_cache(count, molecules(count)), decoding, random, first};
}

bool Generator::sample_lanes(const SampleOptions& options, const Decoding& decoding,
                             std::int64_t first, std::int64_t count, BinnedSamples& out) const {
  const Random random(options.seed, options.stream);
  auto growing = start(count, decoding, random, options.first + first);
  if (!growing.grow(map_->size())) return false;
  for (std::int64_t b = 0; b < count; ++b) {
    out.put(first + b, growing, b, *map_);
    std::ranges::copy(growing.tokens(b), out.tokens.begin() + (first + b) * map_->size());
  }
  return true;
}

Generator::Encoded Generator::encode(std::span<const double> positions_nm,
                                     std::uint64_t seed) const {
  const auto frame = static_cast<std::size_t>(map_->atom_count()) * 3,
             length = static_cast<std::size_t>(map_->size());
  require(positions_nm.size() % frame == 0, "expected conformations of ", map_->atom_count(),
          " atoms, got ", positions_nm.size(), " numbers");
  const auto count = positions_nm.size() / frame;
  Encoded out;
  out.tokens.resize(count * length);
  out.log_volume.resize(count);
  const Random random(seed, stream_id(streams::kEncode));
  std::atomic<std::int64_t> outside = 0;
  constexpr std::size_t kBlock = 256;
  parallel_for(static_cast<std::int64_t>((count + kBlock - 1) / kBlock), [&](std::int64_t block) {
    std::vector<double> z(length);
    const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    for (std::size_t i = begin; i < std::min(begin + kBlock, count); ++i) {
      map_->encode(positions_nm.subspan(i * frame, frame), z, random, i);
      outside += bins_.encode_rows(z, std::span(out.tokens).subspan(i * length, length));
      out.log_volume[i] = map_->log_volume(z);
    }
  });
  out.outside = outside;
  return out;
}

std::vector<double> Generator::log_density(std::span<const std::int32_t> tokens,
                                           const Decoding& decoding) const {
  decoding.check();
  const auto length = static_cast<std::size_t>(map_->size());
  require(tokens.size() % length == 0, "expected rows of ", length, " tokens, got ", tokens.size(),
          " in all");
  const auto count = tokens.size() / length;
  std::vector<std::size_t> inside;
  std::vector<std::int32_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = tokens.subspan(i * length, length);
    if (std::ranges::any_of(
            row, [](std::int32_t token) { return token == nn::CoordinateBins::kOutside; }))
      continue;
    inside.push_back(i);
    kept.insert(kept.end(), row.begin(), row.end());
  }
  std::vector<double> out(count, -std::numeric_limits<double>::infinity());
  const auto log_p = decoding == Decoding{}
                         ? network_.log_likelihood(kept, kRows, molecules(std::ssize(inside)))
                         : log_probability(kept, decoding);
  for (std::size_t i = 0; i < inside.size(); ++i) out[inside[i]] = log_p[i] - bins_.log_volume();
  return out;
}

std::vector<double> Generator::log_probability(std::span<const std::int32_t> tokens,
                                               const Decoding& decoding) const {
  const std::int64_t length = map_->size();
  const auto count = static_cast<std::int64_t>(tokens.size()) / length;
  std::vector<double> out(static_cast<std::size_t>(count));
  parallel_for((count + kRows - 1) / kRows, [&](std::int64_t batch) {
    const autograd::NoGradient no_graph;
    const std::int64_t first = batch * kRows, rows = std::min(kRows, count - first);
    const auto part = tokens.subspan(static_cast<std::size_t>(first * length),
                                     static_cast<std::size_t>(rows * length));
    const auto index = nn::Tensor::from_indices(part, {rows, length}, network_.backend());
    const nn::Tensor logits = network_.logits(index, molecules(rows)).value();
    const auto log_p = checked_log_p(tensor::log_categorical(logits, index, decoding));
    for (std::int64_t i = 0; i < rows * length; ++i)
      out[static_cast<std::size_t>(first + i / length)] += log_p[static_cast<std::size_t>(i)];
  });
  return out;
}

}  // namespace arbg::sampling
