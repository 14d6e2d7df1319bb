#include "md/dynamics/dynamics.h"

#include <algorithm>
#include <cmath>

#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::md {

namespace {

// Maxwell-Boltzmann velocities [N, 3] of one replica, drawn at a step.
std::vector<double> thermal_velocities(const System& system, double temperature_kelvin,
                                       std::uint64_t seed, std::uint64_t replica,
                                       std::int64_t step) {
  const Random random(seed, stream_id(streams::kVelocities, replica));
  const std::size_t atoms = system.mass_amu.size();
  std::vector<double> velocities;
  for (std::size_t a = 0; a < atoms; ++a) {
    const double scale = std::sqrt(thermal_energy(temperature_kelvin) / system.mass_amu[a]);
    const std::uint64_t index = 2 * (static_cast<std::uint64_t>(step) * atoms + a);
    const auto xy = random.normal_pair(index), z = random.normal_pair(index + 1);
    for (const double normal : {xy[0], xy[1], z[0]}) velocities.push_back(scale * normal);
  }
  return velocities;
}

}  // namespace

Dynamics::Dynamics(const System& system, const DynamicsOptions& options,
                   std::span<const double> positions_nm)
    : energy_(system, options.backend),
      integrator_(make_integrator(system, options)),
      timestep_ps_(options.timestep_ps),
      seed_(options.seed),
      temperatures_kelvin_(options.temperatures_kelvin),
      first_replica_(options.first_replica),
      all_replicas_(options.all_replicas > 0 ? options.all_replicas : temperatures_kelvin_.size()) {
  const std::size_t size = 3 * system.mass_amu.size(), replicas = temperatures_kelvin_.size();
  require(positions_nm.size() == size || positions_nm.size() == size * replicas,
          "expected starting positions of shape [", size / 3, ", 3] or [", replicas, ", ", size / 3,
          ", 3], found ", positions_nm.size(), " numbers");
  std::vector<double> positions(positions_nm.begin(), positions_nm.end()), velocities;
  while (positions.size() < size * replicas)
    positions.insert(positions.end(), positions_nm.begin(), positions_nm.end());
  for (std::size_t r = 0; r < replicas; ++r) {
    const auto own =
        thermal_velocities(system, temperatures_kelvin_[r], seed_, first_replica_ + r, step_);
    velocities.insert(velocities.end(), own.begin(), own.end());
  }
  integrator_->set(positions, velocities);
}

double Dynamics::temperature_kelvin(int replica) const {
  return temperatures_kelvin_.at(static_cast<std::size_t>(replica));
}

void Dynamics::put_back(std::span<const int> replicas, std::span<const double> positions_nm) {
  std::vector<double> positions = integrator_->positions_nm(),
                      velocities = integrator_->velocities_nm_ps();
  require(positions_nm.size() == positions.size(), "expected positions of ", replica_count(),
          " replicas, ", positions.size(), " numbers, found ", positions_nm.size());
  const std::size_t size = positions.size() / temperatures_kelvin_.size();
  for (const int replica : replicas) {
    const auto r = static_cast<std::size_t>(replica);
    const auto fresh = thermal_velocities(energy_.system(), temperature_kelvin(replica), seed_,
                                          first_replica_ + r, step_);
    std::ranges::copy(fresh, velocities.begin() + static_cast<std::ptrdiff_t>(r * size));
    std::ranges::copy(positions_nm.subspan(r * size, size),
                      positions.begin() + static_cast<std::ptrdiff_t>(r * size));
  }
  integrator_->set(positions, velocities);
}

void Dynamics::set_temperatures(std::span<const double> kelvin) {
  require(kelvin.size() == temperatures_kelvin_.size(), "expected ", temperatures_kelvin_.size(),
          " temperatures, found ", kelvin.size());
  for (const double now : kelvin) require(now > 0, "expected temperatures above 0 K, found ", now);
  for (std::size_t r = 0; r < kelvin.size(); ++r)
    integrator_->set_temperature(r, kelvin[r], std::sqrt(kelvin[r] / temperatures_kelvin_[r]));
  temperatures_kelvin_.assign(kelvin.begin(), kelvin.end());
}

void Dynamics::run(std::int64_t steps) {
  integrator_->run(step_, steps);
  step_ += steps;
  const std::vector<double> positions = integrator_->positions_nm();
  const std::size_t atoms = energy_.system().mass_amu.size();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    require(std::isfinite(positions[i]), "replica ", first_replica_ + i / (3 * atoms), " (",
            temperature_kelvin(static_cast<int>(i / (3 * atoms))), " K) blew up before step ",
            step_, ": atom ", i / 3 % atoms,
            " has no finite position; use a shorter timestep than ", timestep_ps_,
            " ps or minimise the start");
  }
}

