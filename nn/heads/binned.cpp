#include "nn/heads/binned.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/functions.h"
#include "nn/heads/label_smoothing.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"

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
Tensor index_of(std::vector<std::int32_t> tokens, const Tensor& z, Backend backend) {
  return Tensor::from_indices(in_bins(std::move(tokens)), z.shape(), backend);
}

// terms [B, n], -infinity where a token is outside.
Variable infinite_outside(const Variable& terms, const std::vector<std::int32_t>& tokens) {
  if (std::ranges::none_of(tokens, is_outside)) return terms;
  std::vector<double> of_outside;
  for (const auto token : tokens) of_outside.push_back(is_outside(token) ? -kInfinity : 0);
  return ag::add(terms, Variable(Tensor::from_values(of_outside, terms.value().shape(),
                                                     terms.value().backend())));
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

Variable BinnedHead::embed(const Variable& table, const Tensor& before, std::int64_t first) const {
  auto tokens = tokens_of(before, first - 1);
  const bool own_row =
      table.value().extent(0) > bins_.bins() && !planted(Defect::start_shares_bin_0);
  const auto start = static_cast<std::int32_t>(own_row ? bins_.bins() : 0);
  const auto n = static_cast<std::size_t>(before.extent(1));
  for (std::size_t i = 0; first == 0 && i < tokens.size(); i += n) tokens[i] = start;
  return ag::embedding(table, index_of(std::move(tokens), before, table.value().backend()));
}

Variable BinnedHead::log_p(const Variable& parameters, const Tensor& z, std::int64_t first) const {
  const auto tokens = tokens_of(z, first);
  const auto backend = parameters.value().backend();
  const Variable log_p = ag::log_prob(parameters, index_of(tokens, z, backend));
  return infinite_outside(log_p, tokens);
}

std::vector<double> BinnedHead::log_p(const Tensor& parameters, const Tensor& z, std::int64_t first,
                                      const Decoding& decoding) const {
  const auto tokens = tokens_of(z, first);
  auto log_p = checked_log_p(
      tensor::log_categorical(parameters, index_of(tokens, z, parameters.backend()), decoding));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (is_outside(tokens[i])) log_p[i] = -kInfinity;
  return log_p;
}

PendingDraw BinnedHead::draw(const Tensor& parameters, const Tensor& place,
                             const Decoding& decoding, const RowRandom& random) const {
  auto drawn = tensor::draw_categorical(parameters, decoding, random.random, random.words, place);
  return {std::move(drawn.index), std::move(drawn.log_p)};
}

Variable BinnedHead::embed(const Variable& table, const PendingDraw& before) const {
  return ag::embedding(table, before.value.reshape({before.value.extent(0), 1}));
}

DrawnCoordinates BinnedHead::read(const PendingDraw& drawn, std::int64_t first,
                                  const RowRandom& random) const {
  DrawnCoordinates out{{}, checked_log_p(drawn.log_p)};
  const auto B = drawn.value.extent(-1);
  for (const auto token : drawn.value.indices()) {
    const auto i = std::ssize(out.z), j = first + i / B;
    out.z.push_back(bins_.decode(j, token, random.uniform(i % B, j, 1)));
  }
  return out;
}

Variable BinnedHead::smoothing_term(const Variable& parameters, const Tensor& z,
                                    std::int64_t first) const {
  const auto tokens = tokens_of(z, first);
  return infinite_outside(nn::smoothing_term(parameters, in_bins(tokens)), tokens);
}

}  // namespace arbg::nn
