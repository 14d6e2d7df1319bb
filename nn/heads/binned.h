// Coordinates in bins: each has a categorical distribution over V cells, and within its own is
// uniform or sloped (within_bins.h).
//
//   q(z) = prod_j P(k_j | k_<j) / h_j (1 + a_j t_j),   k_j the bin of z_j, h_j its width, t_j the
//                                                      place within it (coordinate_bins.h)
//
// The slopes a_j come from the logits of the bins beside k_j at the decoding's temperature, whether
// it truncates or not (tensor/ops/bin_slope.h); of uniform bins they are 0.
//
// The parameters are logits, P = V. p is trained as P(k), of uniform bins, and drawn with the
// slopes, so that any model can be drawn from either way. The variance term of training takes log p
// with them (stairs are no noise there), and no gradient of them. Position j is fed with row
// k_{j-1} of the input table, and the first one with row V, or row 0 of a table that has no such
// row, as published. The draws of a decoding: tensor/ops/draw.h; the first random number chooses
// the bin, the second the place in it.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "nn/heads/coordinate_bins.h"
#include "nn/heads/head.h"
#include "nn/heads/within_bins.h"

namespace arbg::nn {

class BinnedHead final : public Head {
 public:
  explicit BinnedHead(CoordinateBins bins, std::shared_ptr<const Placement> placement = {},
                      WithinBins within = WithinBins::uniform)
      : bins_(std::move(bins)), placement_(std::move(placement)), within_(within) {}

  const CoordinateBins& bins() const { return bins_; }
  WithinBins within() const { return within_; }

  const Placement* placement() const override { return placement_.get(); }
  std::int64_t coordinates() const override { return bins_.coordinates(); }
  std::int64_t parameters_a_position() const override { return bins_.bins(); }
  double log_volume() const override { return bins_.log_volume(); }
  bool draws_as_trained() const override { return within_ == WithinBins::uniform; }
  using Head::inside;
  bool inside(std::int64_t j, double z) const override;
  Variable embed(const Variable& table, const Tensor& before, std::int64_t first) const override;
  Variable log_p(const Variable& parameters, const Tensor& z, std::int64_t first) const override;
  std::vector<double> log_p(const Tensor& parameters, const Tensor& z, std::int64_t first,
                            const Decoding& decoding) const override;
  PendingDraw draw(const Tensor& parameters, const Tensor& place, const Decoding& decoding,
                   const RowRandom& random) const override;
  Variable embed(const Variable& table, const PendingDraw& before) const override;
  void tell(GrowingPlacement& placement, const PendingDraw& drawn, const Tensor& place,
            const RowRandom& random) const override;
  DrawnCoordinates read(const PendingDraw& drawn, std::int64_t first,
                        const RowRandom& random) const override;
  EncodedRows encode(const Tensor& z, std::int64_t input_rows, Backend backend,
                     bool smooths) const override;
  Variable embed(const Variable& table, const EncodedRows& rows) const override;
  Variable log_p(const Variable& parameters, const EncodedRows& rows) const override;
  Tensor log_drawn(const Tensor& log_q, const Tensor& parameters, const EncodedRows& rows,
                   const Tensor& count) const override;
  Variable smoothing_term(const Variable& parameters, const EncodedRows& rows) const override;

 private:
  std::vector<std::int32_t> tokens_of(const Tensor& z, std::int64_t first) const;
  Tensor fed_with(std::int64_t table_rows, std::vector<std::int32_t> before, const Shape& shape,
                  std::int64_t first, Backend backend) const;
  EncodedRows own(const std::vector<std::int32_t>& tokens, const Shape& shape,
                  Backend backend) const;

  Tensor places_of(const std::vector<std::int32_t>& tokens, const Tensor& z, Backend backend) const;
  Tensor goes_round(Backend backend) const;
  double log_within(std::int64_t j, std::int32_t token, double slope, double z) const;

  // Of all coordinates, where they have been asked for: 1 where bins go round.
  struct Rounds {
    std::mutex mutex;
    std::map<Backend, Tensor> on;
  };

  CoordinateBins bins_;
  std::shared_ptr<const Placement> placement_;
  WithinBins within_;
  std::shared_ptr<Rounds> rounds_ = std::make_shared<Rounds>();
};

// Log probabilities of draw.h, on the host. Throws Error if one is NaN.
std::vector<double> checked_log_p(const Tensor& log_p);

}  // namespace arbg::nn
