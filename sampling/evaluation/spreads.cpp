#include "sampling/evaluation/spreads.h"

#include <algorithm>
#include <cmath>

#include "metrics/statistics/histogram.h"
#include "sampling/evaluation/parts.h"

namespace arbg::sampling {
namespace {

constexpr std::size_t kCells = 51;

std::vector<double> edges_of(const Observable& observable, const std::vector<double>& reference) {
  if (observable.turns) return metrics::uniform_edges(-180, 180, kCells);
  const auto [low, high] = std::ranges::minmax(reference);
  if (observable.counts)
    return metrics::uniform_edges(low - 0.5, high + 0.5, static_cast<std::size_t>(high - low) + 1);
  // What differs by rounding alone is in one cell.
  const double margin = std::max(0.01 * (high - low), 1e-6 * std::max(1.0, std::abs(low)));
  return metrics::uniform_edges(low - margin, high + margin, kCells);
}

// The cell of each value; the first and the last are what lies outside.
std::vector<std::size_t> cells_of(const std::vector<double>& values,
                                  const std::vector<double>& edges) {
  std::vector<std::size_t> out;
  for (const double value : values) {
    const auto cell =
        static_cast<std::size_t>(std::ranges::upper_bound(edges, value) - edges.begin());
    out.push_back(value == edges.back() ? cell - 1 : cell);  // the last edge belongs to its cell
  }
  return out;
}

// The share of values in each cell but the two outside.
std::vector<double> masses(const std::vector<std::size_t>& of_values, std::size_t cells) {
  std::vector<double> out(cells);
  for (const std::size_t cell : of_values) out[cell] += 1 / static_cast<double>(of_values.size());
  return {out.begin() + 1, out.end() - 1};
}

// The conformations that are compared, [points, N, 3] each.
struct Conformations {
  std::vector<double> weighted, raw, reference, reference_of_raw, left, right;
};

Spread spread_of(const Observable& observable, const Conformations& x, const Points& at) {
  const auto of_reference = observable.measure(x.reference);
  Spread out{observable.group,
             observable.name,
             observable.unit,
             edges_of(observable, of_reference),
             {},
             {},
             {},
             {}};
  const std::size_t cells = out.edges.size() + 1,
                    each = of_reference.size() / at.reference.rows.size();
  const auto cells_in = [&](const std::vector<double>& positions) {
    return cells_of(observable.measure(positions), out.edges);
  };
  const auto weighted = cells_in(x.weighted), raw = cells_in(x.raw),
             reference = cells_of(of_reference, out.edges);
  out.samples = masses(weighted, cells);
  out.drawn = masses(raw, cells);
  out.reference = masses(reference, cells);
  const auto divergence = [&](const std::vector<std::size_t>& a,
                              const std::vector<std::size_t>& b) {
    return measured_cells(a, b, cells, each, metrics::divergence_potentials);
  };
  const auto beside_raw = x.reference_of_raw.empty() ? reference : cells_in(x.reference_of_raw);
  out.jsd = with_intervals({divergence(weighted, reference), divergence(raw, beside_raw),
                            divergence(cells_in(x.left), cells_in(x.right))},
                           at);
  return out;
}

// The share of values below the limit, part by part.
Ratio share_below(std::span<const double> values, double limit, std::span<const double> weights,
                  const Parts& parts) {
  std::vector<double> below(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] < limit) below[i] = weights.empty() ? 1 : weights[i];
  return {parts.sum(below), parts.sum(weights)};
}

}  // namespace

std::vector<Spread> compare_spreads(const std::vector<Observable>& observables,
                                    const WeightedEnsemble& samples,
                                    const ReferenceEnsemble& reference, const Points& at) {
  std::vector<Spread> out;
  if (at.raw.rows.empty()) return out;
  const auto width = 3 * reference.topology.atoms.size();
  const auto of_samples = [&](const Side& side) {
    return pick(samples.positions_nm, side.rows, width);
  };
  const auto of_reference = [&](const Side& side) {
    return pick(reference.positions_nm, side.rows, width);
  };
  const bool other_frames = at.reference_of_raw.rows != at.reference.rows;  // fewer as drawn
  const Conformations x{of_samples(at.weighted),
                        of_samples(at.raw),
                        of_reference(at.reference),
                        other_frames ? of_reference(at.reference_of_raw) : std::vector<double>(),
                        of_reference(at.left),
                        of_reference(at.right)};
  for (const Observable& observable : observables) out.push_back(spread_of(observable, x, at));
  return out;
}

Folding compare_folding(std::span<const double> structure_nm, double limit_nm,
                        const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                        std::span<const double> weight, std::uint64_t seed) {
  const auto of_samples = c_alpha_rmsd(reference.topology, structure_nm, samples.positions_nm),
             of_frames = c_alpha_rmsd(reference.topology, structure_nm, reference.positions_nm);
  const Parts parts = parts_of(samples),
              replicas = replicas_of(reference.frames(), reference.replicas);
  const Ratio s = share_below(of_samples, limit_nm, weight, parts),
              r = share_below(of_frames, limit_nm, {}, replicas);
  Folding out;
  out.limit_nm = limit_nm;
  out.samples = share_over(s, independent_draws(parts, weight), seed);
  out.reference = share_over(r, independent_draws(replicas, {}), seed);
  out.difference = difference_of_shares(s, out.samples, r, out.reference, seed);
  out.drawn = share_below(of_samples, limit_nm, {}, parts).of_all();
  return out;
}

}  // namespace arbg::sampling
