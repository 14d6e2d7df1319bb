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

// Draws first and reads afterwards: between coordinates nobody waits for the device.
bool GrowingSamples::grow(std::int64_t length) {
  const std::int64_t K = bins_.coordinates(), begin = cache_.length();
  std::vector<tensor::Drawn> drawn;
  while (cache_.length() < length && !interrupted()) {
    const auto number = static_cast<std::uint64_t>(2 * (first_ * K + cache_.length()));
    const nn::Tensor logits = network_.next_logits(previous_, cache_);
    drawn.push_back(tensor::draw_categorical(logits, decoding_, random_, number,
                                             static_cast<std::uint64_t>(2 * K)));
    previous_ = drawn.back().index;
  }
  for (std::int64_t j = begin; j < cache_.length(); ++j)
    take(j, drawn[static_cast<std::size_t>(j - begin)]);
  return cache_.length() >= length;
}

// Coordinate j of every row, from the device.
void GrowingSamples::take(std::int64_t j, const tensor::Drawn& drawn) {
  const std::int64_t K = bins_.coordinates();
  const auto token = drawn.index.indices();
  const auto log_p = checked_log_p(drawn.log_p);
  for (std::int64_t row = 0; row < count(); ++row) {
    const auto b = static_cast<std::size_t>(row), at = static_cast<std::size_t>(row * K + j);
    const auto number = static_cast<std::uint64_t>(2 * ((first_ + row) * K + j));
    tokens_[at] = token[b];
    coordinates_[at] = bins_.decode(j, token[b], random_.uniform(number + 1));
    log_p_[b] += log_p[b];
    if (planted(Defect::float32_log_q)) log_p_[b] = static_cast<float>(log_p_[b]);
  }
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
