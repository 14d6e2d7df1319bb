#include "md/coordinates/internal_map.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "md/coordinates/equilibrium_geometry.h"
#include "md/molecule/units.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::md {
namespace {

constexpr double kPi = std::numbers::pi;
// A bond or angle may be this many thermal widths sqrt(RT/k) from its equilibrium.
constexpr double kWidths = 10;
// Radians to either side of a tetrahedral phase, which keeps the mirror image out, and of a planar
// one, which is softer: an amide hydrogen reaches 1.1 at 700 K.
constexpr double kPhaseWidth = 1, kPlanarWidth = kPi / 2;
// No bond is shorter (nm) and no angle straighter (radians from 0 or pi): dihedrals need both.
constexpr double kShortest = 1e-3, kStraightest = 1e-3;

struct Support {
  double low, high;
  bool periodic;
};

Support harmonic_support(const Equilibrium& term, double rt, double lowest, double highest) {
  const double width = kWidths * std::sqrt(rt / term.k);
  return {std::max(lowest, term.value - width), std::min(highest, term.value + width), false};
}

Support torsion_support(const EquilibriumGeometry& geometry, const ZMatrixRow& row) {
  if (!geometry.torsion_is_narrow(row)) return {-kPi, kPi, true};
  const double middle = geometry.torsion(row);
  const double width = geometry.planar(row.parent) ? kPlanarWidth : kPhaseWidth;
  return {middle - width, middle + width, false};
}

Support support_of(const EquilibriumGeometry& geometry, const ZMatrixRow& row, int kind,
                   double rt) {
  if (kind == 0) {
    return harmonic_support(geometry.bond(row.parent, row.atom), rt, kShortest, HUGE_VAL);
  }
  if (kind == 1) {
    return harmonic_support(geometry.angle(row.grandparent, row.parent, row.atom), rt, kStraightest,
                            kPi - kStraightest);
  }
  return torsion_support(geometry, row);
}

int coordinates_in_row(std::size_t m) { return static_cast<int>(std::min<std::size_t>(m, 3)); }

// Every parent must come before its child, and no atom twice; then decode cannot read what is not
// yet placed.
void check_zmatrix(const ZMatrix& zmatrix) {
  require(zmatrix.size() >= 3, "an internal-coordinate tree needs at least 3 atoms, found ",
          zmatrix.size());
  std::vector<bool> placed(zmatrix.size(), false);
  for (std::size_t m = 0; m < zmatrix.size(); ++m) {
    const ZMatrixRow& row = zmatrix[m];
    const int ancestors[] = {row.parent, row.grandparent, row.reference};
    const auto known = [&](int atom) {
      return atom >= 0 && atom < static_cast<int>(placed.size());
    };
    bool good = known(row.atom) && !placed[static_cast<std::size_t>(row.atom)];
    for (int k = 0; k < 3; ++k) {
      const int a = ancestors[k];
      good = good && (k < coordinates_in_row(m) ? known(a) && placed[static_cast<std::size_t>(a)]
                                                : a == -1);
    }
    require(good, "row ", m, " of the internal-coordinate tree (atom ", row.atom, ", ancestors ",
            row.parent, " ", row.grandparent, " ", row.reference,
            ") does not hang on atoms placed before it");
    placed[static_cast<std::size_t>(row.atom)] = true;
  }
}

}  // namespace

InternalMap::InternalMap(ZMatrix zmatrix, std::vector<Coordinate> coordinates)
    : zmatrix_(std::move(zmatrix)) {
  check_zmatrix(zmatrix_);
  coordinates_ = std::move(coordinates);
  require(coordinates_.size() == 3 * zmatrix_.size() - 6, "internal coordinates of ",
          zmatrix_.size(), " atoms need ", 3 * zmatrix_.size() - 6, " supports, found ",
          coordinates_.size());
}

void InternalMap::encode(std::span<const double> positions_nm, std::span<double> z, const Random&,
                         std::uint64_t) const {
  require(positions_nm.size() == 3 * zmatrix_.size() && z.size() == coordinates_.size(),
          "internal encode expects ", 3 * zmatrix_.size(), " positions and ", coordinates_.size(),
          " coordinates, found ", positions_nm.size(), " and ", z.size());
  internal_from_positions(zmatrix_, positions_nm, z);
  for (std::size_t j = 0; j < z.size(); ++j) {
    const Coordinate& c = coordinates_[j];
    if (c.kind != 2) continue;
    const double middle = (c.low + c.high) / 2;
    if (planted(Defect::dihedral_sign_lost) && !c.periodic) z[j] = std::copysign(z[j], middle);
    if (z[j] >= middle + kPi) z[j] -= 2 * kPi;
    if (z[j] < middle - kPi) z[j] += 2 * kPi;
  }
  if (planted(Defect::coordinates_see_place)) z[0] += 1e-3 * positions_nm[0];
}

void InternalMap::decode(std::span<const double> z, std::span<double> positions_nm) const {
  require(positions_nm.size() == 3 * zmatrix_.size() && z.size() <= coordinates_.size() &&
              (z.size() % 3 == 0 || z.size() == 1),
          "internal decode expects ", coordinates_.size(),
          " coordinates, or those of the first atoms, and room for ", 3 * zmatrix_.size(),
          " positions, found ", z.size(), " and ", positions_nm.size());
  positions_from_internal(zmatrix_, z, positions_nm);
}

std::vector<int> InternalMap::atom_order() const {
  std::vector<int> order;
  for (const ZMatrixRow& row : zmatrix_) order.push_back(row.atom);
  return order;
}

