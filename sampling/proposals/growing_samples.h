// Samples that grow together through one cache of the network, coordinate by coordinate.
//
// Row b draws its coordinate j with the uniform numbers 2 ((first + b) K + j) and the next of
// `random`: which bin, and where in it. A copy made by select() goes on with the numbers of its new
// row, so that copies part.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/heads/coordinate_bins.h"
#include "nn/transformer/transformer.h"
#include "sampling/proposals/categorical.h"
#include "sampling/proposals/proposal.h"

namespace arbg::sampling {

class GrowingSamples final : public Growth {
 public:
  // An empty cache of the network, a row for each sample. Network and bins must outlive this
  // object.
  GrowingSamples(const nn::Transformer& network, const nn::CoordinateBins& bins, nn::KvCache cache,
                 const Decoding& decoding, const Random& random, std::int64_t first);

  std::int64_t count() const override { return static_cast<std::int64_t>(log_p_.size()); }
  std::int64_t length() const { return cache_.length(); }  // coordinates drawn so far

  [[nodiscard]] bool grow(std::int64_t length) override;
  void select(std::span<const std::int64_t> from) override;

  // Rows of K; what is not yet drawn is 0.
  std::span<const std::int32_t> tokens(std::int64_t row) const;
  std::span<const double> coordinates(std::int64_t row) const override;
  // Sum of log P of the tokens drawn so far, without bin widths.
  double log_p(std::int64_t row) const override { return log_p_[static_cast<std::size_t>(row)]; }
  double log_q(std::int64_t row) const override { return log_p(row) - bins_.log_volume(); }

 private:
  void take(std::int64_t j, const tensor::Drawn& drawn);

  const nn::Transformer& network_;
  const nn::CoordinateBins& bins_;
  Decoding decoding_;
  Random random_;
  std::int64_t first_;
  nn::KvCache cache_;
  nn::Tensor previous_;
  std::vector<std::int32_t> tokens_;  // [B, K]
  std::vector<double> coordinates_;   // [B, K]
  std::vector<double> log_p_;         // [B]
};

}  // namespace arbg::sampling
