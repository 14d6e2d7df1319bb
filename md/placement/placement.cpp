#include "md/placement/placement.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "md/molecule/units.h"
#include "md/placement/placement_device_tables.h"
#include "md/placement/placement_lanes.h"
#include "md/placement/placement_terms.h"
#include "md/terms/generalised_born.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/base/simd.h"

namespace arbg::md {
namespace {

void require_fitting(const System& system, const CoordinateMap& map, double temperature_kelvin,
                     std::int64_t bins, const std::vector<double>& born_radii_nm) {
  require(!map.tree().empty(), "placement energies need internal coordinates, found ", map.name(),
          " ones");
  const auto atoms = map.tree().size();
  require(system.mass_amu.size() == atoms && system.nonbonded.size() == atoms,
          "placement energies expect a system of the map's ", atoms, " atoms, found one of ",
          system.atom_count());
  require(temperature_kelvin > 0, "expected a temperature above 0 K, found ", temperature_kelvin);
  require(bins > 0, "placement energies need at least one bin of a dihedral, found ", bins);
  if (born_radii_nm.empty()) return;
  require(born_radii_nm.size() == atoms && !system.born_atoms.empty(), "expected Born radii of ",
          atoms, " atoms of a system with implicit solvent, or none, found ", born_radii_nm.size());
  for (const double radius : born_radii_nm)
    require(radius > 0, "expected Born radii above 0 nm, found ", radius);
}

// Every term belongs to the row of that of its atoms which is placed last.
void deal_out_terms(PlacementTerms& all) {
  const auto place = all.places();
  const auto terms_of_last = [&](auto... atom) -> System& {
    return all.rows[std::max({place[static_cast<std::size_t>(atom)]...})].terms;
  };
  const System& system = all.system;
  for (const auto& b : system.bonds) terms_of_last(b.i, b.j).bonds.push_back(b);
  for (const auto& a : system.angles) terms_of_last(a.i, a.j, a.k).angles.push_back(a);
  for (const auto& t : system.torsions) terms_of_last(t.i, t.j, t.k, t.l).torsions.push_back(t);
  for (const auto& p : system.scaled_pairs) terms_of_last(p.i, p.j).scaled_pairs.push_back(p);
}

PlacementTerms make_rows(const System& system, const CoordinateMap& map, double temperature_kelvin,
                         std::int64_t bins, std::vector<double> born_radii_nm) {
  require_fitting(system, map, temperature_kelvin, bins, born_radii_nm);
  PlacementTerms all{
      system, thermal_energy(temperature_kelvin), bins, std::move(born_radii_nm), {}};
  for (const ZMatrixRow& tree : map.tree()) all.rows.emplace_back().tree = tree;
  const auto divided = [](const Coordinate& c, std::int64_t parts) {
    return AngularBins{c.low, (c.high - c.low) / static_cast<double>(parts)};
  };
  for (const Coordinate& c : map.coordinates()) {
    PlacementRow& row = all.rows[static_cast<std::size_t>(c.order)];
    if (c.order < 3 || c.kind == 0) continue;
    if (c.kind == 1) {
      row.groups = divided(c, bins / bins_in_group(bins));
      row.has_phase = has_placement_curve(map, 3 * c.order - 5);
      continue;
    }
    row.phi = divided(c, bins);
    if (planted(Defect::candidates_beside)) row.phi.low += row.phi.width;
    row.phases = divided(c, kPlacementPhases);
  }
  deal_out_terms(all);
  return all;
}

// Without NaN, which compares as not less.
template <class T>
T least_of(std::span<const T> values) {
  const auto smaller = [](const Lanes<T>& a, const Lanes<T>& b) { return select(a < b, a, b); };
  Lanes<T> least = broadcast(std::numeric_limits<T>::infinity());
  for (; values.size() >= kLaneCount<T>; values = values.subspan(kLaneCount<T>))
    least = smaller(load_lanes(values.data()), least);
  T one = join_lanes(least, smaller);
  for (const T x : values) one = std::min(one, x);
  return one;
}

template <class T>
void shift_and_cap_components(std::span<T> u) {
  require(u.size() % kPlacementComponents == 0, "expected curves of ", kPlacementComponents,
          " components, found ", u.size(), " numbers");
  const std::size_t bins = u.size() / kPlacementComponents;
  for (; !u.empty(); u = u.subspan(bins)) {
    const T least = least_of(std::span<const T>(u.first(bins)));
    for (T& x : u.first(bins)) x = std::min(x - least, static_cast<T>(kPlacementCap));
  }
}

}  // namespace

std::vector<std::size_t> PlacementTerms::places() const {
  std::vector<std::size_t> place(rows.size());
  for (std::size_t m = 0; m < rows.size(); ++m)
    place[static_cast<std::size_t>(rows[m].tree.atom)] = m;
  return place;
}

std::array<double, kPoints> interpolation_weights(double x) {
  std::array<double, kPoints> weights;
  for (std::size_t k = 0; k < kPoints; ++k) {
    weights[k] = 1;
    for (std::size_t other = 0; other < kPoints; ++other) {
      if (other == k) continue;
      weights[k] *= (x + kMargin - static_cast<double>(other)) /
                    (static_cast<double>(k) - static_cast<double>(other));
    }
  }
  return weights;
}

std::int64_t bins_in_group(std::int64_t bins) {
  return bins % kPlacementGroups == 0 ? bins / kPlacementGroups : 1;
}

Placement::Placement(const System& system, const CoordinateMap& map, double temperature_kelvin,
                     std::int64_t bins, std::vector<double> born_radii_nm)
    : rows_(std::make_shared<const PlacementTerms>(
          make_rows(system, map, temperature_kelvin, bins, std::move(born_radii_nm)))),
      lanes_(std::make_shared<const LanePlacement>(*rows_)) {}

std::int64_t Placement::bins() const { return rows_->bins; }

const std::vector<double>& Placement::born_radii_nm() const { return rows_->born_radii_nm; }

bool has_placement_curve(const CoordinateMap& map, int coordinate) {
  if (coordinate < 3 || coordinate >= map.size()) return false;
  const auto* c = &map.coordinates()[static_cast<std::size_t>(coordinate)];
  return c->kind == 2 || (c->kind == 1 && !c[1].periodic);
}

bool Placement::has_curve(int coordinate) const {
  const auto atoms = static_cast<int>(rows_->rows.size());
  if (coordinate < 3 || coordinate >= 3 * atoms - 6) return false;
  return coordinate % 3 == 2 || (coordinate % 3 == 1 && rows_->rows[row_of(coordinate)].has_phase);
}

std::size_t Placement::row_of(int coordinate) {
  return static_cast<std::size_t>(coordinate / 3) + 2;
}

std::size_t Placement::checked_row(int coordinate, std::span<const double> own,
                                   std::size_t positions, std::size_t numbers) const {
  const auto atoms = rows_->rows.size();
  require(has_curve(coordinate), "expected a dihedral, or the angle before a phase, among ",
          3 * atoms - 6, " coordinates for its placement energies, found coordinate ", coordinate);
  const auto all = static_cast<std::size_t>(kPlacementComponents * rows_->bins);
  require(positions == 3 * atoms && numbers == all && std::ssize(own) == coordinate % 3,
          "placement energies expect ", 3 * atoms, " positions, ", coordinate % 3,
          " coordinates of the atom before, and room for ", all, " energies, found ", positions,
          ", ", own.size(), " and ", numbers);
  return row_of(coordinate);
}

void Placement::reference(int coordinate, std::span<const double> positions_nm,
                          std::span<const double> own, std::span<double> u) const {
  const std::size_t m = checked_row(coordinate, own, positions_nm.size(), u.size());
  if (own.size() == 1)
    angle_curve_reference(*rows_, m, positions_nm, own[0], u);
  else
    dihedral_curve_reference(*rows_, m, positions_nm, own[0], own[1], u);
}

void Placement::lanes(int coordinate, std::span<const double> positions_nm,
                      std::span<const double> own, std::span<float> u) const {
  const std::size_t m = checked_row(coordinate, own, positions_nm.size(), u.size());
  if (own.size() == 1)
    lanes_->angle_curve(m, positions_nm, own[0], u);
  else
    lanes_->dihedral_curve(m, positions_nm, own[0], own[1], u);
}

DevicePlacementTables Placement::device_tables(const CoordinateMap& map,
                                               std::span<const RingClosure> closures) const {
  return device_placement_tables(*rows_, *lanes_, map, closures);
}

void shift_and_cap(std::span<double> u) { shift_and_cap_components(u); }
void shift_and_cap(std::span<float> u) { shift_and_cap_components(u); }

std::vector<double> placement_born_radii(const Topology& topology, const System& system) {
  if (system.born_atoms.empty()) return {};
  return born_radii_reference(system, ideal_geometry(topology, system));
}

}  // namespace arbg::md
