#include "md/coordinates/equilibrium_geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

#include "tensor/base/error.h"

namespace arbg::md {
namespace {

constexpr double kPi = std::numbers::pi;

double wrap(double angle) { return std::remainder(angle, 2 * kPi); }

// +1 if `order` is an even permutation of `of`, -1 if odd.
int parity(std::vector<int> order, const std::vector<int>& of) {
  int sign = 1;
  for (std::size_t i = 0; i < of.size(); ++i) {
    const auto at = static_cast<std::size_t>(std::ranges::find(order, of[i]) - order.begin());
    if (at == i) continue;
    std::swap(order[i], order[at]);
    sign = -sign;
  }
  return sign;
}

// Positive if b, c, d count clockwise seen from a.
double handedness(std::span<const double> x, int a, int b, int c, int d) {
  const auto from_a = [&](int i, std::size_t k) {
    return x[static_cast<std::size_t>(3 * i) + k] - x[static_cast<std::size_t>(3 * a) + k];
  };
  double volume = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t l = (k + 1) % 3, m = (k + 2) % 3;
    volume += from_a(b, k) * (from_a(c, l) * from_a(d, m) - from_a(c, m) * from_a(d, l));
  }
  return volume;
}

}  // namespace

EquilibriumGeometry::EquilibriumGeometry(const Topology& topology, const System& system,
                                         const ZMatrix& zmatrix, std::span<const double> like_nm)
    : topology_(topology), neighbours_(topology.neighbours()) {
  require(system.atom_count() == topology.atom_count(), "the force field's system has ",
          system.atom_count(), " atoms and the topology ", topology.atom_count(),
          "; make the system from this topology");
  require(like_nm.empty() || like_nm.size() == 3 * topology.atoms.size(),
          "expected a conformation of ", topology.atom_count(),
          " atoms to take the hands from, found ", like_nm.size(), " numbers instead of ",
          3 * topology.atoms.size());
  for (const HarmonicBond& b : system.bonds) {
    bonds_[std::minmax(b.i, b.j)] = {b.length_nm, b.k_kj_mol_nm2};
  }
  for (const HarmonicAngle& a : system.angles) {
    angles_[{std::min(a.i, a.k), a.j, std::max(a.i, a.k)}] = {a.angle_rad, a.k_kj_mol_rad2};
  }
  set_hands(zmatrix, like_nm);
}

Equilibrium EquilibriumGeometry::bond(int i, int j) const {
  const auto found = bonds_.find(std::minmax(i, j));
  require(found != bonds_.end() && found->second.k > 0 && found->second.value > 0,
          "internal coordinates need a stiff bond term between ", topology_.describe(i), " and ",
          topology_.describe(j), ", but the force field gives none");
  return found->second;
}

Equilibrium EquilibriumGeometry::angle(int i, int j, int k) const {
  const auto found = angles_.find({std::min(i, k), j, std::max(i, k)});
  require(found != angles_.end() && found->second.k > 0,
          "internal coordinates need a stiff angle term ", topology_.describe(i), " - ",
          topology_.describe(j), " - ", topology_.describe(k), ", but the force field gives none");
  return found->second;
}

void EquilibriumGeometry::set_hands(const ZMatrix& zmatrix, std::span<const double> like_nm) {
  std::vector<int> row_of(zmatrix.size());
  for (std::size_t m = 0; m < zmatrix.size(); ++m) {
    row_of[static_cast<std::size_t>(zmatrix[m].atom)] = static_cast<int>(m);
  }
  ordered_ = neighbours_;
  for (int c = 0; c < topology_.atom_count(); ++c) {
    auto& order = ordered_[static_cast<std::size_t>(c)];
    if (order.size() < 3) continue;
    // The side of the root, then heavy atoms by name, then hydrogens by name.
    const int first = *std::ranges::min_element(
        order, {}, [&](int i) { return row_of[static_cast<std::size_t>(i)]; });
    std::ranges::sort(order, {}, [&](int i) {
      return std::tuple(i != first, atom(i).element == "H", atom(i).name, i);
    });
    // Only these carry their names the other way round: N, C, CB, HA of L amino acids and CA, CG1,
    // CG2, HB of Ile.
    const auto& residue = topology_.residues[static_cast<std::size_t>(atom(c).residue)].name;
    bool counter_clockwise = atom(c).name == "CA" || (atom(c).name == "CB" && residue == "ILE");
    if (!like_nm.empty()) {
      counter_clockwise =
          handedness(like_nm, order[0], order[1], order[2], order.size() > 3 ? order[3] : c) < 0;
    }
    if (counter_clockwise) std::swap(order[1], order[2]);
  }
}

