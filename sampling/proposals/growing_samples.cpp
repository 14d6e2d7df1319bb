#include "sampling/proposals/growing_samples.h"

#include <utility>

#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/ops/place.h"

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
      draw_another_({network.backend()}, [this] { draw_next(); }),
      coordinates_(static_cast<std::size_t>(cache_.batch() * head.coordinates()), 0),
      log_p_(static_cast<std::size_t>(cache_.batch()), 0) {
  grow_placement();
}

// From the coordinates so far.
void GrowingSamples::grow_placement() {
  const auto* energies = head_.placement();
  if (!energies || !energies->works_on(network_.backend())) return;
  placement_ = energies->grow(nn::host_rows(coordinates_, head_.coordinates()), length(),
                              network_.backend());
}

// The last coordinate of every row, [B, 1]; zeros before the first.
nn::Tensor GrowingSamples::last_coordinate() const {
  const std::int64_t K = head_.coordinates(), last = length() - 1;
  std::vector<double> column(log_p_.size(), 0);
  for (std::size_t b = 0; last >= 0 && b < column.size(); ++b)
    column[b] = coordinates_[b * static_cast<std::size_t>(K) + static_cast<std::size_t>(last)];
  return nn::host_rows(column, 1);
}

nn::RowRandom GrowingSamples::row_random() const {
  constexpr auto kWords = nn::RowRandom::kWords;
  const auto K = static_cast<std::uint64_t>(head_.coordinates());
  return {random_, {kWords * static_cast<std::uint64_t>(first_) * K, kWords, kWords * K}};
}

// What the network is told of the coordinate at the cache's place.
nn::PlacementRows GrowingSamples::placement_of_next() const {
  if (placement_) return placement_->next(cache_.place());
  if (!head_.placement()) return {};
  return head_.placement_rows(nn::host_rows(coordinates_, head_.coordinates()), length(), 1,
                              network_.backend());
}

// Draws the coordinate at the cache's place, into previous_ and its row of drawn_.
void GrowingSamples::draw_next() {
  const auto& table = cache_.input_table();
  const nn::Variable embedded =
      previous_ ? head_.embed(table, *previous_) : head_.embed(table, last_coordinate(), length());
  const nn::Tensor parameters = network_.next_outputs(embedded, cache_, placement_of_next());
  const auto next = head_.draw(parameters, cache_.place(), decoding_, row_random());
  if (!previous_) {
    const nn::Shape all{head_.coordinates(), next.log_p.elements()};
    for (const auto part :
         {&nn::PendingDraw::value, &nn::PendingDraw::log_p, &nn::PendingDraw::slope}) {
      const nn::Tensor& one = next.*part;
      if (one.defined()) drawn_.*part = nn::Tensor::empty(all, one.dtype(), one.backend());
    }
    previous_ = nn::PendingDraw{next.value.clone(), {}, {}};
  } else {
    previous_->value.copy_from(next.value);
  }
  tensor::put_row(drawn_.value, cache_.place(), next.value);
  tensor::put_row(drawn_.log_p, cache_.place(), next.log_p);
  if (next.slope.defined()) tensor::put_row(drawn_.slope, cache_.place(), next.slope);
  if (placement_) head_.tell(*placement_, next, cache_.place(), row_random());
  cache_.advance();
}

// Draws first and reads afterwards: between coordinates nobody waits for the device, unless the
// host has to know a coordinate to tell the energies of the next.
bool GrowingSamples::grow(std::int64_t length) {
  require(length <= head_.coordinates(), "samples grow to ", head_.coordinates(),
          " coordinates, not to ", length);
  const autograd::NoGradient no_graph;
  const bool waits = head_.placement() && !placement_;
  std::int64_t taken = cache_.length();
  const auto take_new = [&] {
    if (cache_.length() > taken) take(taken, cache_.length() - taken);
    taken = cache_.length();
  };
  while (cache_.length() < length && !interrupted()) {
    const auto j = cache_.length();
    if (previous_ && !waits)
      draw_another_.run();
    else
      draw_next();
    cache_.set_length(j + 1);
    if (waits) take_new();
  }
  take_new();
  return cache_.length() >= length;
}

// Coordinates first ... first + count - 1 of every row, from the device.
void GrowingSamples::take(std::int64_t first, std::int64_t count) {
  const auto K = static_cast<std::size_t>(head_.coordinates()), B = log_p_.size();
  const auto rows = [&](const nn::Tensor& x) { return x.defined() ? x.rows(first, count) : x; };
  const auto read =
      head_.read({rows(drawn_.value), rows(drawn_.log_p), rows(drawn_.slope)}, first, row_random());
  for (std::size_t i = 0; i < read.z.size(); ++i) {
    const std::size_t b = i % B;
    coordinates_[b * K + static_cast<std::size_t>(first) + i / B] = read.z[i];
    log_p_[b] += read.log_p[i];
    if (planted(Defect::float32_log_q)) log_p_[b] = static_cast<float>(log_p_[b]);
  }
}

void GrowingSamples::select(std::span<const std::int64_t> from) {
  require(length() > 0 || std::ssize(from) == count(), "before the first draw rows stay as many");
  if (!planted(Defect::selection_keeps_z))
    coordinates_ = gathered(coordinates_, from, head_.coordinates());
  log_p_ = gathered(log_p_, from, 1);
  if (length() == 0) return;  // all rows are alike
  cache_.select(from);
  previous_.reset();
  draw_another_.forget();
  grow_placement();
}

std::span<const double> GrowingSamples::coordinates(std::int64_t row) const {
  const auto K = static_cast<std::size_t>(head_.coordinates());
  return std::span(coordinates_).subspan(static_cast<std::size_t>(row) * K, K);
}

}  // namespace arbg::sampling