// Polar coordinates around the parent: d^3x = r^2 sin(theta) dr dtheta dphi for every atom from the
// fourth on. The second and third leave 4 pi r^2 dr and 2 pi r^2 sin(theta) dr dtheta, whose 8 pi^2
// is the rotation that is divided out.
double InternalMap::log_volume(std::span<const double> z) const {
  require(z.size() == coordinates_.size(), "log volume expects ", coordinates_.size(),
          " coordinates, found ", z.size());
  double sum = 0;
  for (std::size_t j = 0; j < z.size(); ++j) {
    if (coordinates_[j].kind == 0) sum += (planted(Defect::volume_power) ? 1 : 2) * std::log(z[j]);
    if (coordinates_[j].kind == 1) sum += std::log(std::sin(z[j]));
  }
  return sum;
}

void InternalMap::pull_back(std::span<const double> z, std::span<const double> positions_nm,
                            std::span<const double> dpositions, std::span<double> dz) const {
  require(z.size() == coordinates_.size() && dz.size() == z.size() &&
              positions_nm.size() == 3 * zmatrix_.size() &&
              dpositions.size() == positions_nm.size(),
          "internal pull_back expects ", coordinates_.size(), " coordinates and ",
          3 * zmatrix_.size(), " positions with as many derivatives");
  internal_gradient(zmatrix_, z, positions_nm, dpositions, dz);
  for (std::size_t j = 0; j < z.size(); ++j) {
    if (coordinates_[j].kind == 0) dz[j] += 2 / z[j];
    if (coordinates_[j].kind == 1) dz[j] += std::cos(z[j]) / std::sin(z[j]);
  }
}

// "tree": rows of [atom, parent, grandparent, reference]; "support": [low, high, periodic] of each
// coordinate.
Json InternalMap::to_json() const {
  Json tree = Json::list(), support = Json::list();
  for (const ZMatrixRow& row : zmatrix_) {
    tree.push_back(Json::List{row.atom, row.parent, row.grandparent, row.reference});
  }
  for (const Coordinate& c : coordinates_) support.push_back(Json::List{c.low, c.high, c.periodic});
  Json json = Json::object();
  json["name"] = name();
  json["tree"] = std::move(tree);
  json["support"] = std::move(support);
  return json;
}

std::unique_ptr<CoordinateMap> InternalMap::from_json(const Json& json) {
  ZMatrix zmatrix;
  for (const Json& row : json.at("tree").items()) {
    const auto& cells = row.items();
    require(cells.size() == 4, "row ", zmatrix.size(), " of the internal-coordinate tree has ",
            cells.size(), " entries instead of atom, parent, grandparent, reference");
    const auto cell = [&](std::size_t k) { return static_cast<int>(cells[k].integer()); };
    zmatrix.push_back({cell(0), cell(1), cell(2), cell(3)});
  }
  const auto& support = json.at("support").items();
  std::vector<Coordinate> coordinates;
  for (std::size_t m = 0; m < zmatrix.size(); ++m) {
    for (int kind = 0; kind < coordinates_in_row(m); ++kind) {
      const std::size_t j = coordinates.size();
      require(j < support.size() && support[j].items().size() == 3, "internal coordinate ", j,
              " has no support of low, high and periodic");
      const auto& s = support[j].items();
      const double low = s[0].number(), high = s[1].number();
      require(low < high, "the support of internal coordinate ", j, " is empty: ", low, " to ",
              high);
      coordinates.push_back(
          {zmatrix[m].atom, static_cast<int>(m), kind, low, high, s[2].boolean()});
    }
  }
  require(support.size() == coordinates.size(), "expected ", coordinates.size(),
          " supports of internal coordinates, found ", support.size());
  return std::make_unique<InternalMap>(std::move(zmatrix), std::move(coordinates));
}

std::unique_ptr<CoordinateMap> make_internal_map(const Topology& topology, const System& system,
                                                 double temperature_kelvin,
                                                 std::span<const double> like_nm) {
  require(temperature_kelvin > 0, "expected a temperature above 0 K, found ", temperature_kelvin);
  ZMatrix zmatrix = grow_zmatrix(topology);
  const EquilibriumGeometry geometry(topology, system, zmatrix, like_nm);
  const double rt = thermal_energy(temperature_kelvin);
  std::vector<Coordinate> coordinates;
  for (std::size_t m = 0; m < zmatrix.size(); ++m) {
    for (int kind = 0; kind < coordinates_in_row(m); ++kind) {
      const auto [low, high, periodic] = support_of(geometry, zmatrix[m], kind, rt);
      coordinates.push_back({zmatrix[m].atom, static_cast<int>(m), kind, low, high, periodic});
    }
  }
  return std::make_unique<InternalMap>(std::move(zmatrix), std::move(coordinates));
}

std::vector<double> ideal_geometry(const Topology& topology, const System& system,
                                   std::span<const double> like_nm) {
  const ZMatrix zmatrix = grow_zmatrix(topology);
  const EquilibriumGeometry geometry(topology, system, zmatrix, like_nm);
  std::vector<double> z;
  for (const ZMatrixRow& row : zmatrix) {
    if (row.parent >= 0) z.push_back(geometry.bond(row.parent, row.atom).value);
    if (row.grandparent >= 0) {
      z.push_back(geometry.angle(row.grandparent, row.parent, row.atom).value);
    }
    if (row.reference >= 0) z.push_back(geometry.torsion(row));
  }
  std::vector<double> positions(3 * zmatrix.size());
  positions_from_internal(zmatrix, z, positions);
  return positions;
}

}  // namespace arbg::md
