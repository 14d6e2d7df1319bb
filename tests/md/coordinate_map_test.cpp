// Both coordinate maps: inverse, exact volume, the same partition function, supports, chirality and
// storage.
#include "md/coordinates/coordinate_map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "md/forcefields/forcefield.h"
#include "tensor/base/error.h"
#include "tensor/base/npy.h"
#include "tests/md/map_testing.h"

using namespace arbg;
using namespace arbg::md;

namespace {

const Random kRandom(11, stream_id("coordinate map test"));

std::vector<double> mirrored(std::vector<double> x) {
  for (std::size_t i = 0; i < x.size(); i += 3) x[i] = -x[i];
  return x;
}

// FCHBr-OH: a chiral carbon and an alcohol, with no residue names to go by.
Molecule chiral_methanol() {
  return molecule({"C", "F", "Br", "O", "H", "HO"}, {{0, 1}, {0, 2}, {0, 3}, {0, 4}, {3, 5}}, 3e5,
                  400);
}

Molecule peptide(const char* sequence) {
  Molecule m;
  m.topology = Topology::from_sequence(sequence);
  m.system = ForceField::named("amber99sbildn-obc2").create_system(m.topology);
  return m;
}

Array<double> golden_positions(const std::string& sequence) {
  return read_npy(std::string(ARBG_GOLDEN_DIR) + "/energies/amber99sbildn-obc2/" + sequence +
                  "/positions.npy");
}

std::vector<double> uniform_in_support(const CoordinateMap& map, std::uint64_t draw) {
  std::vector<double> z;
  for (const Coordinate& c : map.coordinates()) {
    z.push_back(c.low + (c.high - c.low) * kRandom.uniform(1000 * draw + z.size()));
  }
  return z;
}

// Coordinates outside their support, as text: empty if all are inside.
std::string outside(const CoordinateMap& map, std::span<const double> z, const Topology& topology) {
  std::string found;
  for (std::size_t j = 0; j < z.size(); ++j) {
    const Coordinate& c = map.coordinates()[j];
    if (z[j] >= c.low && z[j] < c.high) continue;
    found += topology.describe(c.atom) + " kind " + std::to_string(c.kind) + " = " +
             std::to_string(z[j]) + "; ";
  }
  return found;
}

// log |det| by elimination with pivots; rows [n, n].
double log_determinant(std::vector<std::vector<double>> a) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < a.size(); ++i) {
      if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
    }
    std::swap(a[k], a[pivot]);
    sum += std::log(std::abs(a[k][k]));
    for (std::size_t i = k + 1; i < a.size(); ++i) {
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j < a.size(); ++j) a[i][j] -= factor * a[k][j];
    }
  }
  return sum;
}

// log |d x / d (translation, rotation, z)| at the identity rotation, by central differences in z.
double log_jacobian(const CoordinateMap& map, std::vector<double> z) {
  const auto x = decode(map, z);
  std::vector<std::vector<double>> rows;
  for (std::size_t k = 0; k < 3; ++k) {
    std::vector<double> shift(x.size(), 0.0), turn(x.size(), 0.0);
    for (std::size_t i = 0; i < x.size(); i += 3) {
      shift[i + k] = 1;
      turn[i + (k + 1) % 3] = -x[i + (k + 2) % 3];
      turn[i + (k + 2) % 3] = x[i + (k + 1) % 3];
    }
    rows.push_back(shift);
    rows.push_back(turn);
  }
  constexpr double kStep = 1e-5;
  for (double& value : z) {
    const double middle = value;
    value = middle + kStep;
    auto row = decode(map, z);
    value = middle - kStep;
    const auto below = decode(map, z);
    value = middle;
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = (row[i] - below[i]) / (2 * kStep);
    rows.push_back(row);
  }
  return log_determinant(rows);
}

