#include "nn/heads/binned.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/functions.h"
#include "nn/heads/label_smoothing.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/ops/add_log_slopes.h"
#include "tensor/ops/bin_slope.h"
#include "tensor/ops/gather_rows.h"

namespace arbg::nn {

namespace ag = autograd;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_outside(std::int32_t token) { return token == CoordinateBins::kOutside; }

// Bin 0 stands for what is outside.
std::vector<std::int32_t> in_bins(std::vector<std::int32_t> tokens) {
  std::ranges::replace(tokens, CoordinateBins::kOutside, 0);
  return tokens;
}

// Those, where the network is.
Tensor index_of(std::vector<std::int32_t> tokens, const Shape& shape, Backend backend) {
  return Tensor::from_indices(in_bins(std::move(tokens)), shape, backend);
}

// 0 or -infinity, where a token is outside; undefined if none is.
Tensor outside_of(const std::vector<std::int32_t>& tokens, const Shape& shape, Backend backend) {
  if (std::ranges::none_of(tokens, is_outside)) return {};
  std::vector<double> terms;
  for (const auto token : tokens) terms.push_back(is_outside(token) ? -kInfinity : 0);
  return Tensor::from_values(terms, shape, backend);
}

Variable with_outside(const Variable& terms, const EncodedRows& rows) {
  return rows.outside.defined() ? ag::add(terms, Variable(rows.outside)) : terms;
}

}  // namespace

std::vector<double> checked_log_p(const Tensor& log_p) {
  auto values = log_p.values();
  require(std::ranges::none_of(values, [](double value) { return std::isnan(value); }),
          "the network's logits are not finite: the checkpoint is damaged or training diverged");
  return values;
}

bool BinnedHead::inside(std::int64_t j, double z) const { return !is_outside(bins_.encode(j, z)); }

// Of z [B, n], row by row. There is no coordinate -1: it has bin 0.
std::vector<std::int32_t> BinnedHead::tokens_of(const Tensor& z, std::int64_t first) const {
  const auto n = z.extent(1);
  require(first + n <= coordinates(), "expected at most ", coordinates(), " coordinates, found ",
          first + n);
  const auto values = z.values();
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(z.elements()));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto j = first + static_cast<std::int64_t>(i) % n;
    tokens[i] = j < 0 ? 0 : bins_.encode(j, values[i]);
  }
  return tokens;
}

// The rows of the input table for positions first ... first + n - 1, given the tokens before each.
Tensor BinnedHead::fed_with(std::int64_t table_rows, std::vector<std::int32_t> before,
                            const Shape& shape, std::int64_t first, Backend backend) const {
  const bool own_row = table_rows > bins_.bins() && !planted(Defect::start_shares_bin_0);
  const auto start = static_cast<std::int32_t>(own_row ? bins_.bins() : 0);
  const auto n = static_cast<std::size_t>(shape[1]);
  for (std::size_t i = 0; first == 0 && i < before.size(); i += n) before[i] = start;
  return index_of(std::move(before), shape, backend);
}

EncodedRows BinnedHead::own(const std::vector<std::int32_t>& tokens, const Shape& shape,
                            Backend backend) const {
  EncodedRows rows;
  rows.own = index_of(tokens, shape, backend);
  rows.outside = outside_of(tokens, shape, backend);
  return rows;
}

Variable BinnedHead::embed(const Variable& table, const Tensor& before, std::int64_t first) const {
  const Tensor& rows = table.value();
  return ag::embedding(table, fed_with(rows.extent(0), tokens_of(before, first - 1), before.shape(),
                                       first, rows.backend()));
}

Variable BinnedHead::log_p(const Variable& parameters, const Tensor& z, std::int64_t first) const {
  return log_p(parameters, own(tokens_of(z, first), z.shape(), parameters.value().backend()));
}

EncodedRows BinnedHead::encode(const Tensor& z, std::int64_t input_rows, Backend backend,
                               bool smooths) const {
  const auto tokens = tokens_of(z, 0);
  EncodedRows rows = own(tokens, z.shape(), backend);
  auto before = tokens;
  if (!before.empty() && !planted(Defect::sees_own_token))
    std::shift_right(before.begin(), before.end(), 1);
  rows.before = fed_with(input_rows, std::move(before), z.shape(), 0, backend);
  if (smooths)
    rows.one_column =
        index_of(places_in_one_column(in_bins(tokens), bins_.bins()), z.shape(), backend);
  if (within_ == WithinBins::sloped) rows.within = places_of(tokens, z, backend);
  if (placement_ && placement_->works_on(backend)) {
    rows.coordinates = Tensor::empty(z.shape(), tensor::DType::f64, backend);
    rows.coordinates.copy_from(z);
  } else {
    rows.placement = placement_rows(z, 0, z.extent(1), backend);
  }
  return rows;
}

