// Langevin dynamics of many replicas at once, parallel tempering between them, and minimisation.
//
// The steps are those of dynamics/integrator.h, on the backend of the options; what goes on between
// them, here, is the same for all. The same seed gives the same trajectory for any number of
// threads. Calls to one object must not overlap.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "md/dynamics/integrator.h"
#include "md/dynamics/peptide_turns.h"
#include "md/energy/engine.h"
#include "md/molecule/system.h"

namespace arbg::md {

// What a run needs to go on bit for bit: positions and velocities [R, N, 3] and the step counter.
// On the backends cpu and cuda all numbers are float32.
struct DynamicsState {
  std::vector<double> positions_nm, velocities_nm_ps;
  std::int64_t step = 0;
};

class Dynamics {
 public:
  // All replicas start from positions [N, 3] (copied) or [R, N, 3]; velocities are drawn from
  // Maxwell-Boltzmann.
  Dynamics(const System& system, const DynamicsOptions& options,
           std::span<const double> positions_nm);

  int replica_count() const { return static_cast<int>(temperatures_kelvin_.size()); }
  std::int64_t step() const { return step_; }  // taken since the start

  // Every replica takes these steps. Throws Error naming a replica whose positions became NaN.
  void run(std::int64_t steps);

  DynamicsState state() const;
  void restore(const DynamicsState& state);

  std::vector<double> potential_energy_kj_mol() const;  // [R], at the current positions, in double
  std::vector<double> kinetic_energy_kj_mol() const;    // [R]
  double temperature_kelvin(int replica) const;         // of its thermostat

  // These replicas go to their rows of positions [R, N, 3], with velocities from Maxwell-Boltzmann
  // at the temperatures of their thermostats. Random numbers are keyed by the step: call it at most
  // once a step, and not before the first.
  void put_back(std::span<const int> replicas, std::span<const double> positions_nm);

  // New temperatures for the thermostats, [R]; velocities are rescaled by sqrt(T_new/T_old).
  void set_temperatures(std::span<const double> kelvin);

  // One sweep of Metropolis swaps between neighbouring temperatures of each ladder. Replicas
  // [g*L, (g+1)*L) form ladder g, coldest first. Configurations i and j are swapped with
  // probability
  //   min(1, exp((1/RT_i - 1/RT_j)(E_i - E_j)))
  // and velocities rescaled by sqrt(T_new/T_old). Random numbers are keyed by the step: call it at
  // most once a step. Returns how many ladders swapped at each pair of neighbours: [L-1].
  std::vector<int> swap_neighbours(int ladder_size);

  // One try of every replica to turn about one of these peptide bonds, drawn at random: Metropolis'
  // rule at the temperature of its thermostat; velocities stay. Random numbers are keyed by the
  // step: call it at most once a step. Returns how many have turned.
  std::int64_t try_turns(std::span<const PeptideTurn> turns);

 private:
  EnergyEngine energy_;
  std::unique_ptr<Integrator> integrator_;
  double timestep_ps_;
  std::uint64_t seed_;
  std::vector<double> temperatures_kelvin_;  // [R]
  std::size_t first_replica_, all_replicas_;
  std::int64_t step_ = 0;
};

// Steepest descent with adaptive steps, then L-BFGS, in double, until the root-mean-square force is
// below `tolerance`. Positions [N, 3] in and out; returns the final energy in kJ/mol. Throws Error
// if the energy is not finite at the start.
double minimize(const EnergyEngine& energy, std::vector<double>& positions_nm,
                double tolerance_kj_mol_nm = 10.0, int most_steps = 2000);

}  // namespace arbg::md
