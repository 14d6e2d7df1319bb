// What the tests of integrators and of dynamics share: small systems with exact answers, and
// estimates with their errors.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "md/dynamics/dynamics.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/npy.h"

namespace arbg::md {

inline System alanine_dipeptide() {
  return ForceField::named("amber99sbildn-obc2")
      .create_system(Topology::from_sequence("Ace-A-Nme"));
}

inline std::vector<double> alanine_positions() {
  const auto all =
      read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
  return {all.begin(), all.begin() + 66};
}

// Molecules of tests/golden/energies; `numbers` of their conformations from the one named first.
inline System golden_system(const std::string& force_field, const std::string& sequence) {
  const std::string pdb =
      ARBG_GOLDEN_DIR "/energies/" + force_field + "/" + sequence + "/" + sequence + ".pdb";
  return ForceField::named(force_field).create_system(read_pdb(pdb).topology);
}
inline std::vector<double> golden_positions(const std::string& force_field,
                                            const std::string& sequence, std::size_t first,
                                            std::size_t numbers) {
  const auto all =
      read_npy(ARBG_GOLDEN_DIR "/energies/" + force_field + "/" + sequence + "/positions.npy");
  const std::size_t size = all.data.size() / static_cast<std::size_t>(all.shape[0]);
  const auto begin = all.data.begin() + static_cast<std::ptrdiff_t>(first * size);
  return {begin, begin + static_cast<std::ptrdiff_t>(numbers)};
}

// Two atoms of mass 12 on a spring of length 0: x_1 - x_0 is an isotropic harmonic oscillator of
// mass 6.
inline constexpr double kSpring = 1000;
inline System oscillator() {
  System system;
  system.mass_amu.assign(2, 12);
  system.nonbonded.assign(2, {0, 0.3, 0});
  system.bonds = {{0, 1, 0, kSpring}};
  return system;
}
inline const double kFrequency = std::sqrt(kSpring / 6);  // 1/ps

// Mean of independent numbers and its standard error.
struct Estimate {
  double mean, error;
};
inline Estimate estimate(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double v : values) mean += v / n;
  for (const double v : values) square += (v - mean) * (v - mean);
  return {mean, std::sqrt(square / (n - 1) / n)};
}

// Within four standard errors, and the standard error small enough for that to mean something.
inline void check_estimate(const std::vector<double>& values, double truth, double largest_error) {
  const Estimate e = estimate(values);
  CAPTURE(e.error);
  CHECK(e.error < largest_error);
  CHECK(std::abs(e.mean - truth) < 4 * e.error);
}

inline DynamicsOptions options_for(Backend backend, int replicas, double temperature = 300) {
  DynamicsOptions options;
  options.backend = backend;
  options.temperatures_kelvin.assign(static_cast<std::size_t>(replicas), temperature);
  return options;
}

inline bool same(const DynamicsState& a, const DynamicsState& b) {
  return a.step == b.step && a.positions_nm == b.positions_nm &&
         a.velocities_nm_ps == b.velocities_nm_ps;
}

}  // namespace arbg::md
