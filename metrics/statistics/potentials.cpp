#include "metrics/statistics/potentials.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics/weights/shares.h"
#include "tensor/base/error.h"

namespace arbg::metrics {
namespace {

Potentials of_cells(std::span<const double> p, std::span<const double> q,
                    double (*potential)(double here, double there)) {
  require(p.size() == q.size(), "expected two histograms over the same bins, found ", p.size(),
          " and ", q.size(), " bins");
  const auto p_share = shares(p, p.size()), q_share = shares(q, q.size());
  Potentials out;
  for (std::size_t c = 0; c < p.size(); ++c) {
    out.a.push_back(p_share[c] > 0 ? potential(p_share[c], q_share[c]) : 0);
    out.b.push_back(q_share[c] > 0 ? potential(q_share[c], p_share[c]) : 0);
  }
  return out;
}

std::vector<std::size_t> ascending(std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    require(std::isfinite(values[i]), "expected a finite value, found ", values[i], " at index ",
            i);
  std::vector<std::size_t> out(values.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::ranges::stable_sort(out, {}, [&](std::size_t i) { return values[i]; });
  return out;
}

}  // namespace

Potentials divergence_potentials(std::span<const double> p, std::span<const double> q) {
  return of_cells(
      p, q, [](double here, double there) { return std::log2(2 * here / (here + there)) / 2; });
}

Potentials variation_potentials(std::span<const double> p, std::span<const double> q) {
  return of_cells(p, q, [](double here, double there) {
    return here > there ? 0.5 : here < there ? -0.5 : 0;
  });
}

// The k-th smallest are partners, and f(x) + g(y) is their cost. Of neighbours x and x' with
// partners y and y', f(x') - f(x) may lie between the changes of cost of going from x to x' at y'
// and at y; it takes the middle.
Potentials line_potentials(std::span<const double> a, std::span<const double> b) {
  require(!a.empty() && a.size() == b.size(),
          "expected two equally large samples of numbers, found ", a.size(), " and ", b.size());
  const auto order_a = ascending(a), order_b = ascending(b);
  Potentials out{std::vector<double>(a.size()), std::vector<double>(b.size())};
  double f = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double x = a[order_a[k]], y = b[order_b[k]];
    if (k > 0) {
      const double x_before = a[order_a[k - 1]], y_before = b[order_b[k - 1]];
      f += (x - x_before) * (x + x_before - y - y_before);
    }
    out.a[order_a[k]] = f;
    out.b[order_b[k]] = (x - y) * (x - y) - f;
  }
  return out;
}

}  // namespace arbg::metrics
