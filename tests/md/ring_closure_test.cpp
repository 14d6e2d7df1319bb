// What bonded terms still to come say of planar rings: against the inverse of a Hessian that is
// taken from energies, and by rings that are drawn and close.
#include "md/placement/ring_closure.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/md/error_message.h"
#include "tests/md/placement_conformations.h"

namespace arbg::md {
namespace {

Peptide capped(const char* sequence) { return {"amber14-obc1", sequence}; }

std::vector<RingClosure> closures_of(const Conformation& c) {
  return ring_closures(c.topology, c.system, *c.map, kTemperature);
}

// A molecule with its ideal geometry.
Conformation ideal(const char* sequence) {
  Conformation c(capped(sequence));
  c.z = encode(*c.map, ideal_geometry(c.topology, c.system));
  c.positions = decode(*c.map, c.z);
  return c;
}

// Bonded energy over RT of the first atoms.
double bonded(const Conformation& c, std::span<const double> z, int atoms) {
  return energy_of_first(c, c.system, decode(*c.map, z), atoms)[0];
}

// Second differences of it in some coordinates.
std::vector<std::vector<double>> hessian(const Conformation& c, const std::vector<int>& j,
                                         int atoms) {
  const auto step = [&](std::size_t i) {
    return c.map->coordinates()[static_cast<std::size_t>(j[i])].kind == 0 ? 1e-4 : 1e-3;
  };
  std::vector<std::vector<double>> out(j.size(), std::vector<double>(j.size()));
  for (std::size_t a = 0; a < j.size(); ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (const int up : {-1, 1}) {
        for (const int right : {-1, 1}) {
          auto z = c.z;
          z[static_cast<std::size_t>(j[a])] += up * step(a);
          z[static_cast<std::size_t>(j[b])] += right * step(b);
          sum += up * right * bonded(c, z, atoms);
        }
      }
      out[a][b] = out[b][a] = sum / (4 * step(a) * step(b));
    }
  }
  return out;
}

// By Gauss and Jordan.
std::vector<std::vector<double>> inverse(std::vector<std::vector<double>> a) {
  const std::size_t n = a.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = a[i][i];
    a[i][i] = 1;
    for (double& x : a[i]) x /= pivot;
    for (std::size_t k = 0; k < n; ++k) {
      if (k == i) continue;
      const double factor = a[k][i];
      a[k][i] = 0;
      for (std::size_t l = 0; l < n; ++l) a[k][l] -= factor * a[i][l];
    }
  }
  return a;
}

// The inverse of the covariance of the first n of coordinates with that Hessian.
std::vector<std::vector<double>> marginal(const std::vector<std::vector<double>>& h,
                                          std::size_t n) {
  auto covariance = inverse(h);
  covariance.resize(n);
  for (auto& row : covariance) row.resize(n);
  return inverse(covariance);
}

