// The energy and the forces of one conformation by one block of threads, in float or double: what
// the kernels of engine_cuda.cu and integrator_cuda.cu share.
//
// Three passes, between which all threads must meet (__syncthreads):
//   terms()        bonds, angles, torsions and 1-4 pairs, into slots; the integrals I of all atoms
//                  and with them the radii B
//   pair_forces()  Lennard-Jones, Coulomb and Born energies of pairs, dE/dB; all forces so far
//   with_forces()  adds what goes through the radii of others: sum over j of dE/dI_j dI_j/dr
// A pair is computed from both sides, so nobody writes what another does, and every sum has an
// order that depends on the molecule alone (device_tables.h). The half of the last force that goes
// through the atom's own radius needs no third pass: the first has summed its directions up. The
// other half takes dI_j/dr as j has seen it in the first pass, or, in molecules too large to keep
// it, once more.
//
// Arithmetic of one side of a pair, as apps/bench/dynamics_bench.cpp counts it: 77, 59 and 15
// operations in the three passes, 70 in the last of a large molecule.
#pragma once

#include "md/terms/device_tables.h"
#include "md/terms/generalised_born_cuda.cuh"
#include "md/terms/harmonic_angle_cuda.cuh"
#include "md/terms/harmonic_bond_cuda.cuh"
#include "md/terms/nonbonded_cuda.cuh"
#include "md/terms/periodic_torsion_cuda.cuh"

namespace arbg::md::cuda {

// DeviceTables in the memory of the device; only the host owns it.
template <class T>
struct Tables {
  Span<const DeviceMolecule<T>> molecules;
  Span<const DeviceAtom<T>> atoms;
  Span<const DeviceBond<T>> bonds;
  Span<const DeviceAngle<T>> angles;
  Span<const DeviceTorsion<T>> torsions;
  Span<const DeviceScaledPair<T>> scaled_pairs;
  Span<const std::uint32_t> exclusions;
};

template <class T>
class TablesOnDevice {
 public:
  explicit TablesOnDevice(const DeviceTables<T>& tables, tensor::Device device)
      : molecules_(tables.molecules, device),
        atoms_(tables.atoms, device),
        bonds_(tables.bonds, device),
        angles_(tables.angles, device),
        torsions_(tables.torsions, device),
        scaled_pairs_(tables.scaled_pairs, device),
        exclusions_(tables.exclusions, device) {}

  Tables<T> view() const {
    return {elements(molecules_), elements(atoms_),        elements(bonds_),     elements(angles_),
            elements(torsions_),  elements(scaled_pairs_), elements(exclusions_)};
  }

 private:
  tensor::DeviceArray<DeviceMolecule<T>> molecules_;
  tensor::DeviceArray<DeviceAtom<T>> atoms_;
  tensor::DeviceArray<DeviceBond<T>> bonds_;
  tensor::DeviceArray<DeviceAngle<T>> angles_;
  tensor::DeviceArray<DeviceTorsion<T>> torsions_;
  tensor::DeviceArray<DeviceScaledPair<T>> scaled_pairs_;
  tensor::DeviceArray<std::uint32_t> exclusions_;
};

constexpr std::size_t kDeclaredShared = 1 << 10;  // bytes that the kernels declare, at most

// What a thread has of the energies, in the order of kTermNames.
template <class T>
struct Energies {
  T bond = 0, angle = 0, torsion = 0, nonbonded = 0, solvent = 0;
};

// What a block keeps of its conformation. All but the slots is in shared memory, in rows of atoms.
constexpr int kNumbersAnAtom = 19;  // of the following
template <class T, class Slots>
struct Workspace {
  Shared<T> place;   // [N, 4] x, y, z, charge
  Shared<T> kind;    // [N, 4] sigma/2, 2 sqrt(epsilon), B, 1/B
  Shared<T> sphere;  // [N, 4] rho, reach, dE/dI, dB/dI
  Shared<T> inner;   // [N, 4] sum of (dI/dr)/r (x_j - x_i); dE/dB of the atom alone
  Shared<T> force;   // [N, 3] all but what goes through the radii of others
  Slots slots;       // [slots, 3]
  Slots slopes;      // [N, N] (dI_i/dr)/r by j, of molecules that keep them
};

// The first of `memory` for the arrays of a workspace; slots, and slopes behind them, elsewhere.
template <class T, class Slots>
__device__ Workspace<T, Slots> workspace(const Shared<T>& memory, const DeviceMolecule<T>& of,
                                         const Slots& slots) {
  const int four = 4 * of.atoms;
  const Shared<T> kind = memory + four, sphere = kind + four, inner = sphere + four;
  return {memory, kind, sphere, inner, inner + four, slots, slots + 3 * of.slots};
}

// Row `at` of [N, 4], in one access where it has 16 bytes; of [N, 3].
template <class T>
__device__ Four<T> row_of_four(const Shared<T>& rows, int at) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return load_four(rows, 4 * at);
  } else {
    return {rows[4 * at], rows[4 * at + 1], rows[4 * at + 2], rows[4 * at + 3]};
  }
}
template <class Rows>
__device__ auto row_of_three(const Rows& rows, int at) {
  using T = std::remove_cvref_t<decltype(rows[0] + rows[0])>;
  return Vector<T>{rows[3 * at], rows[3 * at + 1], rows[3 * at + 2]};
}
template <class Rows, class T>
__device__ void set_three(const Rows& rows, int at, const Vector<T>& to) {
  rows[3 * at] = to.x;
  rows[3 * at + 1] = to.y;
  rows[3 * at + 2] = to.z;
}

