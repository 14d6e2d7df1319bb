// A network, its head and a coordinate map: conformations in, exact log densities out, and the
// reverse.
//
//   log q(z) = sum_j log p(z_j | z_<j) - log_volume   (nn/heads/head.h)
//
// p is that of a decoding (tensor/ops/draw.h): log q is that of the very distribution that was
// sampled. As a Proposal, with its decoding bound in: autoregressive.h. Log probabilities are
// summed in double, in the order of the coordinates.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "nn/files/checkpoint.h"
#include "nn/heads/binned.h"
#include "nn/transformer/transformer.h"
#include "sampling/proposals/encodings.h"
#include "sampling/proposals/proposal.h"
#include "tensor/ops/draw.h"

namespace arbg::sampling {

using tensor::Decoding;

class GrowingSamples;

// The bins of a map's coordinates: V on each coordinate's support.
nn::CoordinateBins bins_of(const md::CoordinateMap& map, std::int64_t bins);

// A network of those sizes for a map's coordinates. config has none yet: neither dim_index nor
// atom_index.
nn::TransformerConfig network_for(nn::TransformerConfig config, const md::CoordinateMap& map);

class Generator {
 public:
  // Throws Error if the network, the bins and the map disagree about lengths or bin counts. A
  // conditioned network, and no other, is told its molecule, which may be shorter than the network;
  // bins and map are the molecule's. A network with placement energies, and no other, is told where
  // they come from (atom_placement.h).
  Generator(nn::Transformer network, nn::CoordinateBins bins,
            std::unique_ptr<md::CoordinateMap> map, std::optional<MoleculeEncoding> molecule = {},
            std::shared_ptr<const nn::Placement> placement = {},
            nn::WithinBins within = nn::WithinBins::uniform);

  const nn::Transformer& network() const { return network_; }
  const nn::Head& head() const { return head_; }
  const nn::CoordinateBins& bins() const { return head_.bins(); }
  nn::WithinBins within_bins() const { return head_.within(); }
  const md::CoordinateMap& map() const { return *map_; }
  // That many times the molecule, for the network; undefined where it needs none.
  nn::Molecules molecules(std::int64_t count) const;

  // `count` independent samples; sample i depends on (seed, stream, first + i), the decoding and
  // the weights alone. Stops early, with fewer samples, when interrupted.
  Samples sample(const SampleOptions& options, const Decoding& decoding = {}) const;

  // The same sample by sample in the hands of the caller (growing_samples.h): `count` rows without
  // coordinates yet, a decoding that was checked, random numbers from row `first` on.
  std::unique_ptr<GrowingSamples> start(std::int64_t count, const Decoding& decoding,
                                        const Random& random, std::int64_t first) const;

  struct Encoded {
    std::vector<double> coordinates;  // z [B, K]
    std::vector<double> log_volume;   // [B]
    std::int64_t outside = 0;         // conformations with a coordinate outside the support
  };
  // Conformations [B, N, 3] to coordinates. (seed, index) feed the random frame of the Cartesian
  // map.
  Encoded encode(std::span<const double> positions_nm, std::uint64_t seed) const;

  // Density of rows of z [B, K], as sample() has it under the same decoding: the same bits on the
  // reference backend. -infinity for a row with a coordinate outside the support, of which the
  // network is not asked, or outside what truncation leaves; on the cpu backend the logits of a
  // cache and these differ by rounding, and with them, once in a great while, the last token that
  // is kept. Once stop() is true, the result is incomplete.
  std::vector<double> log_density(std::span<const double> z, const Decoding& decoding = {},
                                  const std::function<bool()>& stop = {}) const;

 private:
  std::int64_t lanes_of_device() const;
  // False: interrupted, and out is as it was.
  bool sample_lanes(const SampleOptions& options, const Decoding& decoding, std::int64_t first,
                    std::int64_t count, Samples& out) const;

  nn::Transformer network_;
  nn::BinnedHead head_;
  std::unique_ptr<md::CoordinateMap> map_;
  std::optional<MoleculeEncoding> molecule_;
};

}  // namespace arbg::sampling
