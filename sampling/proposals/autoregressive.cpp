#include "sampling/proposals/autoregressive.h"

#include "sampling/proposals/growing_samples.h"
#include "tensor/base/interrupt.h"

namespace arbg::sampling {

AutoregressiveProposal::AutoregressiveProposal(const Generator& generator, const Decoding& decoding)
    : generator_(generator), decoding_(decoding) {
  decoding_.check();
}

Samples AutoregressiveProposal::draw(const SampleOptions& options) const {
  return generator_.sample(options, decoding_);
}

std::vector<double> AutoregressiveProposal::log_density(std::span<const double> z) const {
  return generator_.log_density(z, decoding_, interrupted);
}

bool AutoregressiveProposal::inside(std::span<const double> z) const {
  return generator_.head().inside(z);
}

std::vector<std::string> AutoregressiveProposal::labels() const {
  if (decoding_.biased()) return {kTruncated};
  return {};
}

std::unique_ptr<Growth> AutoregressiveProposal::grow(std::int64_t count, const Random& random,
                                                     std::int64_t first) const {
  return generator_.start(count, decoding_, random, first);
}

}  // namespace arbg::sampling