// Places within bins of whole rows, where the network is; 0 outside.
Tensor BinnedHead::places_of(const std::vector<std::int32_t>& tokens, const Tensor& z,
                             Backend backend) const {
  auto places = z.values();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto j = static_cast<std::int64_t>(i) % z.extent(1);
    places[i] = is_outside(tokens[i]) ? 0 : bins_.place_in_bin(j, tokens[i], places[i]);
  }
  Tensor there = Tensor::empty(z.shape(), tensor::DType::f64, backend);
  there.copy_from(Tensor::from_values(places, z.shape(), Backend::reference));
  return there;
}

Tensor BinnedHead::log_drawn(const Tensor& log_q, const Tensor& parameters, const EncodedRows& rows,
                             const Tensor& count) const {
  if (!rows.within.defined()) return log_q;
  const Tensor round = goes_round(parameters.backend()).rows(0, rows.own.extent(1));
  return tensor::add_log_slopes(log_q, tensor::bin_slope(parameters, rows.own, round, 1),
                                rows.within, count);
}

Variable BinnedHead::embed(const Variable& table, const EncodedRows& rows) const {
  return ag::embedding(table, rows.before);
}

Variable BinnedHead::log_p(const Variable& parameters, const EncodedRows& rows) const {
  return with_outside(ag::log_prob(parameters, rows.own), rows);
}

std::vector<double> BinnedHead::log_p(const Tensor& parameters, const Tensor& z, std::int64_t first,
                                      const Decoding& decoding) const {
  const auto tokens = tokens_of(z, first);
  const Tensor index = index_of(tokens, z.shape(), parameters.backend());
  auto log_p = checked_log_p(tensor::log_categorical(parameters, index, decoding));
  const auto n = z.extent(1);
  if (within_ == WithinBins::sloped) {
    const Tensor rounds = goes_round(parameters.backend()).rows(first, n);
    const auto slopes = tensor::bin_slope(parameters, index, rounds, decoding.temperature).values();
    const auto values = z.values();
    for (std::size_t i = 0; i < tokens.size(); ++i)
      if (!is_outside(tokens[i]))
        log_p[i] +=
            log_within(first + static_cast<std::int64_t>(i) % n, tokens[i], slopes[i], values[i]);
  }
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (is_outside(tokens[i])) log_p[i] = -kInfinity;
  return log_p;
}

// Made when first asked for, which uploads.
Tensor BinnedHead::goes_round(Backend backend) const {
  const std::lock_guard lock(rounds_->mutex);
  Tensor& here = rounds_->on[backend];
  if (!here.defined()) {
    std::vector<std::int32_t> flags;
    for (std::int64_t j = 0; j < coordinates(); ++j) flags.push_back(bins_.axis(j).periodic);
    here = Tensor::from_indices(flags, {coordinates()}, backend);
  }
  return here;
}

double BinnedHead::log_within(std::int64_t j, std::int32_t token, double slope, double z) const {
  return log_sloped(slope, bins_.place_in_bin(j, token, z));
}

PendingDraw BinnedHead::draw(const Tensor& parameters, const Tensor& place,
                             const Decoding& decoding, const RowRandom& random) const {
  auto drawn = tensor::draw_categorical(parameters, decoding, random.random, random.words, place);
  PendingDraw out{std::move(drawn.index), std::move(drawn.log_p), {}};
  if (within_ == WithinBins::uniform) return out;
  const auto B = parameters.extent(0), V = parameters.extent(1);
  const Tensor round = tensor::gather_rows(goes_round(parameters.backend()), place);
  out.slope = tensor::bin_slope(parameters.reshape({B, 1, V}), out.value.reshape({B, 1}), round,
                                decoding.temperature)
                  .reshape({B});
  return out;
}

Variable BinnedHead::embed(const Variable& table, const PendingDraw& before) const {
  return ag::embedding(table, before.value.reshape({before.value.extent(0), 1}));
}

void BinnedHead::tell(GrowingPlacement& placement, const PendingDraw& drawn, const Tensor& place,
                      const RowRandom& random) const {
  auto within = random.words;  // the second number
  ++within.first;
  placement.add(drawn.value, drawn.slope, place, random.random, within);
}

DrawnCoordinates BinnedHead::read(const PendingDraw& drawn, std::int64_t first,
                                  const RowRandom& random) const {
  DrawnCoordinates out{{}, checked_log_p(drawn.log_p)};
  const auto B = drawn.value.extent(-1);
  const auto slopes = drawn.slope.defined() ? drawn.slope.values() : std::vector<double>{};
  for (const auto token : drawn.value.indices()) {
    const auto i = out.z.size();
    const auto b = static_cast<std::int64_t>(i) % B, j = first + static_cast<std::int64_t>(i) / B;
    const double u = random.uniform(b, j, 1);
    out.z.push_back(bins_.decode(j, token, slopes.empty() ? u : sloped_place(u, slopes[i])));
    if (!slopes.empty()) out.log_p[i] += log_within(j, token, slopes[i], out.z[i]);
  }
  return out;
}

Variable BinnedHead::smoothing_term(const Variable& parameters, const EncodedRows& rows) const {
  require(rows.one_column.defined(), "label smoothing needs rows that were encoded for it");
  return with_outside(nn::smoothing_term(parameters, rows.one_column), rows);
}

}  // namespace arbg::nn
