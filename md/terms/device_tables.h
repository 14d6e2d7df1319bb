// Molecules as kernels read them: a row for each of several systems, and all their terms in arrays
// one behind the other. Plain structs, made on the host.
//
// A block of threads computes one conformation. Forces are summed without atomics: a term writes
// the force on each of its atoms into a slot, and an atom adds up its own slots, which are
// neighbours and ordered as the terms are: bonds, angles, torsions, 1-4 pairs. Pairs of atoms need
// no slots: `lanes` threads share an atom and go through all others, so that a pair is computed
// from both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "md/molecule/system.h"

namespace arbg::md {

// Indices of atoms and slots count from the first of the molecule.
template <class T>
struct alignas(16) DeviceBond {
  int atom[2], slot[2];
  T length, k;
};

template <class T>
struct alignas(16) DeviceAngle {
  int atom[3], slot[3];
  T angle, stiffness;
};

// E = constant + sum over n = 1 .. order of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
template <class T>
struct alignas(16) DeviceTorsion {
  int atom[4], slot[4];
  int order;
  T constant;
  T cosine[kMostPeriodicity], sine[kMostPeriodicity];
};

template <class T>
struct alignas(16) DeviceScaledPair {
  int atom[2], slot[2];
  T coulomb, sigma2, four_epsilon;  // k q q; sigma^2; 4 epsilon
};

// A pair has the product of charges, the sum of half_sigma, the product of root_epsilon.
template <class T>
struct alignas(16) DeviceAtom {
  T charge, half_sigma, root_epsilon;  // sqrt(k) q; sigma/2; 2 sqrt(epsilon)
  T rho, reach, inverse_radius;        // as in generalised_born_cpu.h, or 0
  T self, surface;                     // likewise
  int first_slot, slots;
};

template <class T>
struct DeviceMolecule {
  int atoms, lanes, bonds, angles, torsions, scaled_pairs, slots;
  int first_atom, first_bond, first_angle, first_torsion, first_scaled_pair, first_word;
  bool has_born, descreens_inside;
  bool keeps_slopes;     // of the Born integrals, N x N numbers, from one pass to another
  T cutoff2, shift;      // cutoff^2 and 1/cutoff; infinity and 0 without a cutoff
  T screening;           // -(1/solute - 1/solvent)
  T alpha, beta, gamma;  // of the Born radii
};

template <class T>
struct DeviceTables {
  std::vector<DeviceMolecule<T>> molecules;
  std::vector<DeviceAtom<T>> atoms;
  std::vector<DeviceBond<T>> bonds;
  std::vector<DeviceAngle<T>> angles;
  std::vector<DeviceTorsion<T>> torsions;
  std::vector<DeviceScaledPair<T>> scaled_pairs;
  // Bit j % 32 of word j / 32 of an atom's words_an_atom() is set where j is itself or excluded.
  std::vector<std::uint32_t> exclusions;
};

inline constexpr int kAtomsInWord = 32;
constexpr int words_an_atom(int atoms) { return (atoms + kAtomsInWord - 1) / kAtomsInWord; }

// How many threads share an atom, and how many a block has, which is whole warps of 32: enough that
// few lanes idle, few enough that several blocks fit on a multiprocessor. They depend on the
// molecule alone, and with them the order of sums.
inline constexpr int kMostThreads = 512;
inline constexpr int kMostKeepingSlopes = 64;  // atoms: more would leave room for few blocks
constexpr int lanes_an_atom(int atoms) { return atoms <= 64 ? 4 : atoms <= 256 ? 2 : 1; }
constexpr int threads_of_block(int atoms) {
  const int threads = (atoms * lanes_an_atom(atoms) + 31) / 32 * 32;
  return threads < kMostThreads ? threads : kMostThreads;
}

// Slots, and slopes where they are kept: numbers a block.
template <class T>
std::size_t numbers_behind(const DeviceMolecule<T>& molecule) {
  const auto atoms = static_cast<std::size_t>(molecule.atoms);
  return 3 * static_cast<std::size_t>(molecule.slots) + (molecule.keeps_slopes ? atoms * atoms : 0);
}

// T is float for dynamics, double for energies. Throws Error for a torsion of a periodicity that is
// not supported. A system has at least one atom.
template <class T>
DeviceTables<T> device_tables(std::span<const System> systems);

}  // namespace arbg::md
