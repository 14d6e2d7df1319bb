// Energies of one atom against those placed before it: the reference against differences of the
// reference force field, the lanes against the reference.
#include "md/placement/placement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "md/terms/generalised_born.h"
#include "tests/md/error_message.h"
#include "tests/md/placement_conformations.h"

namespace arbg::md {

namespace {

// The generalised Born energy of an atom with those placed before it, over RT, at fixed radii.
double solvent_of_last(const Conformation& c, std::span<const double> x, int before) {
  const std::vector<int> order = c.map->atom_order();
  const auto last = static_cast<std::size_t>(order[static_cast<std::size_t>(before)]);
  const double tau =
      kCoulomb * (1 / c.system.born.solute_dielectric - 1 / c.system.born.solvent_dielectric);
  const double cutoff = c.system.cutoff_nm;
  double energy = 0;
  for (int k = 0; k < before; ++k) {
    const auto i = static_cast<std::size_t>(order[static_cast<std::size_t>(k)]);
    const double d = norm(at(x, static_cast<int>(i)) - at(x, static_cast<int>(last)));
    const double radii = c.born_radii[i] * c.born_radii[last];
    const double f = std::sqrt(d * d + radii * std::exp(-d * d / (4 * radii)));
    const double shift = cutoff > 0 ? 1 / cutoff : 0;
    if (cutoff > 0 && d > cutoff) continue;
    energy -=
        tau * c.system.nonbonded[i].charge_e * c.system.nonbonded[last].charge_e * (1 / f - shift);
  }
  return energy / kRT;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a curve is the difference that the atom makes to the energy of the atoms placed") {
    constexpr std::int64_t kBins = 5;
    for (const Conformation& c : conformations()) {
      CAPTURE(c.name);
      const System sizes = without(c.system, true), charges = without(c.system, false);
      const Placement vacuum(c.system, *c.map, kTemperature, kBins, {});
      const Placement solvent(c.system, *c.map, kTemperature, kBins, c.born_radii);
      for (const int j : c.curves(2)) {
        CAPTURE(j);
        const Coordinate& dihedral = c.map->coordinates()[static_cast<std::size_t>(j)];
        const int before = dihedral.order;
        const auto u = reference_curve(vacuum, c, j), wet = reference_curve(solvent, c, j);
        const double bonded = energy_of_first(c, c.system, c.positions, before)[0];
        const double of_sizes = energy_of_first(c, sizes, c.positions, before)[1];
        const double of_charges = energy_of_first(c, charges, c.positions, before)[1];
        for (std::size_t v = 0; v < kBins; ++v) {
          CAPTURE(v);
          auto z = c.z;
          z[static_cast<std::size_t>(j)] = dihedral.low + (static_cast<double>(v) + 0.5) / kBins *
                                                              (dihedral.high - dihedral.low);
          const auto x = decode(*c.map, z);
          check_difference(u[v], energy_of_first(c, c.system, x, before + 1)[0], bonded);
          check_difference(u[kBins + v], energy_of_first(c, sizes, x, before + 1)[1], of_sizes);
          check_difference(u[2 * kBins + v], energy_of_first(c, charges, x, before + 1)[1],
                           of_charges);
          check_difference(wet[2 * kBins + v], u[2 * kBins + v], -solvent_of_last(c, x, before));
          CHECK(wet[v] == u[v]);
          CHECK(wet[kBins + v] == u[kBins + v]);
        }
      }
    }
  }

