#include "md/placement/ring_closure.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <optional>
#include <set>
#include <utility>

#include "md/coordinates/zmatrix.h"
#include "md/molecule/units.h"
#include "md/placement/placement.h"
#include "md/terms/harmonic_angle.h"
#include "md/terms/harmonic_bond.h"
#include "md/terms/periodic_torsion.h"
#include "tensor/base/error.h"

namespace arbg::md {
namespace {

constexpr int kMostSteps = 30;
constexpr double kBondStep = 1e-5, kAngleStep = 1e-4;  // of differences: nm, radians
constexpr double kSmallStep = 1e-9;                    // a step below this ends the search
constexpr double kLargestStep = 0.3;                   // radians, nm
constexpr double kStiffBond = 1e5, kStiffAngle = 100;  // over RT, 1/nm^2 and 1/radian^2
constexpr double kStiffest = 1e6;
constexpr double kWeakest = 1e-3;  // correlation of a coupling that is kept

// Bonds and angles are never so far apart that they would be wrapped.
double apart(double value, double centre) {
  return std::remainder(value - centre, 2 * std::numbers::pi);
}

// The atoms of rings without an atom of more than three neighbours, each within a residue.
std::set<int> planar_rings(const Topology& topology, std::span<const ZMatrixRow> tree) {
  std::vector<int> parent(topology.atoms.size(), -1);
  for (const ZMatrixRow& row : tree) parent[static_cast<std::size_t>(row.atom)] = row.parent;
  const auto up = [&](int atom) {
    std::vector<int> path;
    for (; atom >= 0; atom = parent[static_cast<std::size_t>(atom)]) path.push_back(atom);
    return path;
  };
  const auto neighbours = topology.neighbours();
  std::set<int> found;
  for (const auto& [i, j] : topology.bonds) {
    if (parent[static_cast<std::size_t>(i)] == j || parent[static_cast<std::size_t>(j)] == i)
      continue;
    // Both ways up to where they meet.
    auto ring = up(i), other = up(j);
    while (ring.size() > 1 && other.size() > 1 &&
           ring[ring.size() - 2] == other[other.size() - 2]) {
      ring.pop_back();
      other.pop_back();
    }
    other.pop_back();
    ring.insert(ring.end(), other.begin(), other.end());
    const int residue = topology.atoms[static_cast<std::size_t>(i)].residue;
    const auto fits = [&](int atom) {
      const auto a = static_cast<std::size_t>(atom);
      return neighbours[a].size() <= 3 && topology.atoms[a].residue == residue &&
             std::ranges::find(tree.first(3), atom, &ZMatrixRow::atom) == tree.begin() + 3;
    };
    if (std::ranges::all_of(ring, fits)) found.insert(ring.begin(), ring.end());
  }
  return found;
}

// x' A x / 2 + g' x of coordinates of which the last can be integrated out.
struct Quadratic {
  std::size_t size, stride;
  std::vector<double> matrix, gradient;

  explicit Quadratic(std::size_t n) : size(n), stride(n), matrix(n * n), gradient(n) {}
  double& at(std::size_t i, std::size_t j) { return matrix[i * stride + j]; }
  double at(std::size_t i, std::size_t j) const { return matrix[i * stride + j]; }

  // A coordinate that nothing holds is left out.
  void integrate_out_last() {
    --size;
    const double pivot = at(size, size);
    if (!(pivot > 0)) return;
    for (std::size_t i = 0; i < size; ++i) {
      const double share = at(size, i) / pivot;
      gradient[i] -= share * gradient[size];
      for (std::size_t j = 0; j < size; ++j) at(i, j) -= share * at(size, j);
    }
  }
};

// b' A^-1 b and A^-1 b, from the first rows of a form; nothing where A is not positive.
struct Solution {
  std::vector<double> x;
  double product;
};
std::optional<Solution> solve(const Quadratic& form, std::span<const double> b) {
  Quadratic a = form;
  a.size = b.size();
  std::ranges::copy(b, a.gradient.begin());
  // Gradients of what is left, and A x = b backwards through them.
  for (std::size_t i = b.size(); i-- > 0;) {
    if (!(a.at(i, i) > 0)) return {};
    a.integrate_out_last();
  }
  Solution out{std::vector<double>(b.size()), 0};
  for (std::size_t i = 0; i < b.size(); ++i) {
    double rest = a.gradient[i];
    for (std::size_t j = 0; j < i; ++j) rest -= a.at(i, j) * out.x[j];
    out.x[i] = rest / a.at(i, i);
    out.product += b[i] * out.x[i];
  }
  return out;
}

// Bonds, angles and torsions of atoms of the first rows.
class BondedTerms {
 public:
  BondedTerms(const System& system, const CoordinateMap& map, double thermal_energy_kj_mol,
              std::size_t rows)
      : map_(map), tree_(map.tree().begin(), map.tree().end()), rt_(thermal_energy_kj_mol) {
    std::vector<bool> there(tree_.size());
    for (std::size_t m = 0; m < rows; ++m) there[static_cast<std::size_t>(tree_[m].atom)] = true;
    const auto all = [&](auto... atom) { return (there[static_cast<std::size_t>(atom)] && ...); };
    const auto copy = [](const auto& from, auto& to, const auto& holds) {
      std::ranges::copy_if(from, std::back_inserter(to), holds);
    };
    copy(system.bonds, terms_.bonds, [&](const HarmonicBond& b) { return all(b.i, b.j); });
    copy(system.angles, terms_.angles, [&](const HarmonicAngle& a) { return all(a.i, a.j, a.k); });
    copy(system.torsions, terms_.torsions,
         [&](const PeriodicTorsion& t) { return all(t.i, t.j, t.k, t.l); });
  }