// Items 0 .. count-1 of a kind of work, shared out among the threads of the block where the kinds
// before have ended: `begun` threads have one item more than the others.
template <class Body>
__device__ void in_turn(int& begun, int count, const Body& body) {
  const int threads = block_threads();
  const int first = (this_thread() - begun + threads) % threads;
  for (int item = first; item < count; item += threads) body(item);
  begun = (begun + count) % threads;
}

// The sum over the lanes that share an atom, the same bits in each of them.
template <class T>
__device__ T sum_of_lanes(T value, int lanes) {
  for (int other = lanes / 2; other > 0; other /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, other);
  }
  return value;
}
template <class T>
__device__ Vector<T> sum_of_lanes(const Vector<T>& v, int lanes) {
  return {sum_of_lanes(v.x, lanes), sum_of_lanes(v.y, lanes), sum_of_lanes(v.z, lanes)};
}

template <class T, class Slots>
class BlockEnergy {
 public:
  __device__ BlockEnergy(const DeviceMolecule<T>& molecule, const Tables<T>& tables,
                         const Workspace<T, Slots>& at)
      : of_(molecule), tables_(tables), at_(at) {}

  // Everything but x, y, z that stays as it is; before the first pass.
  __device__ void load_parameters() const {
    for (int a = this_thread(); a < of_.atoms; a += block_threads()) {
      const DeviceAtom<T> atom = tables_.atoms[of_.first_atom + a];
      at_.place[4 * a + 3] = atom.charge;
      at_.kind[4 * a] = atom.half_sigma;
      at_.kind[4 * a + 1] = atom.root_epsilon;
      at_.kind[4 * a + 2] = T(0);
      at_.kind[4 * a + 3] = T(0);
      at_.sphere[4 * a] = atom.rho;
      at_.sphere[4 * a + 1] = atom.reach;
      at_.sphere[4 * a + 2] = T(0);
    }
  }

  // The first pass; `begun` threads have had an item of other work.
  __device__ void terms(int& begun, Energies<T>& energies) const {
    in_turn(begun, of_.torsions, [&](int item) { torsion(item, energies); });
    in_turn(begun, of_.angles, [&](int item) { angle(item, energies); });
    in_turn(begun, of_.bonds, [&](int item) { bond(item, energies); });
    in_turn(begun, of_.scaled_pairs, [&](int item) { scaled_pair(item, energies); });
    if (of_.has_born) radii(energies);
  }

  __device__ void pair_forces(Energies<T>& energies) const {
    each_atom([&](int a, bool there, int lane) {
      Vector<T> force = {};
      T by_radius = 0;
      if (there) {
        pairs_of(a, lane, force, by_radius, energies);
        force += slots_of(a, lane);
      }
      force = sum_of_lanes(force, of_.lanes);
      by_radius = sum_of_lanes(by_radius, of_.lanes);
      if (!there || lane != 0) return;
      if (of_.has_born) {
        const Four<T> inner = row_of_four(at_.inner, a);
        const T by_integral = (by_radius + inner[3]) * at_.sphere[4 * a + 3];
        at_.sphere[4 * a + 2] = by_integral;
        force += scaled(by_integral, Vector<T>{inner[0], inner[1], inner[2]});
      }
      set_three(at_.force, a, force);
    });
  }

