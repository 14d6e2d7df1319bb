#include "sampling/proposals/autoregressive.h"

#include <algorithm>

#include "sampling/proposals/growing_samples.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {

AutoregressiveProposal::AutoregressiveProposal(const Generator& generator, const Decoding& decoding)
    : generator_(generator), decoding_(decoding) {
  decoding_.check();
}

Samples AutoregressiveProposal::draw(const SampleOptions& options) const {
  return generator_.sample(options, decoding_);
}

std::vector<double> AutoregressiveProposal::log_density(std::span<const double> z) const {
  constexpr std::int64_t kRows = 16;  // between two looks at Ctrl-C: one pass of the network
  const std::int64_t K = map().size(), count = std::ssize(z) / K;
  require(std::ssize(z) == count * K, "expected rows of ", K, " coordinates, got ", z.size(),
          " in all");
  std::vector<double> out(static_cast<std::size_t>(count), 0.0);
  parallel_for((count + kRows - 1) / kRows, [&](std::int64_t batch) {
    if (interrupted()) return;
    const std::int64_t first = batch * kRows, rows = std::min(kRows, count - first);
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(rows * K));
    generator_.bins().encode_rows(z.subspan(static_cast<std::size_t>(first * K), tokens.size()),
                                  tokens);
    std::ranges::copy(generator_.log_density(tokens, decoding_), out.begin() + first);
  });
  return out;
}

bool AutoregressiveProposal::inside(std::span<const double> z) const {
  std::vector<std::int32_t> tokens(z.size());
  return generator_.bins().encode_rows(z, tokens) == 0;
}

std::vector<std::string> AutoregressiveProposal::labels() const {
  if (decoding_.biased()) return {kTruncated};
  return {};
}

std::unique_ptr<Growth> AutoregressiveProposal::grow(std::int64_t count, const Random& random,
                                                     std::int64_t first) const {
  return std::make_unique<GrowingSamples>(generator_.start(count, decoding_, random, first));
}

}  // namespace arbg::sampling