  TEST_CASE(
      "lanes and devices equal the reference within 2e-4 kT and 1e-5 of it, overlaps within "
      "1e-4") {
    const bool has_device = is_here(Backend::cuda);
    const auto check = [](const std::vector<float>& found, const std::vector<double>& truth) {
      for (std::size_t i = 0; i < truth.size(); ++i) {
        CAPTURE(i);
        const double share = std::abs(truth[i]) < 1e8 ? 1e-5 : 1e-4;
        CHECK(std::abs(static_cast<double>(found[i]) - truth[i]) <=
              2e-4 + share * std::abs(truth[i]));
      }
    };
    for (const Conformation& c : conformations()) {
      CAPTURE(c.name);
      for (const std::int64_t bins : {70, 256}) {  // no whole vectors; some interpolated
        for (const auto& radii : {c.born_radii, std::vector<double>{}}) {
          const Placement placement(c.system, *c.map, kTemperature, bins, radii);
          const auto coordinates = c.curves(2);
          std::vector<std::vector<float>> of_device;
          if (has_device)
            of_device =
                device_curves(device_of(placement, c), c, c.positions, bins, coordinates, false);
          for (std::size_t i = 0; i < coordinates.size(); ++i) {
            CAPTURE(coordinates[i]);
            const auto truth = reference_curve(placement, c, coordinates[i]);
            check(lanes_curve(placement, c, coordinates[i]), truth);
            if (has_device) check(of_device[i], truth);
          }
        }
      }
    }
  }

  TEST_CASE("on a device a curve has the same bits alone and beside others, in any row") {
    if (!is_here(Backend::cuda)) return;
    constexpr std::int64_t kBins = 256;
    const Conformation& c = conformations()[2];
    const Placement placement(c.system, *c.map, kTemperature, kBins, c.born_radii);
    const DevicePlacement device = device_of(placement, c);
    auto coordinates = c.curves(2);
    for (const int j : c.curves(1)) coordinates.push_back(j);
    std::vector<double> rows;  // the first and the third are alike
    for (const double turned : {0.0, 0.7, 0.0}) {
      auto z = c.z;
      z[5] += turned;
      const auto x = decode(*c.map, z);
      rows.insert(rows.end(), x.begin(), x.end());
    }
    const auto all = device_curves(device, c, rows, kBins, coordinates, true);
    const std::size_t S = coordinates.size();
    std::size_t moved = 0;
    for (std::size_t i = 0; i < S; ++i) {
      const std::span<const double> first = std::span(rows).first(c.positions.size());
      CHECK(device_curves(device, c, first, kBins, {coordinates[i]}, true)[0] == all[i]);
      CHECK(all[2 * S + i] == all[i]);
      moved += all[S + i] != all[i];
    }
    CHECK(moved > S / 2);
  }

  TEST_CASE("a device places atoms where the map has them, and no others") {
    if (!is_here(Backend::cuda)) return;
    constexpr double kUnplaced = -99;
    for (const std::size_t which : {std::size_t{0}, std::size_t{6}}) {
      const Conformation& c = conformations()[which];
      CAPTURE(c.name);
      const DevicePlacement device =
          device_of(Placement(c.system, *c.map, kTemperature, 16, {}), c);
      std::vector<double> z = c.z, expected = c.positions;  // two rows
      for (const double x : c.z) z.push_back(x * (1 + 1e-3));
      const auto second = decode(*c.map, std::vector<double>(z.end() - std::ssize(c.z), z.end()));
      expected.insert(expected.end(), second.begin(), second.end());
      const auto there = array_of(z);
      const auto placed = [&](std::int64_t known) {
        auto positions = array_of(std::vector<double>(expected.size(), kUnplaced));
        device.place_atoms({on_device(there), std::ssize(c.z), 1}, known, on_device(positions));
        return positions.values();
      };
      const auto found = placed(std::ssize(c.z)), begun = placed(9);
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::abs(found[i] - expected[i]) < 1e-12);
      const auto order = c.map->atom_order();
      for (std::size_t m = 0; m < order.size(); ++m) {
        const auto i = 3 * static_cast<std::size_t>(order[m]);
        CHECK(begun[i] == (m < 5 ? found[i] : kUnplaced));
      }
    }
  }

