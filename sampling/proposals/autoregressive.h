// A network that draws one coordinate after the other, by one decoding, as a proposal.
//
// The same network under another decoding is another proposal: each is made where it is needed and
// costs nothing.
#pragma once

#include "sampling/proposals/generator.h"

namespace arbg::sampling {

inline constexpr const char* kTruncated =
    "biased: truncation removes support; weights are not consistent";

class AutoregressiveProposal final : public Proposal {
 public:
  // The generator must outlive the proposal. Throws Error for a decoding out of its range.
  explicit AutoregressiveProposal(const Generator& generator, const Decoding& decoding = {});

  const Generator& generator() const { return generator_; }
  const Decoding& decoding() const { return decoding_; }

  const md::CoordinateMap& map() const override { return generator_.map(); }
  tensor::Device device() const override { return {generator_.network().backend()}; }
  Samples draw(const SampleOptions& options) const override;
  // On the reference backend the same bits as draw() has; on the cpu backend the logits of a cache
  // and these differ by rounding (generator.h).
  std::vector<double> log_density(std::span<const double> z) const override;
  bool inside(std::span<const double> z) const override;
  bool covers_support() const override { return !decoding_.biased(); }
  std::vector<std::string> labels() const override;
  std::unique_ptr<Growth> grow(std::int64_t count, const Random& random,
                               std::int64_t first) const override;

 private:
  const Generator& generator_;
  Decoding decoding_;
};

}  // namespace arbg::sampling
