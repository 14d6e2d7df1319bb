#include "sampling/evaluation/spreads.h"

#include <algorithm>
#include <cmath>

#include "metrics/conformations/shape.h"
#include "metrics/statistics/histogram.h"
#include "sampling/evaluation/parts.h"

namespace arbg::sampling {
namespace {

constexpr std::size_t kCells = 51;

// Values of rows whose parts are known, and the rows' numbers in each cell, part by part.
class Binned {
 public:
  Binned(std::vector<double> values, const Parts& parts, const std::vector<double>& edges)
      : cells_(edges.size() + 1), whole_(parts.weigh({})), mass_(parts.count * cells_) {
    const std::size_t each = values.size() / parts.part_of.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
      // The first and the last cell are what lies outside; the last edge belongs to its cell.
      auto cell =
          static_cast<std::size_t>(std::ranges::upper_bound(edges, values[i]) - edges.begin());
      if (values[i] == edges.back()) --cell;
      mass_[parts.part_of[i / each] * cells_ + cell] += 1;
    }
  }

  std::size_t parts() const { return whole_.size(); }
  bool enough() const { return are_enough(whole_); }

  std::vector<double> all() const {
    std::vector<double> out(cells_);
    for (std::size_t i = 0; i < mass_.size(); ++i) out[i % cells_] += mass_[i];
    return out;
  }

  // Of all but what lies outside, summing to its share.
  std::vector<double> inside() const {
    auto out = all();
    double sum = 0;
    for (const double mass : out) sum += mass;
    for (double& mass : out) mass /= sum;
    return {out.begin() + 1, out.end() - 1};
  }

  // The divergence of drawn parts from `other`; 0 says that they hold no row.
  metrics::Statistic divergence_from(std::vector<double> other) const {
    return [this, other = std::move(other)](std::span<const std::size_t> units) {
      std::vector<double> drawn(cells_);
      double sum = 0;
      for (const std::size_t unit : units) {
        for (std::size_t c = 0; c < cells_; ++c) drawn[c] += mass_[unit * cells_ + c];
        sum += whole_[unit];
      }
      return sum > 0 ? metrics::jensen_shannon_divergence(drawn, other) : 0;
    };
  }

 private:
  std::size_t cells_;
  std::vector<double> whole_, mass_;  // [parts], [parts, cells]
};

std::vector<double> edges_of(const Observable& observable, const std::vector<double>& reference) {
  if (observable.turns) return metrics::uniform_edges(-180, 180, kCells);
  const auto [low, high] = std::ranges::minmax(reference);
  if (observable.counts)
    return metrics::uniform_edges(low - 0.5, high + 0.5, static_cast<std::size_t>(high - low) + 1);
  // What differs by rounding alone is in one cell.
  const double margin = std::max(0.01 * (high - low), 1e-6 * std::max(1.0, std::abs(low)));
  return metrics::uniform_edges(low - margin, high + margin, kCells);
}

// One set of rows of all that are compared.
struct Side {
  std::vector<double> positions_nm;
  Parts parts;

  Binned binned(const Observable& observable, const std::vector<double>& edges) const {
    return {observable.measure(positions_nm), parts, edges};
  }
};

Spread spread_of(const Observable& observable, const Side& samples, const Side& drawn,
                 const Side& reference, const Side& left, const Side& right, std::uint64_t seed) {
  Spread out{observable.group, observable.name, observable.unit, {}, {}, {}, {}, {}, {}, {}, {}};
  out.edges = edges_of(observable, observable.measure(reference.positions_nm));
  const Binned s = samples.binned(observable, out.edges), d = drawn.binned(observable, out.edges),
               r = reference.binned(observable, out.edges),
               one = left.binned(observable, out.edges), two = right.binned(observable, out.edges);
  out.samples = s.inside();
  out.drawn = d.inside();
  out.reference = r.inside();
  const auto of_samples = s.divergence_from(r.all()), of_floor = one.divergence_from(two.all());
  out.of_samples = interval_over(s.parts(), of_samples, s.enough(), seed);
  out.of_floor = interval_over(one.parts(), of_floor, one.enough(), seed);
  out.above_floor = difference_over(s.parts(), of_samples, one.parts(), of_floor,
                                    s.enough() && one.enough(), seed);
  out.jsd = {out.of_samples.estimate, metrics::jensen_shannon_divergence(d.all(), r.all()),
             out.of_floor.estimate};
  return out;
}

// The replicas of one half stand in parts of their own: those of the other are none here.
Parts replicas_met(const Parts& all) {
  Parts out;
  std::vector<std::size_t> name(all.count, all.count);
  for (const std::size_t part : all.part_of) {
    if (name[part] == all.count) name[part] = out.count++;
    out.part_of.push_back(name[part]);
  }
  return out;
}

// The share of values below the limit, part by part.
struct Below {
  std::vector<double> values, whole;