double EquilibriumGeometry::phase(int centre, int axis, int from, int to) const {
  if (from == to) return 0;
  const double cosine_from = std::cos(angle(from, centre, axis).value);
  const double cosine_to = std::cos(angle(to, centre, axis).value);
  const double sines = std::sqrt((1 - cosine_from * cosine_from) * (1 - cosine_to * cosine_to));
  const double cosine = (std::cos(angle(from, centre, to).value) - cosine_from * cosine_to) / sines;
  const double size = std::acos(std::clamp(cosine, -1.0, 1.0));
  if (planar(centre)) return kPi;
  std::vector<int> order = {axis, from, to};
  for (const int other : bonded(centre)) {
    if (!std::ranges::count(order, other)) order.push_back(other);
  }
  return size * parity(order, ordered_[static_cast<std::size_t>(centre)]);
}

// Three neighbours whose equilibrium angles add up to 360 degrees, or nearly: a pyramid with 109.5
// degrees has 328.
bool EquilibriumGeometry::planar(int centre) const {
  const auto& n = bonded(centre);
  if (n.size() != 3) return false;
  const double sum = angle(n[0], centre, n[1]).value + angle(n[0], centre, n[2]).value +
                     angle(n[1], centre, n[2]).value;
  return sum > 345.0 / 180.0 * kPi;
}

double EquilibriumGeometry::torsion(const ZMatrixRow& row) const {
  const int g = row.grandparent, p = row.parent;
  if (std::ranges::count(bonded(p), row.reference)) return phase(p, g, row.reference, row.atom);
  auto [a, b] = ring_ends(g, p);
  double between = 0;
  if (a < 0) {
    a = main_neighbour(g, p);
    b = main_neighbour(p, g);
    between = kPi;
  }
  // Seen from g: from the reference to a, across the bond to b, from b to the atom.
  const double turn = wrap(-phase(g, p, row.reference, a) + between + phase(p, g, b, row.atom));
  return turn <= -kPi ? kPi : turn;
}

bool EquilibriumGeometry::torsion_is_narrow(const ZMatrixRow& row) const {
  if (std::ranges::count(bonded(row.parent), row.reference)) return true;
  return ring_ends(row.grandparent, row.parent).first >= 0 && planar(row.grandparent) &&
         planar(row.parent);
}

EquilibriumGeometry::Ends EquilibriumGeometry::ring_ends(int g, int p) const {
  for (const int a : bonded(g)) {
    for (const int b : bonded(p)) {
      if (a != p && b != g && ring_path(a, b, {g, p}) <= 3) return {a, b};
    }
  }
  return {-1, -1};
}

// Bonds on the shortest way between two atoms that avoids two others; more than 3 is not counted.
int EquilibriumGeometry::ring_path(int from, int to, Ends without) const {
  std::vector<int> reached = {from};
  for (int length = 0; length <= 3; ++length) {
    if (std::ranges::count(reached, to)) return length;
    std::vector<int> next;
    for (const int i : reached) {
      for (const int j : bonded(i)) {
        if (j != without.first && j != without.second) next.push_back(j);
      }
    }
    reached = std::move(next);
  }
  return 4;
}

int EquilibriumGeometry::main_neighbour(int centre, int axis) const {
  const auto rank = [&](int i) {
    const auto& name = atom(i).name;
    return std::pair(name == "N" || name == "CA" || name == "C", branch_size(i, centre));
  };
  int best = -1;
  for (const int i : bonded(centre)) {
    if (i != axis && (best < 0 || rank(i) > rank(best))) best = i;
  }
  return best;
}

// Atoms that hang on `from` once `centre` is taken away, itself included.
int EquilibriumGeometry::branch_size(int from, int centre) const {
  std::vector<int> reached = {from};
  for (std::size_t k = 0; k < reached.size(); ++k) {
    for (const int j : bonded(reached[k])) {
      if (j != centre && !std::ranges::count(reached, j)) reached.push_back(j);
    }
  }
  return static_cast<int>(reached.size());
}

}  // namespace arbg::md