DynamicsState Dynamics::state() const {
  return {integrator_->positions_nm(), integrator_->velocities_nm_ps(), step_};
}

void Dynamics::restore(const DynamicsState& state) {
  const std::size_t replicas = temperatures_kelvin_.size();
  const std::size_t atoms = energy_.system().mass_amu.size(), expected = replicas * atoms * 3;
  require(state.positions_nm.size() == expected && state.velocities_nm_ps.size() == expected,
          "expected a state of shape [", replicas, ", ", atoms, ", 3], found ",
          state.positions_nm.size(), " positions and ", state.velocities_nm_ps.size(),
          " velocities");
  step_ = state.step;
  integrator_->set(state.positions_nm, state.velocities_nm_ps);
}

std::vector<double> Dynamics::potential_energy_kj_mol() const {
  return energy_.evaluate(integrator_->positions_nm(), false).energy_kj_mol;
}

std::vector<double> Dynamics::kinetic_energy_kj_mol() const {
  const std::vector<double>& mass = energy_.system().mass_amu;
  const std::vector<double> velocity = integrator_->velocities_nm_ps();
  std::vector<double> energy(temperatures_kelvin_.size());
  for (std::size_t i = 0; i < velocity.size(); ++i)
    energy[i / (3 * mass.size())] += 0.5 * mass[i / 3 % mass.size()] * velocity[i] * velocity[i];
  return energy;
}

std::int64_t Dynamics::try_turns(std::span<const PeptideTurn> turns) {
  if (turns.empty()) return 0;
  std::vector<double> positions = integrator_->positions_nm(), turned = positions;
  const std::size_t replicas = temperatures_kelvin_.size(), size = positions.size() / replicas;
  const Random random(seed_, stream_id(streams::kTurns));
  const auto first_word = [&](std::size_t replica) {  // of the two of a replica
    return 2 * (static_cast<std::uint64_t>(step_) * all_replicas_ + first_replica_ + replica);
  };
  for (std::size_t r = 0; r < replicas; ++r) {
    const auto which = random.below(std::ssize(turns), first_word(r));
    turn(turns[static_cast<std::size_t>(which)], std::span(turned).subspan(r * size, size));
  }
  const auto before = energy_.evaluate(positions, false).energy_kj_mol,
             after = energy_.evaluate(turned, false).energy_kj_mol;
  std::int64_t accepted = 0;
  for (std::size_t r = 0; r < replicas; ++r) {
    const double gain = (before[r] - after[r]) / thermal_energy(temperatures_kelvin_[r]);
    if (!(std::log(random.uniform(first_word(r) + 1)) < gain)) continue;  // NaN: it stays
    std::copy_n(turned.begin() + static_cast<std::ptrdiff_t>(r * size), size,
                positions.begin() + static_cast<std::ptrdiff_t>(r * size));
    ++accepted;
  }
  if (accepted > 0) integrator_->set(positions, integrator_->velocities_nm_ps());
  return accepted;
}

std::vector<int> Dynamics::swap_neighbours(int ladder_size) {
  const std::size_t replicas = temperatures_kelvin_.size();
  const auto rungs = static_cast<std::size_t>(std::max(ladder_size, 1));
  require(ladder_size > 0 && replicas % rungs == 0, "expected ladders that share out ", replicas,
          " replicas evenly, found ladders of ", ladder_size);
  const std::size_t ladders = replicas / rungs;
  std::vector<double> energy = potential_energy_kj_mol();
  std::vector<int> swapped(rungs - 1);
  const Random random(seed_, stream_id(streams::kSwaps));
  for (std::size_t ladder = 0; ladder < ladders; ++ladder) {
    for (std::size_t rung = 0; rung + 1 < rungs; ++rung) {
      const std::size_t i = ladder * rungs + rung, j = i + 1;
      const double beta_i = 1 / thermal_energy(temperatures_kelvin_[i]);
      const double beta_j = 1 / thermal_energy(temperatures_kelvin_[j]);
      const std::uint64_t draw =
          static_cast<std::uint64_t>(step_) * all_replicas_ + first_replica_ + i;
      if (std::log(random.uniform(draw)) >= (beta_i - beta_j) * (energy[i] - energy[j])) continue;
      integrator_->exchange(i, j, std::sqrt(temperatures_kelvin_[j] / temperatures_kelvin_[i]));
      std::swap(energy[i], energy[j]);
      ++swapped[rung];
    }
  }
  return swapped;
}

}  // namespace arbg::md
