// What bonded terms still to come say of planar rings: against the inverse of a Hessian that is
// taken from energies, and by rings that are drawn and close.
#include "md/placement/ring_closure.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

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

// Coordinates of the rings of Phe, Trp and His.
std::vector<int> ring_coordinates(const Conformation& c) {
  const std::vector<std::string> ring = {"CG",  "CD1", "CD2", "CE1", "CE2", "CZ", "ND1",
                                         "NE1", "NE2", "CE3", "CZ2", "CZ3", "CH2"};
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

// The bonded energy of the first atoms: its slope and second differences, in some coordinates, of
// which the last is integrated out if `marginal`.
struct Form {
  std::vector<double> slope;
  std::vector<std::vector<double>> matrix;
};
Form form_of(const Conformation& c, const std::vector<int>& j, int atoms, bool marginal) {
  Form out{{}, hessian(c, j, atoms)};
  for (const int one : j) {
    auto above = c.z, below = c.z;
    above[static_cast<std::size_t>(one)] += 1e-5;
    below[static_cast<std::size_t>(one)] -= 1e-5;
    out.slope.push_back((bonded(c, above, atoms) - bonded(c, below, atoms)) / 2e-5);
  }
  if (!marginal) return out;
  const auto last = out.matrix.back();
  const std::size_t n = j.size() - 1;
  for (std::size_t i = 0; i < n; ++i) {
    out.slope[i] -= last[i] / last[n] * out.slope[n];
    for (std::size_t k = 0; k < n; ++k) out.matrix[i][k] -= last[i] / last[n] * last[k];
  }
  return out;
}

// By Newton's method, from near it.
void minimise(Conformation& c, const std::vector<int>& j) {
  for (int step = 0; step < 6; ++step) {
    const Form form = form_of(c, j, c.topology.atom_count(), false);
    const auto covariance = inverse(form.matrix);
    for (std::size_t i = 0; i < j.size(); ++i)
      for (std::size_t k = 0; k < j.size(); ++k)
        c.z[static_cast<std::size_t>(j[i])] -= covariance[i][k] * form.slope[k];
  }
}

double middle(const Coordinate& c, std::size_t v, std::int64_t bins) {
  return c.low + (c.high - c.low) * (static_cast<double>(v) + 0.5) / static_cast<double>(bins);
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
    for (const char* sequence : {"Ace-F-Nme", "Ace-W-Nme", "Ace-H-Nme"}) {
      CAPTURE(sequence);
      Conformation c = ideal(sequence);
      const auto closures = closures_of(c);
      for (const RingClosure& closure : closures) {
        c.z[static_cast<std::size_t>(closure.coordinate)] = closure.centre;
        for (const auto& coupling : closure.couplings)
          c.z[static_cast<std::size_t>(coupling.coordinate)] = coupling.centre;
      }
      const Placement placement(c.system, *c.map, kTemperature, 16, {});
      const auto all = ring_coordinates(c);
      minimise(c, all);
      const auto whole = hessian(c, all, c.topology.atom_count());
      double largest_slope = 0;
      for (const RingClosure& closure : closures) {
        const int j = closure.coordinate;
        CAPTURE(j);
        const Coordinate& own = c.map->coordinates()[static_cast<std::size_t>(j)];
        CHECK(std::abs(std::remainder(closure.centre - c.z[static_cast<std::size_t>(j)],
                                      2 * std::numbers::pi)) < 1e-4);
        const auto n = static_cast<std::size_t>(std::ranges::find(all, j) - all.begin());
        auto expected = marginal(whole, n + 1)[n];
        double slope = 0;
        const double stiffness = expected[n];
        if (placement.has_curve(j)) {  // of an angle: a sum over its phase
          const bool angle = own.kind == 1;
          const std::vector<int> there(all.begin(),
                                       all.begin() + static_cast<std::ptrdiff_t>(n + 1 + angle));
          const Form form = form_of(c, there, own.order + 1, angle);
          for (std::size_t i = 0; i <= n; ++i) expected[i] -= form.matrix[n][i];
          slope = -form.slope[n];
        }
        largest_slope = std::max(largest_slope, std::abs(slope));
        CHECK(std::abs(closure.stiffness - expected[n]) < 0.03 * stiffness);
        CHECK(std::abs(closure.slope - slope) < 0.01 * std::sqrt(stiffness));
        for (std::size_t i = 0; i < n; ++i) {
          const auto found =
              std::ranges::find(closure.couplings, all[i], &RingClosure::Coupling::coordinate);
          const double b = found == closure.couplings.end() ? 0 : found->stiffness;
          CHECK(std::abs(b - expected[i]) < 0.03 * std::sqrt(stiffness * whole[i][i]));
        }
      }
      if (sequence[4] == 'W') CHECK(largest_slope > 1);  // the others' are of symmetry zero
    }
  }

  TEST_CASE("a turn more or less of a dihedral changes nothing") {
    const Conformation c = ideal("Ace-H-Nme");
    int dihedrals = 0;
    for (const RingClosure& closure : closures_of(c)) {
      auto z = c.z;
      for (const int turns : {-1, 1}) {
        const auto& all = c.map->coordinates();
        for (std::size_t j = 0; j < z.size(); ++j)
          if (all[j].kind == 2) z[j] = c.z[j] + turns * 2 * std::numbers::pi;
        const double slope = closure.slope_at(c.z);
        CHECK(closure.slope_at(z) == doctest::Approx(slope));
        const auto own = static_cast<std::size_t>(closure.coordinate);
        dihedrals += all[own].kind == 2;
        CHECK(closure.energy(z[own], slope) == doctest::Approx(closure.energy(c.z[own], slope)));
      }
    }
    CHECK(dihedrals > 1);
  }

  TEST_CASE("rings of Phe that are drawn coordinate by coordinate close") {
    Conformation c = ideal("Ace-F-Nme");
    constexpr std::int64_t kBins = 256;
    const Placement placement(c.system, *c.map, kTemperature, kBins, {});
    const auto closures = closures_of(c);
    const auto draw_rings = [&](bool told) {  // deviation of the last bond, nm
      const Random random(3, stream_id("rings"));
      // The tree goes round to CE2, and from CG to CD2.
      const int end = c.topology.find(1, "CE2"), other = c.topology.find(1, "CD2");
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
              const double x = middle(own, v, kBins) - c.z[at];
              u[v] = k / 2 * x * x;
            }
          }
          const auto closure = std::ranges::find(closures, j, &RingClosure::coordinate);
          if (told && closure != closures.end()) {
            if (!placement.has_curve(j)) std::fill_n(u.begin(), kBins, 0.0);  // all is there
            const double slope = closure->slope_at(z);
            for (std::size_t v = 0; v < kBins; ++v)
              u[v] += closure->energy(middle(own, v, kBins), slope);
          }
          const double least = *std::min_element(u.begin(), u.begin() + kBins);
          std::vector<double> up_to;
          for (std::size_t v = 0; v < kBins; ++v)
            up_to.push_back((v ? up_to.back() : 0) + std::exp(least - u[v]));
          const double share = random.uniform(draw * 1000 + at) * up_to.back();
          const auto v = std::ranges::lower_bound(up_to, share) - up_to.begin();
          z[at] = middle(own, static_cast<std::size_t>(v), kBins);
        }
        const auto x = decode(*c.map, z);
        lengths.push_back(distance(x, end, other));
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