  // The third pass: body(a, force) for each atom, by one thread, with the whole force on it.
  template <class Body>
  __device__ void with_forces(const Body& body) const {
    each_atom([&](int a, bool there, int lane) {
      Vector<T> force = {};
      if (there && of_.has_born) force = through_radii(a, lane);
      force = sum_of_lanes(force, of_.lanes);
      if (there && lane == 0) body(a, row_of_three(at_.force, a) + force);
    });
  }

 private:
  __device__ Vector<T> position(int a) const {
    return {at_.place[4 * a], at_.place[4 * a + 1], at_.place[4 * a + 2]};
  }

  // body(a, there, lane), by all threads together: where `there`, lane `lane` of atom a. All
  // threads of a warp come, as exchanges of lanes ask for.
  template <class Body>
  __device__ void each_atom(const Body& body) const {
    const int lane = this_thread() % of_.lanes, atoms_at_once = block_threads() / of_.lanes;
    for (int first = 0; first < of_.atoms; first += atoms_at_once) {
      const int a = first + this_thread() / of_.lanes;
      body(a, a < of_.atoms, lane);
    }
  }

  // body(j, excluded, d = x_j - x_a, r^2, charge of j) for the lane's part of the other atoms.
  template <class Body>
  __device__ void each_other(int a, int lane, const Body& body) const {
    const Vector<T> here = position(a);
    const int words = words_an_atom(of_.atoms);
    for (int word = 0; word < words; ++word) {
      const std::uint32_t excluded = tables_.exclusions[of_.first_word + a * words + word];
      const int last = (word + 1) * kAtomsInWord, end = last < of_.atoms ? last : of_.atoms;
      for (int j = word * kAtomsInWord + lane; j < end; j += of_.lanes) {
        if (j == a) continue;
        const Four<T> other = row_of_four(at_.place, j);
        const Vector<T> d = Vector<T>{other[0], other[1], other[2]} - here;
        body(j, (excluded >> (j % kAtomsInWord) & 1U) != 0, d, dot(d, d), other[3]);
      }
    }
  }

  __device__ void bond(int item, Energies<T>& energies) const {
    const DeviceBond<T> bond = tables_.bonds[of_.first_bond + item];
    const Vector<T> d = position(bond.atom[1]) - position(bond.atom[0]);
    const PairTerm<T> term = harmonic_bond(bond, d);
    energies.bond += term.energy;
    set_three(at_.slots, bond.slot[0], scaled(term.slope, d));
    set_three(at_.slots, bond.slot[1], scaled(-term.slope, d));
  }

  __device__ void angle(int item, Energies<T>& energies) const {
    const DeviceAngle<T> angle = tables_.angles[of_.first_angle + item];
    const Vector<T> middle = position(angle.atom[1]);
    const AngleTerm<T> term =
        harmonic_angle(angle, position(angle.atom[0]) - middle, position(angle.atom[2]) - middle);
    energies.angle += term.energy;
    set_three(at_.slots, angle.slot[0], term.on_i);
    set_three(at_.slots, angle.slot[1], scaled(T(-1), term.on_i + term.on_k));
    set_three(at_.slots, angle.slot[2], term.on_k);
  }

  __device__ void torsion(int item, Energies<T>& energies) const {
    const DeviceTorsion<T> torsion = tables_.torsions[of_.first_torsion + item];
    const Vector<T> j = position(torsion.atom[1]), k = position(torsion.atom[2]);
    const TorsionTerm<T> term = periodic_torsion(torsion, position(torsion.atom[0]) - j, j - k,
                                                 position(torsion.atom[3]) - k);
    energies.torsion += term.energy;
    set_three(at_.slots, torsion.slot[0], term.on_i);
    set_three(at_.slots, torsion.slot[1], term.on_j);
    set_three(at_.slots, torsion.slot[2], term.on_k);
    set_three(at_.slots, torsion.slot[3], term.on_l);
  }

  // Neither cut off nor shifted.
  __device__ void scaled_pair(int item, Energies<T>& energies) const {
    const DeviceScaledPair<T> pair = tables_.scaled_pairs[of_.first_scaled_pair + item];
    const Vector<T> d = position(pair.atom[1]) - position(pair.atom[0]);
    const PairTerm<T> term =
        nonbonded_pair(inverse_root(dot(d, d)), pair.coulomb, pair.sigma2, pair.four_epsilon, T(0));
    energies.nonbonded += term.energy;
    set_three(at_.slots, pair.slot[0], scaled(term.slope, d));
    set_three(at_.slots, pair.slot[1], scaled(-term.slope, d));
  }

