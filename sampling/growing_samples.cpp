#include "sampling/growing_samples.h"

#include <utility>

#include "tensor/base/defects.h"
#include "tensor/base/interrupt.h"

namespace arbg::sampling {
namespace {

// Row i of the result is row from[i] of x [B, width].
template <class T>
std::vector<T> gathered(const std::vector<T>& x, std::span<const std::int64_t> from,
                        std::int64_t width) {
  std::vector<T> out;
  out.reserve(from.size() * static_cast<std::size_t>(width));
  for (const auto row : from) {
    const auto begin = x.begin() + row * width;
    out.insert(out.end(), begin, begin + width);
  }
  return out;
}

}  // namespace

GrowingSamples::GrowingSamples(const nn::Transformer& network, const nn::CoordinateBins& bins,
                               nn::KvCache cache, const Decoding& decoding, const Random& random,
                               std::int64_t first)
    : network_(network),
      bins_(bins),
      decoding_(decoding),
      random_(random),
      first_(first),
      cache_(std::move(cache)),
      tokens_(static_cast<std::size_t>(cache_.batch() * bins.coordinates()), 0),
      coordinates_(tokens_.size(), 0),
      log_p_(static_cast<std::size_t>(cache_.batch()), 0) {}

bool GrowingSamples::grow(std::int64_t length) {
  const std::int64_t rows = count(), K = bins_.coordinates();
  std::vector<std::int32_t> column(static_cast<std::size_t>(rows));
  for (std::int64_t j = cache_.length(); j < length; ++j) {
    if (interrupted()) return false;
    const nn::Tensor logits = network_.next_logits(previous_, cache_);
    for (std::int64_t b = 0; b < rows; ++b) {
      const auto at = static_cast<std::size_t>(b * K + j);
      const auto index = static_cast<std::uint64_t>(2 * ((first_ + b) * K + j));
      categorical_.set(logits, b, decoding_);
      const std::int32_t token = categorical_.draw(random_.uniform(index));
      column[static_cast<std::size_t>(b)] = tokens_[at] = token;
      coordinates_[at] = bins_.decode(j, token, random_.uniform(index + 1));
      double& log_p = log_p_[static_cast<std::size_t>(b)];
      log_p += categorical_.log_probability(token);
      if (planted(Defect::float32_log_q)) log_p = static_cast<float>(log_p);
    }
    previous_ = nn::Tensor::from_indices(column, {rows}, network_.backend());
  }
  return true;
}

void GrowingSamples::select(std::span<const std::int64_t> from) {
  const std::int64_t K = bins_.coordinates(), drawn = length();
  tokens_ = gathered(tokens_, from, K);
  coordinates_ = gathered(coordinates_, from, K);
  log_p_ = gathered(log_p_, from, 1);
  if (drawn == 0) return;  // all rows are alike
  cache_.select(from);
  std::vector<std::int32_t> column;
  for (std::int64_t b = 0; b < count(); ++b) {
    column.push_back(tokens_[static_cast<std::size_t>(b * K + drawn - 1)]);
  }
  previous_ = nn::Tensor::from_indices(column, {count()}, network_.backend());
}

std::span<const std::int32_t> GrowingSamples::tokens(std::int64_t row) const {
  const auto K = static_cast<std::size_t>(bins_.coordinates());
  return std::span(tokens_).subspan(static_cast<std::size_t>(row) * K, K);
}

std::span<const double> GrowingSamples::coordinates(std::int64_t row) const {
  const auto K = static_cast<std::size_t>(bins_.coordinates());
  return std::span(coordinates_).subspan(static_cast<std::size_t>(row) * K, K);
}

}  // namespace arbg::sampling