void check_inverse(const Molecule& m) {
  const auto map = make_internal_map(m.topology, m.system, 300);
  REQUIRE(map->size() == 3 * m.topology.atom_count() - 6);
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const auto z = uniform_in_support(*map, draw);
    const auto x = decode(*map, z);
    const auto again = encode(*map, x);
    for (std::size_t j = 0; j < z.size(); ++j) CHECK(std::abs(again[j] - z[j]) < 1e-9);
    CHECK(map->log_volume(z) == doctest::Approx(log_jacobian(*map, z)).epsilon(1e-8));
  }
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("internal encode undoes decode, and log_volume is the determinant of decode") {
  check_inverse(molecule({"C1", "C2", "H"}, {{0, 1}, {1, 2}}, 3e5, 400));
  check_inverse(chiral_methanol());
  check_inverse(peptide("Ace-A-Nme"));
}

TEST_CASE("maps are invariant to motion and have mirror images where they say so") {
  const auto m = peptide("Ace-A-Nme");
  const auto x = ideal_geometry(m.topology, m.system);
  const auto internal = make_internal_map(m.topology, m.system, 300),
             cartesian = make_cartesian_map(m.topology.atom_count(), 0.3, 8);
  for (const auto* map : {internal.get(), cartesian.get()}) {
    auto moved = x;
    for (std::size_t i = 0; i < x.size(); i += 3) {
      moved[i] = 0.5 - x[i + 1], moved[i + 1] = x[i], moved[i + 2] = x[i + 2] - 0.1;
    }
    const auto z = encode(*map, x), elsewhere = encode(*map, moved), again = encode(*map, x, 1);
    double motion = 0, frames = 0;
    for (std::size_t j = 0; j < z.size(); ++j) {
      motion = std::max(motion, std::abs(elsewhere[j] - z[j]));
      frames = std::max(frames, std::abs(again[j] - z[j]));
    }
    CHECK((motion < 1e-9) == map->invariant_to_motion());
    CHECK((frames == 0) == map->invariant_to_motion());

    auto mirror = z;
    for (double& value : mirror) value = -value;
    auto expected = decode(*map, z);
    for (double& value : expected) value = -value;
    CHECK((decode(*map, mirror) == expected) == map->has_mirror_images());
    CHECK((map->log_volume(mirror) == map->log_volume(z)) == map->has_mirror_images());
    CHECK(std::ranges::all_of(map->coordinates(), [](const Coordinate& c) {
            return c.low == -c.high;
          }) == map->has_mirror_images());
  }
}

TEST_CASE("internal decode undoes encode up to a rigid motion") {
  const auto m = peptide("Ace-A-Nme");
  const int n = m.topology.atom_count();
  const auto map = make_internal_map(m.topology, m.system, 300);
  const auto golden = golden_positions("Ace-A-Nme");
  for (std::int64_t frame = 0; frame < golden.shape[0]; ++frame) {
    const std::span<const double> x(golden.data.data() + frame * 3 * n,
                                    static_cast<std::size_t>(3 * n));
    const auto again = decode(*map, encode(*map, x));
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < i; ++j) CHECK(std::abs(distance(again, i, j) - distance(x, i, j)) < 1e-9);
    }
    CHECK(std::abs(volume(again, 0, 6, 12, 18) - volume(x, 0, 6, 12, 18)) < 1e-9);
  }
}

TEST_CASE("atoms come residue by residue, heavy atoms first, and always after what they hang on") {
  const auto m = peptide("Ace-A-Nme");
  const auto map = make_internal_map(m.topology, m.system, 300);
  const auto neighbours = m.topology.neighbours();
  std::vector<int> residues;
  std::vector<int> order = {m.topology.find(1, "N")};
  for (const Coordinate& c : map->coordinates()) {
    if (c.atom != order.back()) order.push_back(c.atom);
    CHECK(c.order == static_cast<int>(order.size()) - 1);
  }
  REQUIRE(order.size() == 22);
  for (std::size_t k = 1; k < order.size(); ++k) {
    const auto& bonded = neighbours[static_cast<std::size_t>(order[k])];
    CHECK(std::ranges::any_of(bonded, [&](int j) {
      return std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), j) !=
             order.begin() + static_cast<std::ptrdiff_t>(k);
    }));
    const Atom& now = m.topology.atoms[static_cast<std::size_t>(order[k])];
    const Atom& before = m.topology.atoms[static_cast<std::size_t>(order[k - 1])];
    if (now.residue == before.residue) CHECK((before.element != "H" || now.element == "H"));
    if (residues.empty() || residues.back() != now.residue) residues.push_back(now.residue);
  }
  CHECK(residues == std::vector<int>{1, 0, 2});
}

