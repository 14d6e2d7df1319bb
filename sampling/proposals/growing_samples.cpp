#include "sampling/proposals/growing_samples.h"

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
  const auto number_of = [K](std::int64_t row, std::int64_t j) {
    return static_cast<std::uint64_t>(2 * (row * K + j));
  };
  for (std::int64_t j = cache_.length(); j < length; ++j) {
    if (interrupted()) return false;
    const nn::Tensor logits = network_.next_logits(previous_, cache_);
    const auto drawn = tensor::draw_categorical(logits, decoding_, random_, number_of(first_, j),
                                                static_cast<std::uint64_t>(2 * K));
    const auto token = drawn.index.indices();
    const auto log_p = checked_log_p(drawn.log_p);
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto b = static_cast<std::size_t>(row), at = static_cast<std::size_t>(row * K + j);
      const double place = random_.uniform(number_of(first_ + row, j) + 1);
      tokens_[at] = token[b];
      coordinates_[at] = bins_.decode(j, token[b], place);
      log_p_[b] += log_p[b];
      if (planted(Defect::float32_log_q)) log_p_[b] = static_cast<float>(log_p_[b]);
    }
    previous_ = drawn.index;
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