  Below(std::span<const double> rmsd, double limit, std::span<const double> weights,
        const Parts& parts)
      : values(parts.count), whole(parts.weigh(weights)) {
    for (std::size_t i = 0; i < rmsd.size(); ++i)
      if (rmsd[i] < limit) values[parts.part_of[i]] += weights.empty() ? 1 : weights[i];
    for (std::size_t p = 0; p < whole.size(); ++p)
      if (whole[p] > 0) values[p] /= whole[p];
  }

  // Parts that weigh nothing, drawn alone, say nothing: then that of all.
  metrics::Statistic share(double of_all) const {
    return [mean = metrics::weighted_mean(values, whole), of_all](std::span<const std::size_t> u) {
      const double found = mean(u);
      return std::isfinite(found) ? found : of_all;
    };
  }
};

}  // namespace

std::vector<Spread> compare_spreads(const std::vector<Observable>& observables,
                                    const WeightedEnsemble& samples,
                                    const ReferenceEnsemble& reference, const Points& at,
                                    std::uint64_t seed) {
  std::vector<Spread> out;
  if (at.raw.empty()) return out;
  const auto width = 3 * reference.topology.atoms.size();
  const Parts of_samples = parts_of(samples),
              of_frames = replicas_of(reference.frames(), reference.replicas);
  const auto side = [&](std::span<const double> positions, const Parts& parts,
                        const Indices& rows) {
    return Side{pick(positions, rows, width), parts.of_rows(rows)};
  };
  const Side weighted = side(samples.positions_nm, of_samples, at.weighted),
             drawn = side(samples.positions_nm, of_samples, at.raw),
             frames = side(reference.positions_nm, of_frames, at.reference);
  Side left = side(reference.positions_nm, of_frames, at.left);
  const Side right = side(reference.positions_nm, of_frames, at.right);
  left.parts = replicas_met(left.parts);
  for (const Observable& observable : observables)
    out.push_back(spread_of(observable, weighted, drawn, frames, left, right, seed));
  return out;
}

Folding compare_folding(std::span<const double> structure_nm, double limit_nm,
                        const WeightedEnsemble& samples, const ReferenceEnsemble& reference,
                        std::span<const double> weight, std::uint64_t seed) {
  const auto of_samples = c_alpha_rmsd(reference.topology, structure_nm, samples.positions_nm),
             of_frames = c_alpha_rmsd(reference.topology, structure_nm, reference.positions_nm);
  const Below s(of_samples, limit_nm, weight, parts_of(samples)),
      r(of_frames, limit_nm, {}, replicas_of(reference.frames(), reference.replicas));
  const auto share_s = s.share(metrics::share_below(of_samples, limit_nm, weight)),
             share_r = r.share(metrics::share_below(of_frames, limit_nm, {}));
  const bool s_enough = are_enough(s.whole), r_enough = are_enough(r.whole);
  Folding out;
  out.limit_nm = limit_nm;
  out.samples = interval_over(s.whole.size(), share_s, s_enough, seed);
  out.reference = interval_over(r.whole.size(), share_r, r_enough, seed);
  out.difference =
      difference_over(s.whole.size(), share_s, r.whole.size(), share_r, s_enough && r_enough, seed);
  out.drawn = metrics::share_below(of_samples, limit_nm, {});
  return out;
}

}  // namespace arbg::sampling