TEST_CASE("the ideal geometry is extended, trans, of L amino acids and inside the support") {
  for (const char* sequence : {"Ace-A-Nme", "Ace-AAA-Nme", "Ace-AA-Nhe"}) {
    const auto m = peptide(sequence);
    const auto& t = m.topology;
    const auto map = make_internal_map(t, m.system, 300);
    const auto x = ideal_geometry(t, m.system);
    CHECK(outside(*map, encode(*map, x), t) == "");
    for (int r = 1; r + 1 < static_cast<int>(t.residues.size()); ++r) {
      const int n = t.find(r, "N"), ca = t.find(r, "CA"), c = t.find(r, "C"), cb = t.find(r, "CB");
      CHECK(volume(x, ca, n, c, cb) > 0);  // CORN: seen from HA, CO, R and N count clockwise
      // Extended: each turn of the main chain leaves its ends as far apart as three bonds allow.
      CHECK(distance(x, t.find(r - 1, "C"), c) > 0.36);
      CHECK(distance(x, n, t.find(r + 1, "N")) > 0.36);
      if (r > 1) CHECK(distance(x, t.find(r - 1, "CA"), ca) > 0.37);
    }
    for (const HarmonicBond& b : m.system.bonds) {
      CHECK(distance(x, b.i, b.j) == doctest::Approx(b.length_nm).epsilon(1e-9));
    }
  }
}

TEST_CASE("the ideal geometry of all twenty amino acids has its rings and the natural hands") {
  const auto m = peptide("Ace-ACDEFGHIKLMNPQRSTVWY-Nme");
  const auto& t = m.topology;
  const auto x = ideal_geometry(t, m.system);
  // The equilibrium angles of a ring need not add up: 120 degrees in the pentagon of His leave a
  // gap of 0.09 nm, for minimisation to close. A ring atom on the wrong side of its bond would
  // leave more than 0.2 nm.
  for (const HarmonicBond& b : m.system.bonds) {
    CAPTURE(t.describe(b.i));
    CAPTURE(t.describe(b.j));
    CHECK(std::abs(distance(x, b.i, b.j) - b.length_nm) < 0.1);
  }
  // Cahn-Ingold-Prelog: seen from the hydrogen, falling priority counts clockwise for S.
  const auto is_s = [&](int r, const char* lowest, const char* a, const char* b, const char* c) {
    return volume(x, t.find(r, lowest), t.find(r, a), t.find(r, b), t.find(r, c)) > 0;
  };
  for (int r = 1; r <= 20; ++r) {
    const auto& name = t.residues[static_cast<std::size_t>(r)].name;
    CAPTURE(name);
    if (name != "GLY")
      CHECK(is_s(r, "HA", "N", "C", "CB"));  // Cys is R by name, with the same hand
    if (name == "ILE") CHECK(is_s(r, "HB", "CA", "CG1", "CG2"));
    if (name == "THR") CHECK(!is_s(r, "HB", "OG1", "CA", "CG2"));
  }
}

TEST_CASE("the support shuts out the mirror image, whichever hand it was made for") {
  const auto m = peptide("Ace-A-Nme");
  const auto x = ideal_geometry(m.topology, m.system), image = mirrored(x);
  const auto left = make_internal_map(m.topology, m.system, 300);
  const auto right = make_internal_map(m.topology, m.system, 300, image);
  CHECK(outside(*left, encode(*left, x), m.topology) == "");
  CHECK(outside(*left, encode(*left, image), m.topology).find("CB") != std::string::npos);
  CHECK(outside(*right, encode(*right, image), m.topology) == "");
  CHECK(outside(*right, encode(*right, x), m.topology).find("CB") != std::string::npos);
}