  TEST_CASE(
      "coordinates drawn one by one on a device are in their bins, and place atoms as all do") {
    if (!is_here(Backend::cuda)) return;
    constexpr std::int64_t kBins = 16;
    constexpr std::uint64_t kFirst = 5, kStep = 2, kStride = 700;
    const Conformation& c = conformations()[1];
    const DevicePlacement device =
        device_of(Placement(c.system, *c.map, kTemperature, kBins, {}), c);
    const Random random(7, 3);
    const std::size_t K = c.z.size(), B = 3;
    const std::vector<double> nowhere(B * c.positions.size());
    auto z = array_of(std::vector<double>(B * K)), grown = array_of(nowhere),
         whole = array_of(nowhere);
    std::vector<double> expected(B * K);
    for (std::size_t j = 0; j < K; ++j) {
      const Coordinate& axis = c.map->coordinates()[j];
      const double width = (axis.high - axis.low) / kBins;
      std::vector<std::int32_t> bins;
      std::vector<double> slopes;
      for (std::size_t b = 0; b < B; ++b) {
        bins.push_back(static_cast<std::int32_t>((5 * j + 3 * b) % kBins));
        slopes.push_back(j % 3 == 0 ? 0 : 1.8 * std::sin(static_cast<double>(j + 7 * b)));
        const double u = random.uniform(kFirst + j * kStep + b * kStride), a = slopes[b];
        const double root = std::sqrt((1 - a / 2) * (1 - a / 2) + 2 * a * u);
        const double f = a == 0 ? u : (root - 1 + a / 2) / a;
        expected[b * K + j] = axis.low + (bins[b] + f) * width;
      }
      const auto there = array_of(bins),
                 place = array_of(std::vector{static_cast<std::int32_t>(j)});
      const auto steep = array_of(slopes);
      DeviceDraws drawn{on_device(there), on_device(place), random, kFirst, kStep, kStride, {}};
      if (j % 3 != 0) drawn.slopes = on_device(steep);
      device.add(drawn, on_device(z), on_device(grown));
    }
    const auto found = z.values();
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected[i]) < 1e-14);
    device.place_atoms({on_device(std::as_const(z)), std::ssize(c.z), 1}, std::ssize(c.z),
                       on_device(whole));
    const auto one_by_one = grown.values(), all_at_once = whole.values();
    for (std::size_t i = 0; i < all_at_once.size(); ++i)
      CHECK(std::abs(one_by_one[i] - all_at_once[i]) < 1e-12);
  }

  TEST_CASE("capped curves of lanes and reference agree within 1e-3 kT where an atom has room") {
    int curves = 0;
    for (const Conformation& c : conformations()) {
      CAPTURE(c.name);
      const Placement placement(c.system, *c.map, kTemperature, 64, c.born_radii);
      for (const int j : c.curves(2)) {
        CAPTURE(j);
        auto truth = reference_curve(placement, c, j);
        auto found = lanes_curve(placement, c, j);
        double worst_of_least = 0;
        for (std::size_t k = 0; k < truth.size(); k += 64) {
          const double least = *std::min_element(&truth[k], &truth[k] + 64);
          worst_of_least = std::max(worst_of_least, std::abs(least));
        }
        if (worst_of_least > 60) continue;  // strained by the shaking: its float is coarser
        ++curves;
        shift_and_cap(std::span(truth));
        shift_and_cap(std::span(found));
        for (std::size_t i = 0; i < truth.size(); ++i) {
          CHECK(std::abs(static_cast<double>(found[i]) - truth[i]) < 1e-3);
        }
      }
    }
    CHECK(curves > 500);
  }

  TEST_CASE("an atom that is not placed yet never matters, one that is always does") {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    for (const std::size_t which : {std::size_t{0}, std::size_t{7}}) {
      Conformation c(peptides()[which]);
      CAPTURE(c.name);
      const Placement placement(c.system, *c.map, kTemperature, 40, c.born_radii);
      const auto order = c.map->atom_order();
      const auto whole = c.positions;
      const auto has_nan = [](const auto& u) {
        return std::ranges::any_of(u, [](auto x) { return std::isnan(x); });
      };
      for (const int j : c.curves(2)) {
        CAPTURE(j);
        c.positions = whole;
        check_later_atoms_do_not_matter(placement, c, j);
        const auto m =
            static_cast<std::size_t>(c.map->coordinates()[static_cast<std::size_t>(j)].order);
        c.positions = whole;
        set_position(c.positions, order[m / 2], {kNan, kNan, kNan});
        CHECK(has_nan(lanes_curve(placement, c, j)));
        CHECK(has_nan(reference_curve(placement, c, j)));
        if (!is_here(Backend::cuda)) continue;
        const DevicePlacement device = device_of(placement, c);
        const auto on_device = [&] {
          return device_curves(device, c, c.positions, placement.bins(), {j}, true)[0];
        };
        CHECK(has_nan(on_device()));
        c.positions = whole;
        const auto expected = on_device();
        for (const int atom : std::span(order).subspan(m))
          set_position(c.positions, atom, {kNan, kNan, kNan});
        CHECK(on_device() == expected);
        CHECK_FALSE(has_nan(expected));
      }
    }
  }

  TEST_CASE("a curve has the same bits alone, after a larger molecule, and beside one") {
    const Conformation &small = conformations()[0], &large = conformations()[5];
    const Placement of_small(small.system, *small.map, kTemperature, 50, small.born_radii);
    const Placement of_large(large.system, *large.map, kTemperature, 50, large.born_radii);
    const auto all_small = [&] {
      std::vector<std::vector<float>> curves;
      for (const int j : small.curves(2)) curves.push_back(lanes_curve(of_small, small, j));
      return curves;
    };
    const auto alone = all_small();
    for (const int j : large.curves(2)) lanes_curve(of_large, large, j);
    CHECK(all_small() == alone);
    std::atomic<bool> done = false;
    std::thread beside([&] {
      for (int round = 0; round < 30; ++round) {
        for (const int j : large.curves(2)) lanes_curve(of_large, large, j);
      }
      done = true;
    });
    int other = 0;
    do other += all_small() != alone;
    while (!done);
    beside.join();
    CHECK(other == 0);
  }

  TEST_CASE("atoms on top of each other count as 0.01 nm apart, in finite numbers") {
    Conformation c(peptides()[0]);
    const int j = c.curves(2).back();
    const Placement placement(c.system, *c.map, kTemperature, 32, c.born_radii);
    auto z = c.z;
    const Coordinate& dihedral = c.map->coordinates()[static_cast<std::size_t>(j)];
    z[static_cast<std::size_t>(j)] =
        dihedral.low + 10.5 / 32 * (dihedral.high - dihedral.low);  // bin 10
    const Vector3 there = at(decode(*c.map, z), dihedral.atom);
    const int far = c.topology.find(0, "HH31");
    REQUIRE(far != dihedral.atom);
    set_position(c.positions, far, there);
    const auto on_top = reference_curve(placement, c, j);
    const auto in_lanes = lanes_curve(placement, c, j);
    set_position(c.positions, far, there + Vector3{kPlacementNearest * (1 + 1e-12), 0, 0});
    const auto beside = reference_curve(placement, c, j);
    for (const std::size_t i : {std::size_t{32 + 10}, std::size_t{64 + 10}}) {
      CHECK(on_top[i] == doctest::Approx(beside[i]).epsilon(1e-9));
      CHECK(static_cast<double>(in_lanes[i]) == doctest::Approx(on_top[i]).epsilon(1e-5));
    }
    CHECK(on_top[32 + 10] > 1e15);
    if (!is_here(Backend::cuda)) return;
    set_position(c.positions, far, there);
    const DevicePlacement device = device_of(placement, c);
    const auto on_device = device_curves(device, c, c.positions, 32, {j}, false)[0];
    for (const std::size_t i : {std::size_t{32 + 10}, std::size_t{64 + 10}})
      CHECK(static_cast<double>(on_device[i]) == doctest::Approx(on_top[i]).epsilon(1e-5));
  }

  TEST_CASE("components are shifted to their least and capped each by itself, NaN stays") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> u = {5, -3, 18, 7, 1e30f, nan, 0.5f, 0.25f, 30};
    shift_and_cap(std::span(u));
    CHECK(u[0] == 8);
    CHECK(u[1] == 0);
    CHECK(u[2] == 20);
    CHECK(u[3] == 0);
    CHECK(u[4] == 20);
    CHECK(std::isnan(u[5]));
    CHECK(u[6] == 0.25f);
    CHECK(u[7] == 0);
    CHECK(u[8] == 20);
    for (const std::size_t bins : {std::size_t{1}, std::size_t{37}, std::size_t{256}}) {
      for (std::size_t least = 0; least < bins; ++least) {
        std::vector<double> v(3 * bins, 4);
        v[bins + least] = -2;
        shift_and_cap(std::span(v));
        CHECK(std::ranges::count(v, 6) == std::ssize(v) / 3 - 1);
        CHECK(std::ranges::count(v, 0) == std::ssize(v) * 2 / 3 + 1);
      }
    }
    CHECK_THROWS_AS(shift_and_cap(std::span(u).first(8)), Error);
  }

  TEST_CASE("Born radii are those of the ideal conformation, and none without a solvent") {
    const Conformation& c = conformations()[0];
    REQUIRE(c.born_radii.size() == 22);
    CHECK(c.born_radii == born_radii_reference(c.system, ideal_geometry(c.topology, c.system)));
    System vacuum = c.system;
    vacuum.born_atoms.clear();
    CHECK(placement_born_radii(c.topology, vacuum).empty());
  }

  TEST_CASE("other maps, molecules, radii and coordinates are refused in words") {
    const Conformation &c = conformations()[0], &other = conformations()[1];
    const auto refusal = [&](const System& system, const CoordinateMap& map, double kelvin,
                             std::int64_t bins, std::vector<double> radii) {
      return error_message([&] { Placement(system, map, kelvin, bins, std::move(radii)); });
    };
    const auto says = [](const std::string& message, const char* words) {
      CAPTURE(message);
      CHECK(message.find(words) != std::string::npos);
    };
    says(refusal(c.system, *make_cartesian_map(22, 0.2, 3), 300, 8, {}),
         "need internal coordinates, found cartesian");
    says(refusal(other.system, *c.map, 300, 8, {}), "the map's 22 atoms, found one of 42");
    says(refusal(c.system, *c.map, 0, 8, {}), "above 0 K");
    says(refusal(c.system, *c.map, 300, 0, {}), "at least one bin");
    says(refusal(c.system, *c.map, 300, 8, {0.1, 0.2}), "Born radii of 22 atoms");
    says(refusal(c.system, *c.map, 300, 8, std::vector<double>(22, -0.1)), "above 0 nm");
    System vacuum = c.system;
    vacuum.born_atoms.clear();
    says(refusal(vacuum, *c.map, 300, 8, c.born_radii), "with implicit solvent");

    const Placement placement(c.system, *c.map, kTemperature, 8, {});
    for (int j = -1; j <= c.map->size(); ++j) {
      const bool inside = j >= 0 && j < c.map->size();
      const auto& coordinates = c.map->coordinates();
      const auto k = static_cast<std::size_t>(j);
      const bool phase =
          inside && j > 2 && coordinates[k].kind == 1 && !coordinates[k + 1].periodic;
      CHECK(placement.has_curve(j) == (inside && (coordinates[k].kind == 2 || phase)));
    }
    std::vector<float> u(24);
    const std::vector<double> own = {0.1, 1.9};
    says(error_message([&] { placement.lanes(4, c.positions, std::span(own).first(1), u); }),
         "coordinate 4");
    says(error_message([&] { placement.lanes(5, c.positions, own, std::span(u).first(8)); }),
         "room for 24 energies, found 66, 2 and 8");
    says(error_message([&] { placement.lanes(5, c.positions, std::span(own).first(1), u); }),
         "2 coordinates of the atom before");
  }
}

}  // namespace arbg::md
