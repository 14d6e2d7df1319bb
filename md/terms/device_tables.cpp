#include "md/terms/device_tables.h"

#include <cmath>
#include <limits>

#include "md/molecule/units.h"
#include "md/terms/periodic_torsion_cpu.h"

namespace arbg::md {

namespace {

// The terms of one molecule; their slots are still to be given.
template <class T>
struct Terms {
  std::vector<DeviceBond<T>> bonds;
  std::vector<DeviceAngle<T>> angles;
  std::vector<DeviceTorsion<T>> torsions;
  std::vector<DeviceScaledPair<T>> scaled_pairs;

  template <class Body>  // body(term), in the order of slots
  void for_each(const Body& body) {
    for (auto& term : bonds) body(term);
    for (auto& term : angles) body(term);
    for (auto& term : torsions) body(term);
    for (auto& term : scaled_pairs) body(term);
  }
};

template <class T>
Terms<T> terms_of(const System& system) {
  Terms<T> terms;
  for (const HarmonicBond& b : system.bonds) {
    terms.bonds.push_back(
        {{b.i, b.j}, {}, static_cast<T>(b.length_nm), static_cast<T>(b.k_kj_mol_nm2)});
  }
  for (const HarmonicAngle& a : system.angles) {
    terms.angles.push_back(
        {{a.i, a.j, a.k}, {}, static_cast<T>(a.angle_rad), static_cast<T>(a.k_kj_mol_rad2)});
  }
  for (const LaneTorsion<T>& t : lane_torsions<T>(system)) {
    DeviceTorsion<T>& torsion = terms.torsions.emplace_back(
        DeviceTorsion<T>{{t.i, t.j, t.k, t.l}, {}, t.order, t.constant, {}, {}});
    for (std::size_t n = 0; n < t.cosine.size(); ++n) {
      torsion.cosine[n] = t.cosine[n];
      torsion.sine[n] = t.sine[n];
    }
  }
  for (const ScaledPair& p : system.scaled_pairs) {
    terms.scaled_pairs.push_back({{p.i, p.j},
                                  {},
                                  static_cast<T>(kCoulomb * p.charge_product_e2),
                                  static_cast<T>(p.sigma_nm * p.sigma_nm),
                                  static_cast<T>(4 * p.epsilon_kj_mol)});
  }
  return terms;
}

template <class T>
std::vector<DeviceAtom<T>> atoms_of(const System& system) {
  std::vector<DeviceAtom<T>> atoms(system.mass_amu.size());
  for (std::size_t a = 0; a < atoms.size(); ++a) {
    const Nonbonded& plain = system.nonbonded[a];
    atoms[a].charge = static_cast<T>(std::sqrt(kCoulomb) * plain.charge_e);
    atoms[a].half_sigma = static_cast<T>(plain.sigma_nm / 2);
    atoms[a].root_epsilon = static_cast<T>(2 * std::sqrt(plain.epsilon_kj_mol));
    if (system.born_atoms.empty()) continue;
    const BornModel& model = system.born;
    const double radius = system.born_atoms[a].radius_nm, rho = radius - model.offset_nm,
                 wet = radius + model.probe_nm, charge2 = plain.charge_e * plain.charge_e;
    const double factor = -kCoulomb * (1 / model.solute_dielectric - 1 / model.solvent_dielectric);
    atoms[a].rho = static_cast<T>(rho);
    atoms[a].reach = static_cast<T>(rho * system.born_atoms[a].scale);
    atoms[a].inverse_radius = static_cast<T>(1 / radius);
    atoms[a].self = static_cast<T>(factor * charge2 / 2);
    atoms[a].surface = static_cast<T>(model.surface_kj_mol_nm2 * wet * wet * std::pow(radius, 6));
  }
  return atoms;
}

// Counts the terms of each atom, and deals the slots out to the terms. Returns how many there are.
template <class T>
int deal_slots(Terms<T>& terms, std::vector<DeviceAtom<T>>& atoms) {
  terms.for_each([&](const auto& term) {
    for (const int a : term.atom) ++atoms[static_cast<std::size_t>(a)].slots;
  });
  int slots = 0;
  std::vector<int> next;
  for (DeviceAtom<T>& atom : atoms) {
    atom.first_slot = slots;
    next.push_back(slots);
    slots += atom.slots;
  }
  terms.for_each([&](auto& term) {
    for (std::size_t k = 0; k < std::size(term.atom); ++k)
      term.slot[k] = next[static_cast<std::size_t>(term.atom[k])]++;
  });
  return slots;
}

void append_exclusions(const System& system, std::vector<std::uint32_t>& all) {
  const int n = system.atom_count(), words = words_an_atom(n);
  const std::size_t first = all.size();
  all.resize(first + static_cast<std::size_t>(n) * static_cast<std::size_t>(words));
  const auto set = [&](int i, int j) {
    all[first + static_cast<std::size_t>(i * words + j / kAtomsInWord)] |= 1U << (j % kAtomsInWord);
  };
  for (int i = 0; i < n; ++i) set(i, i);
  for (const auto& [i, j] : system.exclusions) {
    set(i, j);
    set(j, i);
  }
}

template <class T>
int count(const std::vector<T>& values) {
  return static_cast<int>(values.size());
}

template <class T>
void append(const std::vector<T>& values, std::vector<T>& all) {
  all.insert(all.end(), values.begin(), values.end());
}

}  // namespace

template <class T>
DeviceTables<T> device_tables(std::span<const System> systems) {
  DeviceTables<T> all;
  for (const System& system : systems) {
    Terms<T> terms = terms_of<T>(system);
    std::vector<DeviceAtom<T>> atoms = atoms_of<T>(system);
    const int slots = deal_slots(terms, atoms);
    const BornModel& born = system.born;
    const double cutoff = system.cutoff_nm, infinity = std::numeric_limits<double>::infinity();
    all.molecules.push_back(
        {.atoms = count(atoms),
         .lanes = lanes_an_atom(count(atoms)),
         .bonds = count(terms.bonds),
         .angles = count(terms.angles),
         .torsions = count(terms.torsions),
         .scaled_pairs = count(terms.scaled_pairs),
         .slots = slots,
         .first_atom = count(all.atoms),
         .first_bond = count(all.bonds),
         .first_angle = count(all.angles),
         .first_torsion = count(all.torsions),
         .first_scaled_pair = count(all.scaled_pairs),
         .first_word = count(all.exclusions),
         .has_born = !system.born_atoms.empty(),
         .descreens_inside = born.descreens_inside,
         .keeps_slopes = !system.born_atoms.empty() && count(atoms) <= kMostKeepingSlopes,
         .cutoff2 = static_cast<T>(cutoff > 0 ? cutoff * cutoff : infinity),
         .shift = static_cast<T>(cutoff > 0 ? 1 / cutoff : 0),
         .screening = static_cast<T>(1 / born.solvent_dielectric - 1 / born.solute_dielectric),
         .alpha = static_cast<T>(born.alpha),
         .beta = static_cast<T>(born.beta),
         .gamma = static_cast<T>(born.gamma)});
    append(atoms, all.atoms);
    append(terms.bonds, all.bonds);
    append(terms.angles, all.angles);
    append(terms.torsions, all.torsions);
    append(terms.scaled_pairs, all.scaled_pairs);
    append_exclusions(system, all.exclusions);
  }
  return all;
}

template DeviceTables<float> device_tables(std::span<const System> systems);
template DeviceTables<double> device_tables(std::span<const System> systems);

}  // namespace arbg::md
