#include "metrics/conformations/ramachandran.h"

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "metrics/transport/wasserstein.h"
#include "tensor/base/error.h"

namespace arbg::metrics {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kDegree = kPi / 180;

bool within(double angle, double low, double high) {  // limits in degrees
  return angle >= low * kDegree && angle < high * kDegree;
}

std::vector<double> wrapped(std::span<const double> angles, const char* name) {
  std::vector<double> result(angles.size());
  for (std::size_t i = 0; i < angles.size(); ++i) {
    require(std::isfinite(angles[i]), "expected a finite ", name, ", found ", angles[i],
            " at index ", i);
    result[i] = wrapped_difference(angles[i], 0);
  }
  return result;
}

}  // namespace

Histogram2D ramachandran(std::span<const double> phi, std::span<const double> psi,
                         std::span<const double> weights, std::size_t bins) {
  const std::vector<double> edges = uniform_edges(-kPi, kPi, bins);
  return make_histogram_2d(wrapped(phi, "phi"), wrapped(psi, "psi"), weights, edges, edges);
}

std::vector<std::size_t> ramachandran_cells(std::span<const double> phi,
                                            std::span<const double> psi, std::size_t bins) {
  require(phi.size() == psi.size(), "expected as many psi as phi, found ", psi.size(), " and ",
          phi.size());
  const auto x = wrapped(phi, "phi"), y = wrapped(psi, "psi");
  const std::vector<double> edges = uniform_edges(-kPi, kPi, bins);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < x.size(); ++i)
    out.push_back(*bin_of(y[i], edges, i) * bins + *bin_of(x[i], edges, i));
  return out;
}

double total_variation(const Histogram2D& p, const Histogram2D& q) {
  require(p.x_edges == q.x_edges && p.y_edges == q.y_edges,
          "expected two histograms over the same bins");
  double total = std::fabs(p.outside - q.outside);
  for (std::size_t k = 0; k < p.mass.size(); ++k) total += std::fabs(p.mass[k] - q.mass[k]);
  return total / 2;
}

std::string_view name_of(Basin basin) {
  constexpr std::array<std::string_view, kBasins> names{"alpha-R", "beta", "alpha-L", "other"};
  return names[static_cast<std::size_t>(basin)];
}

Basin basin_of(double phi, double psi) {
  require(std::isfinite(phi) && std::isfinite(psi), "expected finite phi and psi, found ", phi,
          " and ", psi);
  phi = wrapped_difference(phi, 0);
  psi = wrapped_difference(psi, 0);
  if (within(phi, 20, 120) && within(psi, -60, 90)) return Basin::alpha_left;
  // The two ends of the circle are one: pi counts as -pi.
  if (phi >= 0 && phi < kPi) return Basin::other;
  return within(psi, -120, 50) ? Basin::alpha_right : Basin::beta;
}

double free_energy_difference(double population_a, double population_b, double kT) {
  require(population_a >= 0 && population_b >= 0 && population_a + population_b > 0,
          "expected two populations that are not both 0, found ", population_a, " and ",
          population_b);
  return -kT * std::log(population_a / population_b);
}

}  // namespace arbg::metrics
