// Molecules that are only partly there, and derivatives through the coordinate maps: what
// sequential Monte Carlo asks of md.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "md/coordinates/coordinate_map.h"
#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/restricted_system.h"
#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tests/md/map_testing.h"

using namespace arbg;
using namespace arbg::md;

namespace {

struct Peptide {
  Topology topology;
  System system;
  std::vector<double> positions;
};

Peptide peptide() {
  Peptide p;
  p.topology = Topology::from_sequence("Ace-AT-Nme");
  p.system = ForceField::named("amber99sbildn-obc2").create_system(p.topology);
  p.positions = ideal_geometry(p.topology, p.system);
  const Random random(4, stream_id("shake"));
  for (std::size_t i = 0; i < p.positions.size(); ++i) {
    p.positions[i] += 0.004 * random.normal_pair(i)[0];
  }
  return p;
}

std::vector<std::unique_ptr<CoordinateMap>> both_maps(const Peptide& p) {
  std::vector<std::unique_ptr<CoordinateMap>> maps;
  maps.push_back(make_internal_map(p.topology, p.system, 300));
  maps.push_back(make_cartesian_map(p.topology.atom_count(), 0.2, 4));
  return maps;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("the first coordinates place the first atoms where all of them would") {
  const Peptide p = peptide();
  for (const auto& map : both_maps(p)) {
    CAPTURE(map->name());
    const auto z = encode(*map, p.positions);
    const auto whole = decode(*map, z);
    const auto order = map->atom_order();
    REQUIRE(std::ssize(order) == p.topology.atom_count());
    for (const auto& c : map->coordinates()) {
      CHECK(order[static_cast<std::size_t>(c.order)] == c.atom);
    }
    for (int atoms = 1; atoms <= map->atom_count(); ++atoms) {
      std::vector<double> part(whole.size(), -7);
      const auto known = static_cast<std::size_t>(map->coordinates_of_first(atoms));
      map->decode(std::span(z).first(known), part);
      for (int i = 0; i < map->atom_count(); ++i) {
        for (std::size_t k = 0; k < 3; ++k) {
          const auto at = 3 * static_cast<std::size_t>(order[static_cast<std::size_t>(i)]) + k;
          CHECK(part[at] == (i < atoms ? whole[at] : -7));
        }
      }
    }
    CHECK(map->coordinates_of_first(map->atom_count()) == map->size());
  }
}

TEST_CASE("pull_back is the derivative of energy and volume in every coordinate") {
  const Peptide p = peptide();
  const EnergyEngine energy(p.system, Backend::reference);
  for (const auto& map : both_maps(p)) {
    CAPTURE(map->name());
    auto z = encode(*map, p.positions);
    const auto value = [&] {
      return -energy.evaluate(decode(*map, z), false).energy_kj_mol[0] + map->log_volume(z);
    };
    const auto x = decode(*map, z);
    const auto forces = energy.evaluate(x, true).forces_kj_mol_nm;
    std::vector<double> dz(z.size());
    map->pull_back(z, x, forces, dz);
    for (std::size_t j = 0; j < z.size(); ++j) {
      CAPTURE(j);
      const double here = z[j], h = 1e-5;
      z[j] = here + h;
      const double up = value();
      z[j] = here - h;
      const double down = value();
      z[j] = here;
      const double slope = (up - down) / (2 * h);
      CHECK(std::abs(dz[j] - slope) < 1e-5 * std::max(1.0, std::abs(slope)) + 1e-3);
    }
  }
}

TEST_CASE("all atoms in any order have the whole energy without the solvent") {
  const Peptide p = peptide();
  const auto whole = EnergyEngine(p.system, Backend::reference).evaluate(p.positions, false);
  std::vector<int> order(static_cast<std::size_t>(p.topology.atom_count()));
  std::iota(order.rbegin(), order.rend(), 0);
  std::vector<double> x;
  for (const int atom : order) {
    const auto at = p.positions.begin() + 3 * atom;
    x.insert(x.end(), at, at + 3);
  }
  const auto part = EnergyEngine(restricted(p.system, order)).evaluate(x, false);
  for (std::size_t term = 0; term < 4; ++term) {
    CHECK(part.terms_kj_mol[term] == doctest::Approx(whole.terms_kj_mol[term]).epsilon(1e-9));
  }
  CHECK(part.terms_kj_mol[4] == 0);
}

TEST_CASE("adding one atom after the other adds up to the whole: each term enters once") {
  // U_k - U_{k-1} holds the terms of atom k with atoms before it; a term that came too early would
  // need an atom that is not there, one that never came would be missing from the last.
  const Peptide p = peptide();
  const auto order = make_internal_map(p.topology, p.system, 300)->atom_order();
  std::size_t bonds = 0, angles = 0, torsions = 0, pairs = 0;
  for (std::size_t n = 1; n <= order.size(); ++n) {
    const System part = restricted(p.system, std::span(order).first(n));
    REQUIRE(part.atom_count() == static_cast<int>(n));
    const auto last = static_cast<int>(n) - 1;
    for (const auto& b : part.bonds) bonds += std::max(b.i, b.j) == last;
    for (const auto& a : part.angles) angles += std::max({a.i, a.j, a.k}) == last;
    for (const auto& t : part.torsions) torsions += std::max({t.i, t.j, t.k, t.l}) == last;
    for (const auto& s : part.scaled_pairs) pairs += std::max(s.i, s.j) == last;
    CHECK(part.born_atoms.empty());
  }
  CHECK(bonds == p.system.bonds.size());
  CHECK(angles == p.system.angles.size());
  CHECK(torsions == p.system.torsions.size());
  CHECK(pairs == p.system.scaled_pairs.size());
  CHECK_THROWS_AS(restricted(p.system, std::vector{0, 0}), Error);
  CHECK_THROWS_AS(restricted(p.system, std::vector{-1}), Error);
  CHECK_THROWS_AS(restricted(p.system, std::vector{p.system.atom_count()}), Error);
}

TEST_SUITE_END();
