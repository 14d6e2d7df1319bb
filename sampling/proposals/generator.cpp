#include "sampling/proposals/generator.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <optional>

#include "sampling/proposals/growing_samples.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"
#include "tensor/device/available.h"
#include "tensor/device/for_each_on.h"

namespace arbg::sampling {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

nn::CoordinateBins bins_of(const md::CoordinateMap& map, std::int64_t bins) {
  std::vector<nn::CoordinateBins::Axis> axes;
  for (const auto& c : map.coordinates()) axes.push_back({c.low, c.high, c.periodic});
  return {bins, std::move(axes)};
}

nn::TransformerConfig network_for(nn::TransformerConfig config, const md::CoordinateMap& map) {
  config.num_atoms = map.atom_count();
  for (const auto& coordinate : map.coordinates()) {
    config.dim_index.push_back(coordinate.kind);
    config.atom_index.push_back(coordinate.order);
  }
  config.check();
  return config;
}

Generator::Generator(nn::Transformer network, nn::CoordinateBins bins,
                     std::unique_ptr<md::CoordinateMap> map,
                     std::optional<MoleculeEncoding> molecule,
                     std::shared_ptr<const nn::Placement> placement, nn::WithinBins within)
    : network_(std::move(network)),
      head_(std::move(bins), std::move(placement), within),
      map_(std::move(map)),
      molecule_(std::move(molecule)) {
  const auto& config = network_.config();
  const bool fits = molecule_ ? map_->size() <= config.length() : map_->size() == config.length();
  require(fits && head_.coordinates() == map_->size(), "the network has ", config.length(),
          " positions, the bins ", head_.coordinates(), ", the ", map_->name(), " coordinates ",
          map_->size());
  require(config.num_bins == head_.bins().bins(), "the network has ", config.num_bins,
          " bins, the checkpoint's axes ", head_.bins().bins());
  require(config.placement.has_value() == (head_.placement() != nullptr), "the network ",
          config.placement ? "needs" : "takes no", " placement energies, the generator has ",
          config.placement ? "none" : "some");
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

// Enough to keep a device busy, as far as keys and values in a fifth of its memory allow.
std::int64_t Generator::lanes_of_device() const {
  constexpr std::int64_t kHost = 64, kMost = 4096, kGiB = std::int64_t{1} << 30;
  const auto& config = network_.config();
  if (tensor::Device{network_.backend()}.is_host()) return kHost;
  const auto numbers = 2 * config.num_layers * config.length() * config.attention_width();
  const auto bytes_a_row = numbers * static_cast<std::int64_t>(sizeof(float));
  const double bytes = tensor::share_of_memory({network_.backend()}, 0.2, 16.0 * kGiB);
  const auto rows = static_cast<std::int64_t>(bytes) / bytes_a_row;
  return std::clamp<std::int64_t>(rows / kHost * kHost, 1, kMost);
}

Samples Generator::sample(const SampleOptions& options, const Decoding& decoding) const {
  decoding.check();
  require(options.count >= 0 && options.lanes >= 0,
          "expected a number of samples and a number of lanes");
  const auto most = options.lanes > 0 ? options.lanes : lanes_of_device();
  Samples out;
  out.resize(options.count, *map_);

  const std::int64_t groups = (options.count + most - 1) / most;
  std::vector<char> complete(static_cast<std::size_t>(groups), 0);
  std::mutex progress_mutex;
  std::int64_t done = 0;
  tensor::for_each_on({network_.backend()}, groups, [&](std::int64_t group) {
    if (interrupted()) return;
    const std::int64_t first = group * most;
    const std::int64_t lanes = std::min(most, options.count - first);
    if (!sample_lanes(options, decoding, first, lanes, out)) return;
    complete[static_cast<std::size_t>(group)] = 1;
    const std::lock_guard lock(progress_mutex);
    done += lanes;
    if (options.on_progress) options.on_progress(done);
  });

  // After an interrupt keep the complete groups up to the first gap.
  const auto gap = std::ranges::find(complete, 0);
  out.resize(std::min(options.count, (gap - complete.begin()) * most), *map_);
  return out;
}

std::unique_ptr<GrowingSamples> Generator::start(std::int64_t count, const Decoding& decoding,
                                                 const Random& random, std::int64_t first) const {
  return std::make_unique<GrowingSamples>(
      network_, head_, network_.make_cache(count, molecules(count)), decoding, random, first);
}

bool Generator::sample_lanes(const SampleOptions& options, const Decoding& decoding,
                             std::int64_t first, std::int64_t count, Samples& out) const {
  const Random random(options.seed, options.stream);
  const auto growing = start(count, decoding, random, options.first + first);
  if (!growing->grow(map_->size())) return false;
  for (std::int64_t b = 0; b < count; ++b) out.put(first + b, *growing, b, *map_);
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
  out.coordinates.resize(count * length);
  out.log_volume.resize(count);
  const Random random(seed, stream_id(streams::kEncode));
  std::atomic<std::int64_t> outside = 0;
  constexpr std::size_t kBlock = 256;
  parallel_for(static_cast<std::int64_t>((count + kBlock - 1) / kBlock), [&](std::int64_t block) {
    const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    for (std::size_t i = begin; i < std::min(begin + kBlock, count); ++i) {
      const auto z = std::span(out.coordinates).subspan(i * length, length);
      map_->encode(positions_nm.subspan(i * frame, frame), z, random, i);
      if (!head_.inside(z)) ++outside;
      out.log_volume[i] = map_->log_volume(z);
    }
  });
  out.outside = outside;
  return out;
}

std::vector<double> Generator::log_density(std::span<const double> z, const Decoding& decoding,
                                           const std::function<bool()>& stop) const {
  decoding.check();
  const nn::Tensor rows = nn::host_rows(z, map_->size());
  const auto K = static_cast<std::size_t>(map_->size());
  std::vector<std::size_t> inside;
  std::vector<double> kept;  // z of those rows
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.extent(0)); ++i) {
    const auto row = z.subspan(i * K, K);
    if (!head_.inside(row)) continue;
    inside.push_back(i);
    kept.insert(kept.end(), row.begin(), row.end());
  }
  const bool plain = decoding == Decoding{} && head_.draws_as_trained();
  const auto log_p = nn::log_likelihood(network_, head_, nn::host_rows(kept, map_->size()),
                                        molecules(std::ssize(inside)),
                                        plain ? std::nullopt : std::optional(decoding), stop);
  std::vector<double> out(static_cast<std::size_t>(rows.extent(0)), -kInfinity);
  for (std::size_t i = 0; i < inside.size(); ++i) out[inside[i]] = log_p[i] - head_.log_volume();
  return out;
}

}  // namespace arbg::sampling