  // d/dz over RT, [K].
  std::vector<double> slope(std::span<const double> z) const {
    std::vector<double> x(3 * tree_.size()), force(x.size()), out(z.size());
    map_.decode(z, x);
    harmonic_bond_reference(terms_, x, force);
    harmonic_angle_reference(terms_, x, force);
    periodic_torsion_reference(terms_, x, force);
    for (double& f : force) f /= -rt_;
    internal_gradient(tree_, z, x, force, out);
    return out;
  }

  bool is_bond(int j) const { return map_.coordinates()[static_cast<std::size_t>(j)].kind == 0; }

  bool is_inside(int j, double value) const {
    const Coordinate& c = map_.coordinates()[static_cast<std::size_t>(j)];
    return c.periodic || (value >= c.low && value < c.high);
  }

  // Around z, in the first n of some coordinates.
  Quadratic near(std::span<const double> z, std::span<const int> coordinates, std::size_t n) const {
    Quadratic out(n);
    std::vector<double> moved(z.begin(), z.end());
    const auto at_z = slope(z);
    for (std::size_t i = 0; i < n; ++i) {
      const auto j = static_cast<std::size_t>(coordinates[i]);
      const double step = is_bond(coordinates[i]) ? kBondStep : kAngleStep;
      out.gradient[i] = at_z[j];
      moved[j] = z[j] + step;
      const auto above = slope(moved);
      moved[j] = z[j] - step;
      const auto below = slope(moved);
      moved[j] = z[j];
      for (std::size_t k = 0; k < n; ++k) {
        const auto other = static_cast<std::size_t>(coordinates[k]);
        out.at(i, k) = (above[other] - below[other]) / (2 * step);
      }
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < i; ++k)
        out.at(i, k) = out.at(k, i) = (out.at(i, k) + out.at(k, i)) / 2;
    return out;
  }

