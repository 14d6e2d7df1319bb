#include "md/dynamics/builder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "md/coordinates/coordinate_map.h"
#include "md/dynamics/dynamics.h"
#include "md/energy/engine.h"
#include "md/molecule/structure_check.h"
#include "md/molecule/torsion_atoms.h"
#include "md/molecule/vector3.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::md {

namespace {

using Positions = std::vector<double>;
using Bond = std::pair<int, int>;

constexpr double kDegree = std::numbers::pi / 180;

std::vector<Bond> disulfide_bonds(const Topology& topology) {
  const auto is_sulfur = [&](int atom) {
    return topology.atoms[static_cast<std::size_t>(atom)].name == "SG";
  };
  std::vector<Bond> result;
  for (const auto& [i, j] : topology.bonds) {
    if (is_sulfur(i) && is_sulfur(j)) result.emplace_back(i, j);
  }
  return result;
}

bool is_one_of(const std::vector<Bond>& bonds, const HarmonicBond& term) {
  return std::ranges::count(bonds, Bond(std::minmax(term.i, term.j))) > 0;
}

// Bonds and angles alone, without disulfide bonds: what ideal_geometry leaves strained is where
// rings close, and minimising this closes them and turns nothing else.
System skeleton(System system, const std::vector<Bond>& disulfides) {
  std::erase_if(system.bonds, [&](const HarmonicBond& b) { return is_one_of(disulfides, b); });
  std::erase_if(system.angles, [&](const HarmonicAngle& a) {
    return is_one_of(disulfides, {a.i, a.j, 0, 0}) || is_one_of(disulfides, {a.j, a.k, 0, 0});
  });
  system.torsions.clear();
  system.scaled_pairs.clear();
  for (Nonbonded& atom : system.nonbonded) atom.charge_e = atom.epsilon_kj_mol = 0;
  system.born.surface_kj_mol_nm2 = 0;
  return system;
}

// Turns parts of a molecule around its bonds.
class Turner {
 public:
  explicit Turner(const Topology& topology) : neighbours_(topology.neighbours()) {
    for (const auto& [i, j] : disulfide_bonds(topology)) {
      std::erase(neighbours_[static_cast<std::size_t>(i)], j);
      std::erase(neighbours_[static_cast<std::size_t>(j)], i);
    }
  }

  std::vector<int> beyond(int i, int j) const { return atoms_beyond(neighbours_, i, j); }

  // Rotation of these atoms around the axis i - j, clockwise looking from i to j.
  static void turn(Positions& x, int i, int j, const std::vector<int>& atoms, double radians) {
    const Vector3 origin = at(x, j), axis = unit(origin - at(x, i));
    const double cosine = std::cos(radians), sine = std::sin(radians);
    for (const int atom : atoms) {
      const Vector3 v = at(x, atom) - origin;
      set_position(
          x, atom,
          origin + cosine * v + sine * cross(axis, v) + ((1 - cosine) * dot(axis, v)) * axis);
    }
  }

  void set_dihedral(Positions& x, const std::array<int, 4>& atoms, double radians) const {
    const auto& [a, b, c, d] = atoms;
    const double now = dihedral(at(x, a), at(x, b), at(x, c), at(x, d));
    turn(x, b, c, beyond(b, c), radians - now);
  }

