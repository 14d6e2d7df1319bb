#include "sampling/audit/placement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "md/molecule/restricted_system.h"
#include "md/molecule/units.h"
#include "sampling/audit/coordinates.h"
#include "sampling/audit/point.h"
#include "sampling/proposals/atom_placement.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

constexpr std::size_t kComponents = md::kPlacementComponents;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kConformations = 2;
constexpr std::size_t kCandidates = 3;  // of a curve, against the restricted force field
// A float32 energy near its least u has the error of one near 0 times 1 + kOfLeast |u|, u in kT.
constexpr double kOfLeast = 2e-3;

Point atom_at(std::span<const double> x, int atom) {
  return point(x, static_cast<std::size_t>(atom));
}

Point unit(Point a) {
  const double size = length(a);
  for (double& value : a) value /= size;
  return a;
}

// Puts the atom of a row of the tree where r, theta and phi say: from the parent r cos(theta) along
// the axis to the grandparent, and r sin(theta) across, towards the reference where phi is 0 and
// along `flat` x axis where it is a right angle.
void put(std::span<double> x, const md::ZMatrixRow& row, double r, double theta, double phi) {
  const Point parent = atom_at(x, row.parent), grandparent = atom_at(x, row.grandparent),
              axis = unit(minus(grandparent, parent));
  Point flat = minus(atom_at(x, row.reference), grandparent);
  const double along = dot(flat, axis);
  for (std::size_t k = 0; k < 3; ++k) flat[k] -= along * axis[k];
  flat = unit(flat);
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t p = (k + 1) % 3, q = (k + 2) % 3;
    const double upright = flat[p] * axis[q] - flat[q] * axis[p];
    x[static_cast<std::size_t>(3 * row.atom) + k] =
        parent[k] + r * (std::cos(theta) * axis[k] +
                         std::sin(theta) * (std::cos(phi) * flat[k] + std::sin(phi) * upright));
  }
}

// Whether coordinate j is to have a curve: dihedrals, and angles before a dihedral that does not
// turn freely; not of the three atoms placed first.
bool is_told(const md::CoordinateMap& map, std::size_t j) {
  const auto& all = map.coordinates();
  return j > 2 && (all[j].kind == 2 || (all[j].kind == 1 && !all[j + 1].periodic));
}

// A curve of a conformation.
struct Curve {
  const md::Placement& placement;
  const Generator& generator;
  const Target& target;
  std::span<const double> positions_nm, z;
  std::size_t coordinate;

  const md::System& system() const { return target.energy().system(); }
  double rt() const { return md::thermal_energy(target.temperature_kelvin()); }
  std::size_t bins() const { return static_cast<std::size_t>(placement.bins()); }
  std::size_t row() const { return coordinate / 3 + 2; }
  const md::ZMatrixRow& tree() const { return generator.map().tree()[row()]; }
  // Those of its atom that come before.
  std::span<const double> own() const { return z.subspan(coordinate / 3 * 3, coordinate % 3); }

  // The atoms before its own, and all of these.
  std::vector<int> standing() const { return first(row()); }
  std::vector<int> complete() const { return first(row() + 1); }
  std::vector<int> first(std::size_t count) const {
    auto atoms = generator.map().atom_order();
    atoms.resize(count);
    return atoms;
  }
  // The middle of one of so many equal parts of coordinate j.
  double middle(std::size_t j, std::size_t part, std::size_t parts) const {
    const auto& [low, high, periodic] = generator.bins().axis(static_cast<std::int64_t>(j));
    return low + (high - low) * (static_cast<double>(part) + 0.5) / static_cast<double>(parts);
  }
  std::vector<double> reference() const {  // u [c, V]
    std::vector<double> u(kComponents * bins());
    placement.reference(static_cast<int>(coordinate), positions_nm, own(), u);
    return u;
  }
};

// Terms (md/energy/engine.h) of a part of a molecule, kJ/mol; x [N, 3] is of the whole.
std::vector<double> terms_of(const md::System& part, std::span<const int> atoms,
                             std::span<const double> x) {
  std::vector<double> own;
  for (const int atom : atoms) {
    const Point there = atom_at(x, atom);
    own.insert(own.end(), there.begin(), there.end());
  }
  return md::EnergyEngine(part, Backend::reference).evaluate(own, false).terms_kj_mol;
}

double bonded(std::span<const double> terms) { return terms[0] + terms[1] + terms[2]; }

// kJ/mol
struct Components {
  std::array<double, kComponents> energy{};  // bonded, Lennard-Jones, electrostatic
  double size = 0;                           // of the terms that they are sums of

  void subtract(const Components& other) {
    for (std::size_t c = 0; c < kComponents; ++c) energy[c] -= other.energy[c];
    size += other.size;
  }
};