TEST_CASE("Cartesian encode turns, shifts and scales, and decode only scales back") {
  const auto m = chiral_methanol();
  const auto x = ideal_geometry(m.topology, m.system);
  const auto map = make_cartesian_map(6, 0.35, 3.0);
  for (std::uint64_t index = 0; index < 5; ++index) {
    const auto y = encode(*map, x, index);
    CHECK(encode(*map, x, index) == y);
    CHECK(encode(*map, x, index + 1) != y);
    const auto back = decode(*map, y);
    for (int i = 0; i < 6; ++i) {
      for (int j = 0; j < i; ++j) CHECK(std::abs(distance(back, i, j) - distance(x, i, j)) < 1e-12);
    }
    CHECK(volume(back, 0, 1, 2, 3) == doctest::Approx(volume(x, 0, 1, 2, 3)));
    for (std::size_t k = 0; k < y.size(); ++k) CHECK(back[k] == 0.35 * y[k]);
  }
  CHECK(map->coordinates()[7].atom == 2);
  CHECK(map->coordinates()[7].kind == 1);
  CHECK(map->coordinates()[7].low == -3.0);
}

TEST_CASE("a map comes back from its JSON text bit for bit") {
  const auto m = chiral_methanol();
  std::vector<std::unique_ptr<CoordinateMap>> maps;
  maps.push_back(make_internal_map(m.topology, m.system, 310));
  maps.push_back(make_cartesian_map(6, 0.35, 4.5));
  for (const auto& map : maps) {
    const auto again = CoordinateMap::from_json(Json::parse(map->to_json().dump(), "map"));
    CHECK(again->name() == map->name());
    const auto z = uniform_in_support(*map, 3);
    CHECK(uniform_in_support(*again, 3) == z);
    CHECK(decode(*again, z) == decode(*map, z));
    CHECK(encode(*again, decode(*map, z)) == encode(*map, decode(*map, z)));
    CHECK(again->log_volume(z) == map->log_volume(z));
    for (std::size_t j = 0; j < z.size(); ++j) {
      CHECK(again->coordinates()[j].periodic == map->coordinates()[j].periodic);
      CHECK(again->coordinates()[j].atom == map->coordinates()[j].atom);
    }
  }
}

TEST_CASE("what cannot be a map is refused by name") {
  auto m = chiral_methanol();
  m.system.angles.erase(m.system.angles.begin());
  CHECK_THROWS_WITH_AS(make_internal_map(m.topology, m.system, 300), doctest::Contains("MOL1:F"),
                       Error);

  m = chiral_methanol();
  m.topology.bonds.pop_back();
  CHECK_THROWS_WITH_AS(make_internal_map(m.topology, m.system, 300), doctest::Contains("MOL1:HO"),
                       Error);

  const auto pair = molecule({"C1", "C2"}, {{0, 1}}, 3e5, 400);
  CHECK_THROWS_AS(make_internal_map(pair.topology, pair.system, 300), Error);

  CHECK_THROWS_AS(CoordinateMap::from_json(Json::parse(R"({"name": "polar"})", "map")), Error);
  const char* child_before_parent =
      R"({"name": "internal", "tree": [[0,-1,-1,-1], [2,1,-1,-1], [1,0,2,-1]],
      "support": [[0.1,0.2,false], [0.1,0.2,false], [1,2,false]]})";
  CHECK_THROWS_WITH_AS(CoordinateMap::from_json(Json::parse(child_before_parent, "map")),
                       doctest::Contains("row 1"), Error);

  const auto map = make_internal_map(chiral_methanol().topology, chiral_methanol().system, 300);
  std::vector<double> z(11), x(18);
  CHECK_THROWS_AS(map->decode(z, x), Error);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("golden");

TEST_CASE("conformations of another program's dynamics at 300 K and 700 K are inside the support") {
  for (const char* sequence : {"Ace-A-Nme", "Ace-ILDN-Nme"}) {
    const auto m = peptide(sequence);
    const auto golden = golden_positions(sequence);
    const auto size = static_cast<std::size_t>(3 * m.topology.atom_count());
    const std::span<const double> all(golden.data);
    // Hydrogens of alanine follow the default order; the longer peptide was built with its own.
    const bool own_order = sequence == std::string("Ace-ILDN-Nme");
    const auto map = make_internal_map(m.topology, m.system, 300,
                                       own_order ? all.first(size) : std::span<const double>{});
    for (std::size_t frame = 0; frame < 17; ++frame) {
      CAPTURE(frame);
      CHECK(outside(*map, encode(*map, all.subspan(frame * size, size)), m.topology) == "");
    }
  }
}

TEST_SUITE_END();
