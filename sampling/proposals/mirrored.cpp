#include "sampling/proposals/mirrored.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"

namespace arbg::sampling {
namespace {

std::vector<double> negative(std::span<const double> values) {
  std::vector<double> out(values.begin(), values.end());
  for (double& value : out) value = -value;
  return out;
}

double log_sum(double a, double b) {
  const double larger = std::max(a, b), smaller = std::min(a, b);
  return std::isinf(larger) ? larger : larger + std::log1p(std::exp(smaller - larger));
}

}  // namespace

void require_reflectable(const md::CoordinateMap& map, Mirror rule) {
  require(rule == Mirror::none || map.has_mirror_images(),
          "mirror images are reflected in Cartesian coordinates only; the model has ", map.name(),
          " ones, whose phases leave no mirror images");
}

MirroredProposal::MirroredProposal(std::unique_ptr<const Proposal> inner, const Target& target,
                                   Mirror rule)
    : inner_(std::move(inner)), target_(target), rule_(rule) {
  require(rule != Mirror::none, "expected a rule that reflects mirror images");
  require_reflectable(inner_->map(), rule);
}

MirroredProposal::Hand MirroredProposal::hand_of(std::span<const double> positions_nm) const {
  const bool right = target_.has_right_hand(positions_nm),
             mirror_right = target_.has_right_hand(negative(positions_nm));
  if (right == mirror_right) return Hand::none;
  return right ? Hand::right : Hand::wrong;
}

MirroredProposal::Hand MirroredProposal::hand_at(std::span<const double> z) const {
  std::vector<double> x(static_cast<std::size_t>(map().atom_count()) * 3);
  map().decode(z, x);
  return hand_of(x);
}

Samples MirroredProposal::draw(const SampleOptions& options) const {
  Samples out = inner_->draw(options);
  const auto K = static_cast<std::size_t>(map().size()),
             frame = static_cast<std::size_t>(map().atom_count()) * 3;
  const std::vector<double> mirrored = negative(out.coordinates);
  std::vector<double> mirrored_log_q;
  if (rule_ == Mirror::reflect) mirrored_log_q = inner_->log_density(mirrored);
  if (interrupted()) out.resize(0, map());
  for (std::int64_t row = 0; row < out.count(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    const Hand hand = hand_of(std::span(out.positions_nm).subspan(i * frame, frame));
    if (hand == Hand::none) continue;
    if (rule_ == Mirror::reflect) out.log_q[i] = log_sum(out.log_q[i], mirrored_log_q[i]);
    if (hand == Hand::right) continue;
    out.put(row, std::span(mirrored).subspan(i * K, K), out.log_q[i], map());
    ++out.reflected;
  }
  return out;
}

std::vector<double> MirroredProposal::log_density(std::span<const double> z) const {
  const auto K = static_cast<std::size_t>(map().size());
  auto out = inner_->log_density(z);
  const auto mirrored_log_q = inner_->log_density(negative(z));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Hand hand = hand_at(z.subspan(i * K, K));
    if (hand == Hand::right) out[i] = log_sum(out[i], mirrored_log_q[i]);
    if (hand == Hand::wrong) out[i] = -INFINITY;
  }
  return out;
}

bool MirroredProposal::inside(std::span<const double> z) const {
  const Hand hand = hand_at(z);
  if (hand == Hand::wrong) return false;
  return inner_->inside(z) || (hand == Hand::right && inner_->inside(negative(z)));
}

std::vector<std::string> MirroredProposal::labels() const {
  auto out = inner_->labels();
  if (rule_ == Mirror::keep_old_log_q) out.emplace_back(kOldLogQ);
  return out;
}

}  // namespace arbg::sampling
