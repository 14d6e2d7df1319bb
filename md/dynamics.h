// Langevin dynamics of many replicas at once, parallel tempering between them, and minimisation.
//
// Replicas lie in SIMD lanes (float32 positions, velocities and forces); groups of lanes are shared
// out among threads. The same seed gives the same trajectory for any number of threads. Every 1000
// steps the centroid of each replica is put at the origin, so that a free molecule does not diffuse
// to where float32 has too few digits.
//
// One step is the Langevin-middle integrator (Zhang et al., J. Phys. Chem. A 123, 6056, 2019):
//   kick   v += dt f/m
//   drift  x += dt/2 v
//   noise  v  = a v + sqrt((1 - a^2) RT/m) R,   a = exp(-friction dt),  R standard normal
//   drift  x += dt/2 v
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "md/system.h"

namespace arbg::md {

struct DynamicsOptions {
  double timestep_ps = 0.001;
  double friction_per_ps = 1.0;
  std::uint64_t seed = 1;
  std::vector<double> temperatures_kelvin;  // one a replica: [R]
};

// What a run needs to go on bit for bit: positions and velocities [R, N, 3] and the step counter.
struct DynamicsState {
  std::vector<float> positions_nm, velocities_nm_ps;
  std::int64_t step = 0;
};

class Dynamics {
 public:
  // All replicas start from positions [N, 3] (copied) or [R, N, 3]; velocities are drawn from
  // Maxwell-Boltzmann.
  Dynamics(const System& system, const DynamicsOptions& options,
           std::span<const double> positions_nm);
  ~Dynamics();
  Dynamics(const Dynamics&) = delete;
  Dynamics& operator=(const Dynamics&) = delete;

  int replica_count() const;
  std::int64_t step() const;  // steps taken since the start

  // Every replica takes these steps. Throws Error naming a replica whose positions became NaN.
  void run(std::int64_t steps);

  DynamicsState state() const;
  void restore(const DynamicsState& state);

  std::vector<double> potential_energy_kj_mol() const;  // [R], at the current positions, in double
  std::vector<double> kinetic_energy_kj_mol() const;    // [R]
  double temperature_kelvin(int replica) const;         // of its thermostat

  // New temperatures for the thermostats, [R]; velocities are rescaled by sqrt(T_new/T_old).
  void set_temperatures(std::span<const double> kelvin);

  // One sweep of Metropolis swaps between neighbouring temperatures of each ladder. Replicas
  // [g*L, (g+1)*L) form ladder g, coldest first. Configurations i and j are swapped with
  // probability
  //   min(1, exp((1/RT_i - 1/RT_j)(E_i - E_j)))
  // and velocities rescaled by sqrt(T_new/T_old). Random numbers are keyed by the step: call it at
  // most once a step. Returns how many ladders swapped at each pair of neighbours: [L-1].
  std::vector<int> swap_neighbours(int ladder_size);

 private:
  struct Groups;
  std::unique_ptr<Groups> groups_;
};

// Steepest descent with adaptive steps, then L-BFGS, in double, until the root-mean-square force is
// below `tolerance`. Positions [N, 3] in and out; returns the final energy in kJ/mol. Throws Error
// if the energy is not finite at the start.
double minimize(const System& system, std::vector<double>& positions_nm,
                double tolerance_kj_mol_nm = 10.0, int most_steps = 2000);

}  // namespace arbg::md
