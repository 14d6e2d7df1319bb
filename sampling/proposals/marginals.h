// Coordinates drawn independently of each other, each from a table over its bins: a proposal
// without a network.
//
//   log q(z) = sum_j [log P_j(k_j) - log h_j],   z_j uniform in bin k_j of width h_j
//
// bonded_marginals.h makes such tables from a force field alone.
#pragma once

#include "nn/heads/coordinate_bins.h"
#include "sampling/proposals/proposal.h"

namespace arbg::sampling {

class MarginalsProposal final : public Proposal {
 public:
  // P_j in proportion to rows of `weights` [K, V]. The map must outlive the proposal. Throws Error
  // for weights of another shape, or below 0, and for a row without any.
  MarginalsProposal(const md::CoordinateMap& map, nn::CoordinateBins bins,
                    std::span<const double> weights);

  const md::CoordinateMap& map() const override { return map_; }
  // Coordinate j of sample i takes the uniform numbers 2 ((first + i) K + j) and the next.
  Samples draw(const SampleOptions& options) const override;
  std::vector<double> log_density(std::span<const double> z) const override;
  bool inside(std::span<const double> z) const override;  // bins that are never drawn are outside
  bool covers_support() const override { return covers_support_; }
  std::vector<std::string> labels() const override;

 private:
  double log_density_of(std::span<const double> z) const;

  const md::CoordinateMap& map_;
  nn::CoordinateBins bins_;
  std::vector<double> log_p_;       // [K, V]
  std::vector<double> cumulative_;  // [K, V], of the weights as given
  bool covers_support_ = true;
};

}  // namespace arbg::sampling