 private:
  std::vector<std::vector<int>> neighbours_;
};

// One bond of a side chain and what it turns.
struct Rotor {
  int i, j;
  std::vector<int> atoms;
};

std::vector<Rotor> side_chain_rotors(const Topology& topology, const Turner& turner) {
  const auto atom = [&](int i) -> const Atom& {
    return topology.atoms[static_cast<std::size_t>(i)];
  };
  const auto in_backbone = [&](int i) {
    return atom(i).name == "N" || atom(i).name == "CA" || atom(i).name == "C";
  };
  std::vector<Rotor> rotors;
  for (const auto& [i, j] : topology.bonds) {
    if (atom(i).residue != atom(j).residue || (in_backbone(i) && in_backbone(j))) continue;
    const int ca = topology.find(atom(i).residue, "CA");
    for (const auto& [from, to] : {Bond(i, j), Bond(j, i)}) {
      auto atoms = turner.beyond(from, to);
      if (ca < 0 || to == ca || std::ranges::count(atoms, ca)) continue;
      // Nothing turns in a ring or with a single atom; CH3 and NH3 are staggered as they are.
      if (atoms.empty() || (atoms.size() == 3 && atom(atoms[0]).element == "H")) continue;
      rotors.push_back({from, to, std::move(atoms)});
    }
  }
  return rotors;
}

// Each rotor in turn goes to the best of eight angles (one group of lanes), until none moves.
void turn_side_chains(const std::vector<Rotor>& rotors, const EnergyEngine& energy, Positions& x) {
  constexpr int kAngles = 8, kMostSweeps = 4;
  bool moved = true;
  for (int sweep = 0; sweep < kMostSweeps && moved; ++sweep) {
    moved = false;
    for (const Rotor& rotor : rotors) {
      Positions trials;
      for (int k = 0; k < kAngles; ++k) {
        Positions trial = x;
        Turner::turn(trial, rotor.i, rotor.j, rotor.atoms, k * 360.0 / kAngles * kDegree);
        trials.insert(trials.end(), trial.begin(), trial.end());
      }
      const auto energies = energy.evaluate(trials, false).energy_kj_mol;
      std::size_t best = 0;
      for (std::size_t k = 1; k < energies.size(); ++k) {
        if (energies[k] < energies[best] || std::isnan(energies[best])) best = k;
      }
      if (best == 0) continue;
      moved = true;
      const auto start = trials.begin() + static_cast<std::ptrdiff_t>(best * x.size());
      x.assign(start, start + static_cast<std::ptrdiff_t>(x.size()));
    }
  }
}

// Pulls the sulfurs together: the wanted length of each bond is a little shorter every time, never
// far from the distance that is reached.
void close_disulfides(const std::vector<Bond>& disulfides, const System& system, Positions& x) {
  constexpr double kStepNm = 0.05, kPullKjMolNm2 = 5000, kRoughTolerance = 100;
  constexpr int kStepsEach = 60;
  System pulled = system;
  for (HarmonicBond& term : pulled.bonds) {
    if (is_one_of(disulfides, term)) term = {term.i, term.j, HUGE_VAL, kPullKjMolNm2};
  }
  for (bool closed = disulfides.empty(); !closed;) {
    closed = true;
    for (std::size_t k = 0; k < system.bonds.size(); ++k) {
      HarmonicBond& term = pulled.bonds[k];
      if (!is_one_of(disulfides, term)) continue;
      const double distance = norm(at(x, term.i) - at(x, term.j));
      const double wanted = std::min(term.length_nm, distance) - kStepNm;
      term.length_nm = std::max(wanted, system.bonds[k].length_nm);
      closed = closed && wanted <= term.length_nm;
    }
    minimize(EnergyEngine(pulled), x, kRoughTolerance, kStepsEach);
  }
}

class Builder {
 public:
  Builder(const Topology& topology, const System& system)
      : topology_(topology),
        system_(system),
        energy_(system),
        turner_(topology),
        disulfides_(disulfide_bonds(topology)),
        rotors_(side_chain_rotors(topology, turner_)),
        ideal_(ideal_geometry(topology, system)) {
    minimize(EnergyEngine(skeleton(system, disulfides_)), ideal_, 1.0);
  }

  // phi and psi of each residue: the first and second of the pair that `angles` gives for it.
  template <class Angles>
  Positions attempt(const Angles& angles, bool minimized) const {
    Positions x = ideal_;
    const BackboneTorsions backbone = backbone_torsions(topology_);
    const auto residue = [&](int atom) {
      return topology_.atoms[static_cast<std::size_t>(atom)].residue;
    };
    for (const auto& phi : backbone.phi)
      turner_.set_dihedral(x, phi, angles(residue(phi[2])).first);
    for (const auto& psi : backbone.psi)
      turner_.set_dihedral(x, psi, angles(residue(psi[2])).second);
    turn_side_chains(rotors_, energy_, x);
    if (!minimized) return x;
    close_disulfides(disulfides_, system_, x);
    minimize(energy_, x);
    return x;
  }

 private:
  const Topology& topology_;
  const System& system_;
  EnergyEngine energy_;
  Turner turner_;
  std::vector<Bond> disulfides_;
  std::vector<Rotor> rotors_;
  Positions ideal_;
};

}  // namespace

std::vector<double> build_structure(const Topology& topology, const System& system,
                                    const BuildOptions& options) {
  require(options.minimize || disulfide_bonds(topology).empty(),
          "a disulfide bond closes only during minimisation; build without --no-minimize");
  // Strand, helix and polyproline: where most residues of proteins are.
  constexpr std::pair<double, double> kRegions[] = {{-135, 135}, {-65, -40}, {-75, 150}};
  constexpr int kAttempts = 20;
  const bool free = !options.phi_rad && !options.psi_rad;
  const Builder builder(topology, system);
  std::string fault;
  for (int attempt = 0; attempt < (free ? kAttempts : 1); ++attempt) {
    const Random random(1, stream_id(streams::kBuilder, static_cast<std::uint64_t>(attempt)));
    const auto angles = [&](int residue) {
      const auto region = attempt == 0 ? 0 : random.below(3, static_cast<std::uint64_t>(residue));
      const auto [phi, psi] = kRegions[region];
      return std::pair(options.phi_rad.value_or(phi * kDegree),
                       options.psi_rad.value_or(psi * kDegree));
    };
    Positions x = builder.attempt(angles, options.minimize);
    fault = structure_fault(topology, x);
    if (fault.empty()) return x;
  }
  fail("cannot build this peptide: ", fault, free ? "" : "; try other values of phi and psi");
}

}  // namespace arbg::md