 private:
  const CoordinateMap& map_;
  ZMatrix tree_;
  double rt_;
  System terms_;
};

// The step to the minimum of a form; where it has none, of one that is stiffer in every direction:
// by as much as bonds and angles are, or more.
std::optional<Solution> newton_step(const Quadratic& form, std::span<const double> typical) {
  Quadratic stiffer = form;
  for (double share = 1; share < kStiffest; share *= 2) {
    if (const auto step = solve(stiffer, form.gradient)) return step;
    for (std::size_t i = 0; i < form.size; ++i) stiffer.at(i, i) += share * typical[i];
  }
  return {};
}

// Moves these coordinates of z to the minimum; the form there. Nothing if it is not found or
// outside the support.
std::optional<Quadratic> minimise(const BondedTerms& terms, std::span<const int> coordinates,
                                  std::vector<double>& z) {
  std::vector<double> typical;
  for (const int j : coordinates) typical.push_back(terms.is_bond(j) ? kStiffBond : kStiffAngle);
  for (int step = 0; step < kMostSteps; ++step) {
    Quadratic form = terms.near(z, coordinates, coordinates.size());
    const auto towards = newton_step(form, typical);
    if (!towards) return {};
    double largest = 0;
    for (const double x : towards->x) largest = std::max(largest, std::abs(x));
    if (largest < kSmallStep) {
      const bool inside = std::ranges::all_of(
          coordinates, [&](int j) { return terms.is_inside(j, z[static_cast<std::size_t>(j)]); });
      if (inside && solve(form, form.gradient)) return form;
      return {};
    }
    const double share = std::min(1.0, kLargestStep / largest);
    for (std::size_t i = 0; i < coordinates.size(); ++i)
      z[static_cast<std::size_t>(coordinates[i])] -= share * towards->x[i];
  }
  return {};
}

// Of the rings of a residue, with everything else as in z.
std::vector<RingClosure> closures_of_ring(const System& system, const CoordinateMap& map, double rt,
                                          std::span<const int> coordinates, std::vector<double> z) {
  const auto all = minimise({system, map, rt, map.tree().size()}, coordinates, z);
  if (!all) return {};
  std::vector<RingClosure> out;
  Quadratic to_come = *all, there(0);
  int order = -1;  // of the atom whose terms are in `there`
  for (std::size_t n = coordinates.size(); n-- > 0;) {
    const auto j = static_cast<std::size_t>(coordinates[n]);
    const Coordinate& c = map.coordinates()[j];
    if (c.order != order) {
      order = c.order;
      there = BondedTerms(system, map, rt, static_cast<std::size_t>(order) + 1)
                  .near(z, coordinates, n + 1);
    }
    const double share = has_placement_curve(map, coordinates[n]) ? 1 : 0;
    const double whole = to_come.at(n, n);
    RingClosure closure{
        static_cast<int>(j), z[j], whole - share * there.at(n, n), -share * there.gradient[n], {}};
    std::vector<double> b;
    for (std::size_t i = 0; i < n; ++i) b.push_back(to_come.at(n, i) - share * there.at(n, i));
    to_come.integrate_out_last();
    there.integrate_out_last();
    // The shift of z_j by earlier coordinates has the variance b' S^-1 b / whole^2.
    const auto solution = solve(to_come, b);
    if (!solution || solution->product / whole / 2 < kRingClosureGain) continue;
    for (std::size_t i = 0; i < n; ++i) {
      const auto earlier = static_cast<std::size_t>(coordinates[i]);
      if (std::abs(b[i]) > kWeakest * std::sqrt(whole * to_come.at(i, i)))
        closure.couplings.push_back({coordinates[i], b[i], z[earlier]});
    }
    out.push_back(std::move(closure));
  }
  return out;
}

}  // namespace

double RingClosure::slope_at(std::span<const double> z) const {
  double sum = slope;
  for (const Coupling& c : couplings)
    sum += c.stiffness * apart(z[static_cast<std::size_t>(c.coordinate)], c.centre);
  return sum;
}

double RingClosure::energy(double value, double slope_at_centre) const {
  const double x = apart(value, centre);
  return x * (slope_at_centre + stiffness / 2 * x);
}

std::vector<RingClosure> ring_closures(const Topology& topology, const System& system,
                                       const CoordinateMap& map, double temperature_kelvin) {
  const auto rings = planar_rings(topology, map.tree());
  std::map<int, std::vector<int>> coordinates;  // of the rings of a residue
  for (std::size_t j = 3; j < map.coordinates().size(); ++j) {
    const Coordinate& c = map.coordinates()[j];
    const ZMatrixRow& row = map.tree()[static_cast<std::size_t>(c.order)];
    if (!rings.contains(row.parent) || (c.periodic && !rings.contains(row.grandparent))) continue;
    const int residue = topology.atoms[static_cast<std::size_t>(row.parent)].residue;
    coordinates[residue].push_back(static_cast<int>(j));
  }
  std::vector<RingClosure> out;
  if (coordinates.empty()) return out;
  std::vector<double> ideal(map.coordinates().size());
  map.encode(ideal_geometry(topology, system), ideal, Random(0, 0), 0);
  const double rt = thermal_energy(temperature_kelvin);
  for (const auto& [residue, own] : coordinates)
    std::ranges::move(closures_of_ring(system, map, rt, own, ideal), std::back_inserter(out));
  std::ranges::sort(out, {}, &RingClosure::coordinate);
  return out;
}

Json to_json(std::span<const RingClosure> closures) {
  Json list = Json::list();
  for (const RingClosure& closure : closures) {
    Json one = Json::object();
    one["coordinate"] = closure.coordinate;
    one["centre"] = closure.centre;
    one["stiffness"] = closure.stiffness;
    one["slope"] = closure.slope;
    Json& couplings = one["couplings"] = Json::list();
    for (const auto& c : closure.couplings) {
      Json coupling = Json::list();
      coupling.push_back(c.coordinate);
      coupling.push_back(c.stiffness);
      coupling.push_back(c.centre);
      couplings.push_back(std::move(coupling));
    }
    list.push_back(std::move(one));
  }
  return list;
}

std::vector<RingClosure> ring_closures_from_json(const Json& json, int coordinates) {
  std::vector<RingClosure> out;
  const auto coordinate = [](const Json& number, int above, int below) {
    const auto j = number.integer();
    require(j > above && j < below, "a ring closure names coordinate ", j, ", expected one above ",
            above, " and below ", below);
    return static_cast<int>(j);
  };
  for (const Json& one : json.items()) {
    RingClosure closure;
    closure.coordinate =
        coordinate(one.at("coordinate"), out.empty() ? 2 : out.back().coordinate, coordinates);
    closure.centre = one.at("centre").number();
    closure.stiffness = one.at("stiffness").number();
    closure.slope = one.at("slope").number();
    for (const Json& coupling : one.at("couplings").items()) {
      const auto& numbers = coupling.items();
      require(numbers.size() == 3, "a coupling of a ring closure has ", numbers.size(),
              " numbers, expected 3");
      closure.couplings.push_back({coordinate(numbers[0], -1, closure.coordinate),
                                   numbers[1].number(), numbers[2].number()});
    }
    out.push_back(std::move(closure));
  }
  return out;
}

}  // namespace arbg::md
