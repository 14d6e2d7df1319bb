// Samples that grow together through one cache of the network, coordinate by coordinate.
//
// Row b draws its coordinate j with the uniform numbers 2 ((first + b) K + j) and the next of
// `random` (nn/heads/head.h). A copy made by select() goes on with the numbers of its new row, so
// that copies part.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "nn/heads/head.h"
#include "sampling/proposals/proposal.h"
#include "tensor/device/repeated.h"

namespace arbg::sampling {

class GrowingSamples final : public Growth {
 public:
  // An empty cache of the network, a row for each sample. Network and head must outlive this
  // object.
  GrowingSamples(const nn::Transformer& network, const nn::Head& head, nn::KvCache cache,
                 const nn::Decoding& decoding, const Random& random, std::int64_t first);
  GrowingSamples(const GrowingSamples&) = delete;  // its repeated work knows where it is
  GrowingSamples& operator=(const GrowingSamples&) = delete;

  std::int64_t count() const override { return static_cast<std::int64_t>(log_p_.size()); }
  std::int64_t length() const { return cache_.length(); }  // coordinates drawn so far

  [[nodiscard]] bool grow(std::int64_t length) override;
  void select(std::span<const std::int64_t> from) override;

  std::span<const double> coordinates(std::int64_t row) const override;
  // Sum of the head's log p of the coordinates drawn so far.
  double log_p(std::int64_t row) const override { return log_p_[static_cast<std::size_t>(row)]; }
  double log_q(std::int64_t row) const override { return log_p(row) - head_.log_volume(); }

 private:
  nn::Tensor last_coordinate() const;
  nn::RowRandom row_random() const;
  nn::PlacementRows placement_of_next() const;
  void draw_next();
  void grow_placement();
  void take(std::int64_t first, std::int64_t count);

  const nn::Transformer& network_;
  const nn::Head& head_;
  nn::Decoding decoding_;
  Random random_;
  std::int64_t first_;
  nn::KvCache cache_;
  std::unique_ptr<nn::GrowingPlacement> placement_;  // where energies are the device's work
  std::optional<nn::PendingDraw> previous_;          // the last coordinate, until select()
  nn::PendingDraw drawn_;                            // [K, B]; rows of coordinates since then
  tensor::Repeated draw_another_;                    // from the previous one
  std::vector<double> coordinates_;                  // [B, K]
  std::vector<double> log_p_;                        // [B]
};

}  // namespace arbg::sampling
