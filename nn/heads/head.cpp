#include "nn/heads/head.h"

#include <algorithm>

#include "nn/transformer/row_sums.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/ops/reduce.h"

namespace arbg::nn {
namespace {

constexpr std::int64_t kRows = 16, kRowsOfDevice = 256;  // in one pass of the network

// [anything, z_0 ... z_{n-2}] of every row: the first position hears of no coordinate.
Tensor shifted_right(const Tensor& z) {
  if (planted(Defect::sees_own_token)) return z;
  auto before = z.values();
  if (!before.empty()) std::shift_right(before.begin(), before.end(), 1);
  return host_rows(before, z.extent(1));
}

// Zero in rows of terms [B, n], behind the number of positions that each has.
void clear_padding(std::span<double> terms, const std::vector<std::int64_t>& positions) {
  const std::size_t n = terms.size() / positions.size();
  for (std::size_t b = 0; b < positions.size(); ++b) {
    const auto own = static_cast<std::size_t>(positions[b]);
    std::ranges::fill(terms.subspan(b * n + own, n - own), 0);
  }
}

}  // namespace

bool Head::inside(std::span<const double> z) const {
  for (std::size_t j = 0; j < z.size(); ++j)
    if (!inside(static_cast<std::int64_t>(j), z[j])) return false;
  return true;
}

PlacementRows Head::placement_rows(const Tensor& z, std::int64_t first, std::int64_t n,
                                   Backend backend) const {
  return placement() ? placement()->rows(z, first, n, backend) : PlacementRows{};
}

PlacementRows Head::placement_rows(const EncodedRows& rows) const {
  const Tensor& z = rows.coordinates;
  return z.defined() ? placement_rows(z, 0, z.extent(1), z.backend()) : rows.placement;
}

Tensor Head::log_drawn(const Tensor& log_q, const Tensor&, const EncodedRows&,
                       const Tensor&) const {
  return log_q;
}

Variable Head::smoothing_term(const Variable&, const EncodedRows&) const {
  fail("label smoothing needs a distribution over labels, as bins have; leave it out");
}

void Head::require_fits(const TransformerConfig& config) const {
  require(config.length() == coordinates() && config.num_bins == parameters_a_position(),
          "the network has ", config.length(), " positions of ", config.num_bins,
          " outputs, the coordinates are ", coordinates(), " of ", parameters_a_position(),
          " parameters each");
  require(config.placement.has_value() == (placement() != nullptr), "the network ",
          config.placement ? "needs" : "takes no", " placement energies, but its coordinates have ",
          config.placement ? "none" : "some");
}

Tensor host_rows(std::span<const double> z, std::int64_t n) {
  const auto rows = n > 0 ? std::ssize(z) / n : 0;
  require(rows * n == std::ssize(z), "expected rows of ", n, " coordinates, got ", z.size(),
          " in all");
  return Tensor::from_values(z, {rows, n}, Backend::reference);
}

Variable parameters_of(const Transformer& network, const Head& head, const Tensor& z,
                       const Molecules& molecules, const std::optional<DropoutKey>& dropout) {
  return network.outputs(head.embed(network.input_table(), shifted_right(z), 0), molecules, dropout,
                         head.placement_rows(z, 0, z.extent(1), network.backend()));
}

std::vector<double> log_likelihood(const Transformer& network, const Head& head, const Tensor& z,
                                   const Molecules& molecules,
                                   const std::optional<Decoding>& decoding,
                                   const std::function<bool()>& stop) {
  if (decoding) decoding->check();
  const auto log_p_of = [&](std::int64_t first, std::int64_t rows) {
    const autograd::NoGradient no_graph;
    const Tensor part = z.rows(first, rows);
    const Molecules own = molecules.defined() ? molecules.rows(first, rows) : molecules;
    const Variable parameters = parameters_of(network, head, part, own);
    if (decoding) {
      auto log_p = head.log_p(parameters.value(), part, 0, *decoding);
      if (own.defined()) clear_padding(log_p, network.positions_of(own, part.extent(1)));
      return log_p;
    }
    const Variable log_p = network.without_padding(head.log_p(parameters, part, 0), own);
    return tensor::sum_last_in_double(log_p.value()).values();
  };
  const tensor::Device device{network.backend()};
  return row_sums(device, z.extent(0), device.is_host() ? kRows : kRowsOfDevice, log_p_of, stop);
}

}  // namespace arbg::nn
