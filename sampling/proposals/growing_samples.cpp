#include "sampling/proposals/growing_samples.h"

#include <utility>

#include "tensor/base/defects.h"
#include "tensor/base/interrupt.h"

namespace arbg::sampling {
namespace {

// Row i of the result is row from[i] of x [B, width].
std::vector<double> gathered(const std::vector<double>& x, std::span<const std::int64_t> from,
                             std::int64_t width) {
  std::vector<double> out;
  out.reserve(from.size() * static_cast<std::size_t>(width));
  for (const auto row : from) {
    const auto begin = x.begin() + row * width;
    out.insert(out.end(), begin, begin + width);
  }
  return out;
}

}  // namespace

GrowingSamples::GrowingSamples(const nn::Transformer& network, const nn::Head& head,
                               nn::KvCache cache, const nn::Decoding& decoding,
                               const Random& random, std::int64_t first)
    : network_(network),
      head_(head),
      decoding_(decoding),
      random_(random),
      first_(first),
      cache_(std::move(cache)),
      coordinates_(static_cast<std::size_t>(cache_.batch() * head.coordinates()), 0),
      log_p_(static_cast<std::size_t>(cache_.batch()), 0) {}

// The last coordinate of every row, [B, 1]; zeros before the first.
nn::Tensor GrowingSamples::last_coordinate() const {
  const std::int64_t K = head_.coordinates(), last = length() - 1;
  std::vector<double> column(log_p_.size(), 0);
  for (std::size_t b = 0; last >= 0 && b < column.size(); ++b)
    column[b] = coordinates_[b * static_cast<std::size_t>(K) + static_cast<std::size_t>(last)];
  return nn::host_rows(column, 1);
}

nn::RowRandom GrowingSamples::random_of(std::int64_t j) const {
  constexpr auto kWords = nn::RowRandom::kWords;
  const std::int64_t K = head_.coordinates();
  return {random_, kWords * static_cast<std::uint64_t>(first_ * K + j),
          kWords * static_cast<std::uint64_t>(K)};
}

// Draws first and reads afterwards: between coordinates nobody waits for the device.
bool GrowingSamples::grow(std::int64_t length) {
  const autograd::NoGradient no_graph;
  const std::int64_t begin = cache_.length();
  std::vector<nn::PendingDraw> drawn;
  for (auto j = begin; j < length && !interrupted(); ++j) {
    const auto& table = cache_.input_table();
    const auto embedded =
        previous_ ? head_.embed(table, *previous_) : head_.embed(table, last_coordinate(), j);
    const nn::Tensor parameters = network_.next_outputs(embedded, cache_);
    previous_ = head_.draw(parameters, decoding_, random_of(j));
    drawn.push_back(*previous_);
  }
  for (auto j = begin; j < cache_.length(); ++j) take(j, drawn[static_cast<std::size_t>(j - begin)]);
  return cache_.length() >= length;
}

// Coordinate j of every row, from the device.
void GrowingSamples::take(std::int64_t j, const nn::PendingDraw& drawn) {
  const auto K = static_cast<std::size_t>(head_.coordinates());
  const auto read = head_.read(drawn, j, random_of(j));
  for (std::size_t b = 0; b < log_p_.size(); ++b) {
    coordinates_[b * K + static_cast<std::size_t>(j)] = read.z[b];
    log_p_[b] += read.log_p[b];
    if (planted(Defect::float32_log_q)) log_p_[b] = static_cast<float>(log_p_[b]);
  }
}

void GrowingSamples::select(std::span<const std::int64_t> from) {
  coordinates_ = gathered(coordinates_, from, head_.coordinates());
  log_p_ = gathered(log_p_, from, 1);
  if (length() == 0) return;  // all rows are alike
  cache_.select(from);
  previous_.reset();
}

std::span<const double> GrowingSamples::coordinates(std::int64_t row) const {
  const auto K = static_cast<std::size_t>(head_.coordinates());
  return std::span(coordinates_).subspan(static_cast<std::size_t>(row) * K, K);
}

}  // namespace arbg::sampling