// Coordinates of the ring of Phe.
std::vector<int> ring_coordinates(const Conformation& c) {
  const std::vector<std::string> ring = {"CG", "CD1", "CD2", "CE1", "CE2", "CZ"};
  std::vector<int> found;
  for (int j = 3; j < c.map->size(); ++j) {
    const Coordinate& one = c.map->coordinates()[static_cast<std::size_t>(j)];
    const ZMatrixRow& row = c.map->tree()[static_cast<std::size_t>(one.order)];
    const auto in_ring = [&](int atom) {
      return std::ranges::count(ring, c.topology.atoms[static_cast<std::size_t>(atom)].name) > 0;
    };
    if (in_ring(row.parent) && (!one.periodic || in_ring(row.grandparent))) found.push_back(j);
  }
  return found;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("planar rings are told, in coordinates of atoms with a parent in them") {
    for (const char* none : {"Ace-A-Nme", "Ace-P-Nme", "AAAAAA", "CGGC", "Ace-RKM-Nme"})
      CHECK(closures_of(Conformation(capped(none))).empty());
    for (const char* ring : {"Ace-F-Nme", "Ace-Y-Nme", "Ace-W-Nme", "Ace-H-Nme", "GYDPETGTWG"}) {
      CAPTURE(ring);
      const Conformation c(capped(ring));
      const auto closures = closures_of(c);
      CHECK(closures.size() > 4);
      int last = 2;
      for (const RingClosure& closure : closures) {
        CHECK(closure.coordinate > last);
        last = closure.coordinate;
        const auto& own = c.map->coordinates()[static_cast<std::size_t>(last)];
        const auto& atom = c.topology.atoms[static_cast<std::size_t>(
            c.map->tree()[static_cast<std::size_t>(own.order)].parent)];
        const std::string residue =
            c.topology.residues[static_cast<std::size_t>(atom.residue)].name;
        CHECK(std::string("PHE TYR TRP HIS HIE").find(residue) != std::string::npos);
        CHECK(atom.name != "CB");
        CHECK_FALSE(closure.couplings.empty());
        for (const auto& coupling : closure.couplings) CHECK(coupling.coordinate < last);
      }
    }
  }

  TEST_CASE("with the terms that are there, it is the Gaussian of all terms, integrated") {
    const Conformation c = ideal("Ace-F-Nme");
    const auto all = ring_coordinates(c);
    const auto whole = hessian(c, all, c.topology.atom_count());
    for (const RingClosure& closure : closures_of(c)) {
      const int j = closure.coordinate;
      CAPTURE(j);
      const Coordinate& own = c.map->coordinates()[static_cast<std::size_t>(j)];
      const auto n = static_cast<std::size_t>(std::ranges::find(all, j) - all.begin());
      auto expected = marginal(whole, n + 1)[n];
      const double stiffness = expected[n];
      // Less what the curve of the coordinate has itself: an angle's is a sum over its phase.
      if (own.kind > 0) {
        const auto until = n + 1 + (own.kind == 1 ? 1 : 0);
        const std::vector<int> there(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(until));
        auto h = hessian(c, there, own.order + 1);
        if (own.kind == 1)
          for (std::size_t i = 0; i <= n; ++i)
            h[n][i] -= h[n + 1][i] * h[n + 1][n] / h[n + 1][n + 1];
        for (std::size_t i = 0; i <= n; ++i) expected[i] -= h[n][i];
      }
      CHECK(closure.stiffness == doctest::Approx(expected[n]).epsilon(0.03));
      for (std::size_t i = 0; i < n; ++i) {
        const auto found =
            std::ranges::find(closure.couplings, all[i], &RingClosure::Coupling::coordinate);
        const double b = found == closure.couplings.end() ? 0 : found->stiffness;
        CHECK(std::abs(b - expected[i]) < 0.03 * std::sqrt(stiffness * whole[i][i]));
      }
    }
  }

  TEST_CASE("rings of Phe that are drawn coordinate by coordinate close") {
    Conformation c = ideal("Ace-F-Nme");
    constexpr std::int64_t kBins = 256;
    const Placement placement(c.system, *c.map, kTemperature, kBins, {});
    const auto closures = closures_of(c);
    const auto draw_rings = [&](bool told) {  // deviation of the last bond, nm
      const Random random(3, stream_id("rings"));
      const int end = c.topology.find(1, "CE2"), other = c.topology.find(1, "CD2"),
                also = c.topology.find(1, "CZ");
      std::vector<double> lengths;
      for (std::uint64_t draw = 0; draw < 200; ++draw) {
        auto z = c.z;
        for (const int j : ring_coordinates(c)) {
          const auto at = static_cast<std::size_t>(j);
          const Coordinate& own = c.map->coordinates()[at];
          std::vector<double> u(kPlacementComponents * kBins);
          if (placement.has_curve(j)) {
            placement.reference(j, decode(*c.map, z), std::span(z).subspan(at / 3 * 3, at % 3), u);
          } else {
            // The stiffness of aromatic bonds and angles, 400,000 kJ/mol/nm^2 and 530 kJ/mol/rad^2.
            const double k = own.kind == 0 ? 4e5 / kRT : 530 / kRT;
            for (std::size_t v = 0; v < kBins; ++v) {
              const double x =
                  own.low + (own.high - own.low) * (static_cast<double>(v) + 0.5) / kBins - c.z[at];
              u[v] = k / 2 * x * x;
            }
          }
          const auto closure = std::ranges::find(closures, j, &RingClosure::coordinate);
          if (told && closure != closures.end()) {
            if (own.kind == 0) std::fill_n(u.begin(), kBins, 0.0);  // whole in the closure
            const double slope = closure->slope_at(z);
            for (std::size_t v = 0; v < kBins; ++v)
              u[v] += closure->energy(
                  own.low + (own.high - own.low) * (static_cast<double>(v) + 0.5) / kBins, slope);
          }
          const double least = *std::min_element(u.begin(), u.begin() + kBins);
          std::vector<double> up_to;
          for (std::size_t v = 0; v < kBins; ++v)
            up_to.push_back((v ? up_to.back() : 0) + std::exp(least - u[v]));
          const double share = random.uniform(draw * 1000 + at) * up_to.back();
          const auto v = std::ranges::lower_bound(up_to, share) - up_to.begin();
          z[at] = own.low + (own.high - own.low) * (static_cast<double>(v) + 0.5) / kBins;
        }
        const auto x = decode(*c.map, z);
        // Whichever of its two bonds the tree leaves open.
        lengths.push_back(std::abs(distance(x, end, other) - 0.14) >
                                  std::abs(distance(x, end, also) - 0.14)
                              ? distance(x, end, other)
                              : distance(x, end, also));
      }
      double squares = 0;
      for (const double length : lengths) squares += std::pow(length - 0.14, 2);
      return std::sqrt(squares / static_cast<double>(lengths.size()));
    };
    const double told = draw_rings(true), plain = draw_rings(false);
    INFO("deviation of the closing bond with and without, nm: ", told, " ", plain);
    CHECK(told < 0.006);  // sqrt(RT/k) is 0.0025
    CHECK(plain > 2 * told);
  }

  TEST_CASE("closures come back from JSON, and damaged ones are refused") {
    const Conformation c(capped("Ace-H-Nme"));
    const auto closures = closures_of(c);
    const Json json = to_json(closures);
    const auto back = ring_closures_from_json(Json::parse(json.dump(), "test"), c.map->size());
    CHECK(to_json(back).dump() == json.dump());
    CHECK(back.size() == closures.size());
    CHECK(error_message([&] { ring_closures_from_json(json, 10); }).find("names coordinate") !=
          std::string::npos);
    const auto damaged = [&](const char* text) {
      return error_message([&] { ring_closures_from_json(Json::parse(text, "test"), 60); });
    };
    CHECK(damaged(R"([{"coordinate": 9, "centre": 1, "stiffness": 1, "slope": 0,
                       "couplings": [[9, 1, 1]]}])") ==
          "a ring closure names coordinate 9, expected one above -1 and below 9");
    CHECK(damaged(R"([{"coordinate": 9, "centre": 1, "stiffness": 1, "slope": 0,
                       "couplings": [[8, 1]]}])") ==
          "a coupling of a ring closure has 2 numbers, expected 3");
    CHECK(damaged(R"([{"coordinate": 9}])").find("centre") != std::string::npos);
  }
}

}  // namespace arbg::md