// Of the terms among some atoms, without solvent. The nonbonded term is split by switching off
// charges, and depths.
Components components_of(const md::System& system, std::span<const int> atoms,
                         std::span<const double> x) {
  md::System neutral = md::restricted(system, atoms), hollow = neutral;
  for (auto& atom : neutral.nonbonded) atom.charge_e = 0;
  for (auto& pair : neutral.scaled_pairs) pair.charge_product_e2 = 0;
  for (auto& atom : hollow.nonbonded) atom.epsilon_kj_mol = 0;
  for (auto& pair : hollow.scaled_pairs) pair.epsilon_kj_mol = 0;
  const auto terms = terms_of(neutral, atoms, x);
  const double coulomb = terms_of(hollow, atoms, x)[3];
  Components out{{bonded(terms), terms[3], coulomb}, std::abs(coulomb)};
  for (const double term : terms) out.size += std::abs(term);
  return out;
}

// The solvent's pair term at fixed radii, kJ/mol.
double solvent(const md::System& system, std::span<const double> radii, int atom, int other,
               double d2) {
  const double cutoff = system.cutoff_nm, shift = cutoff > 0 ? 1 / cutoff : 0,
               tau = md::kCoulomb *
                     (1 / system.born.solute_dielectric - 1 / system.born.solvent_dielectric);
  if (cutoff > 0 && d2 > cutoff * cutoff) return 0;
  const auto i = static_cast<std::size_t>(atom), j = static_cast<std::size_t>(other);
  const double product = radii[i] * radii[j],
               f = std::sqrt(d2 + product * std::exp(-d2 / (4 * product)));
  return -tau * system.nonbonded[i].charge_e * system.nonbonded[j].charge_e * (1 / f - shift);
}

// Of a dihedral in a bin: E with the atom there less E without. Nothing where it comes so near to
// another that it counts as farther.
std::optional<Components> dihedral_at(const Curve& curve, std::size_t v) {
  const auto& system = curve.system();
  const auto& radii = curve.placement.born_radii_nm();
  const md::ZMatrixRow& row = curve.tree();
  std::vector<double> x(curve.positions_nm.begin(), curve.positions_nm.end());
  put(x, row, curve.own()[0], curve.own()[1], curve.middle(curve.coordinate, v, curve.bins()));
  Components out = components_of(system, curve.complete(), x);
  const auto standing = curve.standing();
  out.subtract(components_of(system, standing, x));
  for (const int other : standing) {
    const Point apart = minus(atom_at(x, row.atom), atom_at(x, other));
    const double d2 = dot(apart, apart);
    if (d2 < md::kPlacementNearest * md::kPlacementNearest) return {};
    if (!radii.empty()) out.energy[2] += solvent(system, radii, row.atom, other, d2);
  }
  return out;
}

// Of an angle, -RT log of the sum over phases of exp(-E/RT), bonded terms alone.
Components angle_at(const Curve& curve, double theta) {
  constexpr std::size_t kPhases = md::kPlacementPhases;
  const auto standing = curve.standing(), complete = curve.complete();
  std::vector<double> x(curve.positions_nm.begin(), curve.positions_nm.end());
  const double before = bonded(terms_of(md::restricted(curve.system(), standing), standing, x));
  const md::System with = md::restricted(curve.system(), complete);
  std::vector<double> energy;
  for (std::size_t k = 0; k < kPhases; ++k) {
    put(x, curve.tree(), curve.own()[0], theta, curve.middle(curve.coordinate + 1, k, kPhases));
    energy.push_back(bonded(terms_of(with, complete, x)) - before);
  }
  const double least = std::ranges::min(energy);
  double sum = 0;
  for (const double e : energy) sum += std::exp((least - e) / curve.rt());
  return {{least - curve.rt() * std::log(sum), 0, 0}, std::abs(least) + std::abs(before)};
}

// Of an angle in a bin: the polynomial through the middles of its group of bins and of two to each
// side.
Components angle_in_bin(const Curve& curve, std::size_t v) {
  constexpr std::size_t kGroups = md::kPlacementGroups;
  const std::size_t V = curve.bins(), groups = V % kGroups == 0 ? kGroups : V;
  const double theta = curve.middle(curve.coordinate, v, V),
               own = curve.middle(curve.coordinate, v / (V / groups), groups),
               step = curve.middle(curve.coordinate, 1, groups) -
                      curve.middle(curve.coordinate, 0, groups);
  Components out;
  for (int k = -2; k <= 2; ++k) {
    double weight = 1;
    for (int l = -2; l <= 2; ++l)
      if (l != k) weight *= (theta - (own + l * step)) / ((k - l) * step);
    const Components known = angle_at(curve, own + k * step);
    out.energy[0] += weight * known.energy[0];
    out.size += known.size;
  }
  return out;
}

// Some bins of a curve, in the middles of as many parts, against that, over RT plus the size of the
// terms.
double error_of_curve(const Curve& curve) {
  const auto u = curve.reference();
  const std::size_t V = curve.bins();
  double largest = 0;
  for (std::size_t i = 0; i < kCandidates; ++i) {
    const std::size_t v = (2 * i + 1) * V / (2 * kCandidates);
    const auto expected =
        curve.coordinate % 3 == 1 ? angle_in_bin(curve, v) : dihedral_at(curve, v);
    for (std::size_t c = 0; expected && c < kComponents; ++c)
      largest = worse(largest, std::abs(curve.rt() * u[c * V + v] - expected->energy[c]) /
                                   (curve.rt() + expected->size));
  }
  return largest;
}

