// The curves of angles before phases; all curves, capped, by lanes and devices.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tests/md/placement_conformations.h"

namespace arbg::md {

namespace {

// Whether the atom of coordinate j has bonds to two atoms before it.
bool closes_a_ring(const Conformation& c, int j) {
  const auto order = c.map->atom_order();
  const auto m = c.map->coordinates()[static_cast<std::size_t>(j)].order;
  const auto is_before = [&](int atom) {
    return std::find(order.begin(), order.begin() + m, atom) != order.begin() + m;
  };
  const int own = order[static_cast<std::size_t>(m)];
  return std::ranges::count_if(c.system.bonds, [&](const HarmonicBond& b) {
           return (b.i == own && is_before(b.j)) || (b.j == own && is_before(b.i));
         }) > 1;
}

// -log sum over phases of exp(-E/RT) of the restricted system at the middles of all bins, less E
// without the atom.
std::vector<double> summed_over_phases(const Conformation& c, int j, std::size_t bins) {
  const auto middle = [](const Coordinate& of, std::size_t place, std::size_t parts) {
    return of.low +
           (static_cast<double>(place) + 0.5) * (of.high - of.low) / static_cast<double>(parts);
  };
  const auto at = static_cast<std::size_t>(j);
  const Coordinate &angle = c.map->coordinates()[at], &phase = c.map->coordinates()[at + 1];
  const double before = energy_of_first(c, c.system, c.positions, angle.order)[0];
  std::vector<double> out;
  auto z = c.z;
  for (std::size_t v = 0; v < bins; ++v) {
    z[at] = middle(angle, v, bins);
    std::vector<double> energies;
    for (std::size_t k = 0; k < kPlacementPhases; ++k) {
      z[at + 1] = middle(phase, k, kPlacementPhases);
      energies.push_back(energy_of_first(c, c.system, decode(*c.map, z), angle.order + 1)[0]);
    }
    const double least = std::ranges::min(energies);
    double sum = 0;
    for (const double e : energies) sum += std::exp(least - e);
    out.push_back(least - std::log(sum) - before);
  }
  return out;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the curve of an angle is the bonded energy summed over phases") {
    for (const Conformation& c : conformations()) {
      CAPTURE(c.name);
      constexpr std::int64_t kBins = 5;  // each is known, none interpolated
      const Placement placement(c.system, *c.map, kTemperature, kBins, c.born_radii);
      CHECK(!c.curves(1).empty());
      for (const int j : c.curves(1)) {
        CAPTURE(j);
        const auto u = reference_curve(placement, c, j), direct = summed_over_phases(c, j, kBins);
        for (std::size_t v = 0; v < kBins; ++v) {
          CHECK(std::abs(u[v] - direct[v]) <= 1e-10 * (1000 + std::abs(u[v])));
          CHECK(u[kBins + v] == 0);
          CHECK(u[2 * kBins + v] == 0);
        }
      }
    }
  }

  TEST_CASE("between its known values the curve of an angle is that of the angle itself") {
    const Conformation& c = conformations()[0];
    constexpr std::int64_t kGroup = 5, kBins = kGroup * kPlacementGroups;
    const Placement few(c.system, *c.map, kTemperature, kPlacementGroups, {});
    const Placement many(c.system, *c.map, kTemperature, kBins, {});
    for (const int j : c.curves(1)) {
      CAPTURE(j);
      const auto known = reference_curve(few, c, j), fine = reference_curve(many, c, j);
      for (std::size_t g = 0; g < kPlacementGroups; ++g)
        CHECK(fine[g * kGroup + kGroup / 2] == doctest::Approx(known[g]).epsilon(1e-12));
      const auto direct = summed_over_phases(c, j, kBins);
      const double least = std::ranges::min(direct);
      for (std::size_t v = 0; v < kBins; ++v)
        if (direct[v] < least + 10) CHECK(std::abs(fine[v] - direct[v]) < 0.05);
    }
  }

  TEST_CASE(
      "capped curves of lanes and devices are those of the reference, with bins for coarse angles "
      "and without") {
    const bool has_device = is_here(Backend::cuda);
    for (const Conformation& c : conformations()) {
      CAPTURE(c.name);
      for (const auto& radii : {c.born_radii, std::vector<double>{}}) {
        for (const std::int64_t bins : {70, 128, 256, 288}) {
          const Placement placement(c.system, *c.map, kTemperature, bins, radii);
          for (const int kind : {1, 2}) {
            const auto coordinates = c.curves(kind);
            std::vector<std::vector<float>> of_device;
            if (has_device)
              of_device =
                  device_curves(device_of(placement, c), c, c.positions, bins, coordinates, true);
            for (std::size_t k = 0; k < coordinates.size(); ++k) {
              const int j = coordinates[k];
              CAPTURE(j);
              auto truth = reference_curve(placement, c, j);
              auto found = lanes_curve(placement, c, j);
              // Of overlapping atoms, and of a bond that closes a ring, what counts is a small
              // difference of large numbers.
              const auto size = static_cast<std::size_t>(bins);
              double floor = 0;
              for (std::size_t first = 0; first < truth.size(); first += size)
                floor = std::max(floor,
                                 std::abs(std::ranges::min(std::span(truth).subspan(first, size))));
              shift_and_cap(truth);
              shift_and_cap(found);
              const auto check = [&](const std::vector<float>& u) {
                std::array<double, kPlacementComponents> worst{};
                for (std::size_t i = 0; i < truth.size(); ++i) {
                  double& most = worst[i / size];
                  most = std::max(most, std::abs(static_cast<double>(u[i]) - truth[i]));
                }
                const double bound = 1e-3 + 2e-6 * floor;
                CHECK(worst[0] <= (closes_a_ring(c, j) ? 0.1 : bound));
                CHECK(worst[1] <= bound);
                CHECK(worst[2] <= bound);
              };
              check(found);
              if (has_device) check(of_device[k]);
            }
          }
        }
      }
    }
  }

  TEST_CASE("the curve of an angle is of placed atoms alone, and a NaN among them shows") {
    Conformation c(peptides()[0]);
    const Placement placement(c.system, *c.map, kTemperature, 64, c.born_radii);
    const auto whole = c.positions;
    for (const int j : c.curves(1)) {
      CAPTURE(j);
      c.positions = whole;
      check_later_atoms_do_not_matter(placement, c, j);
      const auto m =
          static_cast<std::size_t>(c.map->coordinates()[static_cast<std::size_t>(j)].order);
      set_position(c.positions, c.map->tree()[m].parent, {NAN, NAN, NAN});
      CHECK(std::isnan(lanes_curve(placement, c, j)[0]));
      CHECK(std::isnan(reference_curve(placement, c, j)[0]));
      if (!is_here(Backend::cuda)) continue;
      const DevicePlacement device = device_of(placement, c);
      CHECK(std::isnan(device_curves(device, c, c.positions, 64, {j}, true)[0][0]));
    }
  }
}

}  // namespace arbg::md
