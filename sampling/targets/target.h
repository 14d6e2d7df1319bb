// The Boltzmann distribution that samples are weighted to: reduced energies and the support.
//
//   pi(x) proportional to exp(-u(x)), u = E / RT, on conformations with the handedness of the
//   molecule
//
// log w = -u(x(z)) + log_volume(z) - log q(z); a sample of the other hand has u = infinity and
// weight 0.
#pragma once

#include <span>
#include <vector>

#include "md/energy/engine.h"
#include "md/molecule/stereocentres.h"
#include "md/molecule/topology.h"
#include "sampling/targets/potential.h"

namespace arbg::sampling {

class Target : public Potential {
 public:
  Target(const md::Topology& topology, md::System system, double temperature_kelvin,
         Backend backend = Backend::cpu);

  double temperature_kelvin() const { return temperature_kelvin_; }
  const md::EnergyEngine& energy() const { return energy_; }

  // u of conformations [B, N, 3] in nm, in kT: infinity where a stereocentre is mirrored or the
  // energy is not finite (atoms on top of each other).
  std::vector<double> reduced_energy(std::span<const double> positions_nm,
                                     std::span<double> gradient = {}) const override;

  // The terms among these atoms (md/molecule/restricted_system.h), and the hand of the
  // stereocentres that are complete.
  std::unique_ptr<Potential> restricted(std::span<const int> atoms) const override;

  // Whether every stereocentre has the natural hand (md/molecule/stereocentres.h).
  bool has_right_hand(std::span<const double> conformation_nm) const;

 private:
  md::EnergyEngine energy_;
  double temperature_kelvin_;
  std::vector<md::Stereocentre> centres_;
};

// log w of samples, [B]. log_q and log_volume as Samples has them.
std::vector<double> log_weights(std::span<const double> reduced_energy,
                                std::span<const double> log_volume, std::span<const double> log_q);

}  // namespace arbg::sampling