// Bonds and angles stay what they are.
double within_half_a_turn(double difference) {
  return std::atan2(std::sin(difference), std::cos(difference));
}

// u [c, V] of coordinate j before it is shifted and capped: the reference, and the closure of
// rings; empty if it has neither.
std::vector<double> expected_curve(const std::vector<Curve>& curves, const AtomPlacement& told,
                                   const nn::CoordinateBins& bins, std::span<const double> z,
                                   std::size_t j) {
  const auto found = std::ranges::find(curves, j, &Curve::coordinate);
  const auto V = static_cast<std::size_t>(bins.bins());
  std::vector<double> u;
  if (found != curves.end()) u = found->reference();
  const auto* closure = told.closure_of(static_cast<std::int64_t>(j));
  if (!closure) return u;
  u.resize(kComponents * V);
  const auto& [low, high, periodic] = bins.axis(static_cast<std::int64_t>(j));
  double force = closure->slope;
  for (const auto& [i, stiffness, centre] : closure->couplings)
    force += stiffness * within_half_a_turn(z[static_cast<std::size_t>(i)] - centre);
  for (std::size_t v = 0; v < V; ++v) {
    const double share = (static_cast<double>(v) + 0.5) / static_cast<double>(V),
                 apart = within_half_a_turn(low + (high - low) * share - closure->centre);
    u[v] += force * apart + closure->stiffness * apart * apart / 2;
  }
  return u;
}

// What the network is told of a conformation against that, shifted and capped here, in kT, where
// what was shifted off is small; infinity if it is told of other coordinates.
double error_of_told(const std::vector<Curve>& curves, const AtomPlacement& placement,
                     const Generator& generator, std::span<const double> z, std::size_t& number) {
  const std::int64_t K = std::ssize(z);
  const auto V = static_cast<std::size_t>(generator.bins().bins());
  const auto rows =
      generator.head().placement_rows(nn::host_rows(z, K), 0, K, generator.network().backend());
  if (!rows.slot.defined()) return curves.empty() ? 0 : kInfinity;
  const auto slot = rows.slot.indices();
  const auto told = rows.energies.values();  // [1, S, c, V]
  double largest = 0;
  for (std::size_t j = 0, s = 0; j < z.size(); ++j) {
    const auto u = expected_curve(curves, placement, generator.bins(), z, j);
    if (slot[j] != (u.empty() ? -1 : static_cast<std::int32_t>(s))) return kInfinity;
    if (u.empty()) continue;
    for (std::size_t c = 0; c < kComponents; ++c) {
      const auto component = std::span(u).subspan(c * V, V);
      const double least = std::ranges::min(component);
      for (std::size_t v = 0; v < V; ++v) {
        const double expected = std::min(component[v] - least, md::kPlacementCap),
                     found = told[s * u.size() + c * V + v];
        largest = worse(largest, std::abs(found - expected) / (1 + kOfLeast * std::abs(least)));
      }
    }
    ++s;
    ++number;
  }
  return largest;
}

}  // namespace

std::vector<Check> audit_placement(const Generator& generator, const Target& target,
                                   std::span<const double> positions_nm) {
  if (!generator.head().placement()) return {};
  const auto* told = dynamic_cast<const AtomPlacement*>(generator.head().placement());
  require(told, "an audit knows placement energies of atoms (atom_placement.h) alone");
  const auto& map = generator.map();
  const Ruler ruler(map);
  const std::size_t frame = static_cast<std::size_t>(map.atom_count()) * 3,
                    count = positions_nm.size() / frame, used = std::min(kConformations, count);
  double of_curves = 0, of_told = 0;
  std::size_t number = 0, number_told = 0;
  for (std::size_t n = 0; n < used; ++n) {
    const auto x = positions_nm.subspan(n * count / used * frame, frame);
    const auto z = ruler.measure(x);
    std::vector<Curve> curves;
    for (std::size_t j = 0; j < z.size(); ++j)
      if (is_told(map, j)) curves.push_back({told->energies(), generator, target, x, z, j});
    for (const Curve& curve : curves) of_curves = worse(of_curves, error_of_curve(curve));
    of_told = worse(of_told, error_of_told(curves, *told, generator, z, number_told));
    number += curves.size();
  }
  const bool exact = generator.network().backend() == nn::Backend::reference;
  constexpr double kLanes = 5e-3;  // float32, and interpolated where curves are smooth
  const auto note = [&](std::size_t curves) {
    return std::to_string(curves) + " curves of " + std::to_string(used) + " conformations";
  };
  return {
      judged("placement energies: against differences of the restricted force field, relative",
             of_curves, 1e-9, note(number) + ", " + std::to_string(kCandidates) + " places each"),
      judged("placement energies: as the network is told them against plain loops, kT", of_told,
             exact ? 1e-9 : kLanes,
             note(number_told) + "; more where the least of a curve is above 500 kT")};
}

}  // namespace arbg::sampling