  // What an atom of that reach does to one of radius rho.
  static __device__ Descreening<T> descreening_by(T reach, T rho, T r2, bool descreens_inside) {
    const T inverse_r = inverse_root(r2);
    return descreening(rho, reach, r2 * inverse_r, inverse_r, descreens_inside);
  }

  // I of every atom, then B, dB/dI and what the atom alone has of the energy and of dE/dB.
  __device__ void radii(Energies<T>& energies) const {
    // Read once: for all that the compiler knows, a slope that is kept might overwrite them.
    const T cutoff2 = of_.cutoff2;
    const bool inside = of_.descreens_inside, keeps = of_.keeps_slopes;
    const int atoms = of_.atoms;
    each_atom([&](int a, bool there, int lane) {
      Vector<T> direction = {};
      T integral = 0;
      if (there) {
        const T rho = at_.sphere[4 * a];
        each_other(a, lane, [&](int j, bool, const Vector<T>& d, T r2, T) {
          Descreening<T> by_j = {};
          if (!(r2 > cutoff2)) by_j = descreening_by(at_.sphere[4 * j + 1], rho, r2, inside);
          integral += by_j.integral;
          direction += scaled(by_j.slope, d);
          if (keeps) at_.slopes[a * atoms + j] = by_j.slope;
        });
      }
      direction = sum_of_lanes(direction, of_.lanes);
      integral = sum_of_lanes(integral, of_.lanes);
      if (!there || lane != 0) return;
      const DeviceAtom<T> atom = tables_.atoms[of_.first_atom + a];
      const BornRadius<T> born = born_radius(of_, atom, integral);
      energies.solvent += born.energy;
      at_.kind[4 * a + 2] = born.radius;
      at_.kind[4 * a + 3] = born.inverse_radius;
      at_.sphere[4 * a + 3] = born.by_integral;
      at_.inner[4 * a] = direction.x;
      at_.inner[4 * a + 1] = direction.y;
      at_.inner[4 * a + 2] = direction.z;
      at_.inner[4 * a + 3] = born.slope;
    });
  }

  // The lane's part of what terms have left for atom a.
  __device__ Vector<T> slots_of(int a, int lane) const {
    const DeviceAtom<T> atom = tables_.atoms[of_.first_atom + a];
    Vector<T> force = {};
    for (int s = lane; s < atom.slots; s += of_.lanes) {
      force += row_of_three(at_.slots, atom.first_slot + s);
    }
    return force;
  }

  // The lane's part of the force on atom a and of its dE/dB; half of the energies, as the other
  // half is counted from the other side.
  __device__ void pairs_of(int a, int lane, Vector<T>& force, T& by_radius,
                           Energies<T>& energies) const {
    const Four<T> mine = row_of_four(at_.kind, a);
    const T charge = at_.place[4 * a + 3];
    each_other(a, lane, [&](int j, bool excluded, const Vector<T>& d, T r2, T other_charge) {
      if (r2 > of_.cutoff2) return;
      const Four<T> other = row_of_four(at_.kind, j);
      const T coulomb = charge * other_charge;
      T slope = 0;
      if (!excluded) {
        const T sigma = mine[0] + other[0];
        const PairTerm<T> plain =
            nonbonded_pair(inverse_root(r2), coulomb, sigma * sigma, mine[1] * other[1], of_.shift);
        energies.nonbonded += T(0.5) * plain.energy;
        slope = plain.slope;
      }
      if (of_.has_born) {
        const BornPair<T> born =
            born_pair(of_.screening * coulomb, r2, mine[2], mine[3], other[2], other[3], of_.shift);
        energies.solvent += T(0.5) * born.energy;
        slope += born.slope;
        by_radius += born.by_radius;
      }
      force += scaled(slope, d);
    });
  }

  // The lane's part of sum over j of dE/dI_j (dI_j/dr)/r (x_j - x_a).
  __device__ Vector<T> through_radii(int a, int lane) const {
    const T reach = at_.sphere[4 * a + 1];
    Vector<T> force = {};
    each_other(a, lane, [&](int j, bool, const Vector<T>& d, T r2, T) {
      T slope = 0;
      if (of_.keeps_slopes)
        slope = at_.slopes[j * of_.atoms + a];
      else if (!(r2 > of_.cutoff2))
        slope = descreening_by(reach, at_.sphere[4 * j], r2, of_.descreens_inside).slope;
      force += scaled(at_.sphere[4 * j + 2] * slope, d);
    });
    return force;
  }

  const DeviceMolecule<T>& of_;
  Tables<T> tables_;
  Workspace<T, Slots> at_;
};

}  // namespace arbg::md::cuda
