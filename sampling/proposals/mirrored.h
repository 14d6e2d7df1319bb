// A proposal whose samples of the other hand are reflected, in coordinates with mirror images,
// where E(-x) = E(x).
//
// A network of Cartesian coordinates may propose mirror images, which weigh nothing. Reflection
// sends a sample z of the wrong hand to -z. The density of what comes out, at a z of the right hand
// whose mirror image is of the wrong one, is q(z) + q(-z), for every sample, reflected or not, and
// 0 at -z. What has no right hand either way (one centre of two mirrored) stays as it is, with q.
//
// The published code reflects and keeps the old log q, which counts such samples as if nothing else
// could have led there: their weights are biased. log_density() is the exact density of what is
// drawn under either rule.
#pragma once

#include "sampling/proposals/proposal.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

enum class Mirror {
  none,            // mirror images stay, with weight 0
  reflect,         // exact
  keep_old_log_q,  // as published: biased
};

inline constexpr const char* kOldLogQ =
    "biased, as published: mirror images are reflected and keep the log q of before";

// Throws Error if the rule reflects and the map has no mirror images.
void require_reflectable(const md::CoordinateMap& map, Mirror rule);

class MirroredProposal final : public Proposal {
 public:
  // The target, which knows the right hand, must outlive the proposal. Throws Error if the rule is
  // none or the map has no mirror images.
  MirroredProposal(std::unique_ptr<const Proposal> inner, const Target& target, Mirror rule);

  const md::CoordinateMap& map() const override { return inner_->map(); }
  tensor::Device device() const override { return inner_->device(); }
  Samples draw(const SampleOptions& options) const override;  // with the number that was reflected
  std::vector<double> log_density(std::span<const double> z) const override;
  bool inside(std::span<const double> z) const override;
  bool covers_support() const override { return inner_->covers_support(); }
  std::vector<std::string> labels() const override;

 private:
  enum class Hand { right, wrong, none };  // none: z and -z alike
  Hand hand_of(std::span<const double> positions_nm) const;
  Hand hand_at(std::span<const double> z) const;

  std::unique_ptr<const Proposal> inner_;
  const Target& target_;
  Mirror rule_;
};

}  // namespace arbg::sampling
