#include "md/dynamics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "md/langevin.h"
#include "md/units.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/threads.h"

namespace arbg::md {

namespace {

constexpr std::size_t kLanes = kReplicasInGroup;

// One replica's [N, 3] between plain arrays and its lane.
template <class T>
void to_lane(const T* from, std::vector<LaneVector<float>>& to, std::size_t lane) {
  for (std::size_t a = 0; a < to.size(); ++a) {
    to[a].x[lane] = static_cast<float>(from[3 * a]);
    to[a].y[lane] = static_cast<float>(from[3 * a + 1]);
    to[a].z[lane] = static_cast<float>(from[3 * a + 2]);
  }
}

template <class T>
void from_lane(const std::vector<LaneVector<float>>& from, std::size_t lane, T* to) {
  for (std::size_t a = 0; a < from.size(); ++a) {
    to[3 * a] = static_cast<T>(from[a].x[lane]);
    to[3 * a + 1] = static_cast<T>(from[a].y[lane]);
    to[3 * a + 2] = static_cast<T>(from[a].z[lane]);
  }
}

// Maxwell-Boltzmann velocities [N, 3] of one replica.
std::vector<double> thermal_velocities(const System& system, double temperature_kelvin,
                                       std::uint64_t seed, std::uint64_t replica) {
  const Random random(seed, stream_id("velocities", replica));
  std::vector<double> velocity;
  for (std::size_t a = 0; a < system.mass_amu.size(); ++a) {
    const double scale = std::sqrt(thermal_energy(temperature_kelvin) / system.mass_amu[a]);
    const auto xy = random.normal_pair(2 * a), z = random.normal_pair(2 * a + 1);
    for (const double normal : {xy[0], xy[1], z[0]}) velocity.push_back(scale * normal);
  }
  return velocity;
}

}  // namespace

// The last group is filled up with copies of replica 0 that nobody looks at.
struct Dynamics::Groups {
  System system;
  DynamicsOptions options;
  Langevin integrator;
  std::size_t atoms, replicas;
  std::vector<LangevinGroup> groups;
  std::int64_t step = 0;

  LangevinGroup& of(std::size_t replica) { return groups[replica / kLanes]; }
  std::size_t padded() const { return groups.size() * kLanes; }

  std::vector<double> positions() {
    std::vector<double> all(replicas * atoms * 3);
    for (std::size_t r = 0; r < replicas; ++r)
      from_lane(of(r).position, r % kLanes, &all[r * atoms * 3]);
    return all;
  }

  // Swaps the configurations of two replicas; each takes the speed of its new temperature.
  void exchange(std::size_t i, std::size_t j) {
    const double ratio = options.temperatures_kelvin[j] / options.temperatures_kelvin[i];
    const auto speed_up = static_cast<float>(std::sqrt(ratio));
    std::vector<float> xi(atoms * 3), xj(xi), vi(xi), vj(xi);
    from_lane(of(i).position, i % kLanes, xi.data());
    from_lane(of(j).position, j % kLanes, xj.data());
    from_lane(of(i).velocity, i % kLanes, vi.data());
    from_lane(of(j).velocity, j % kLanes, vj.data());
    for (float& v : vi) v *= speed_up;
    for (float& v : vj) v /= speed_up;
    to_lane(xj.data(), of(i).position, i % kLanes);
    to_lane(xi.data(), of(j).position, j % kLanes);
    to_lane(vj.data(), of(i).velocity, i % kLanes);
    to_lane(vi.data(), of(j).velocity, j % kLanes);
  }
};

Dynamics::Dynamics(const System& system, const DynamicsOptions& options,
                   std::span<const double> positions_nm) {
  const auto atoms = static_cast<std::size_t>(system.atom_count());
  const std::size_t replicas = options.temperatures_kelvin.size();
  require(replicas > 0, "expected a temperature for each replica, found none");
  require(positions_nm.size() == 3 * atoms || positions_nm.size() == 3 * atoms * replicas,
          "expected starting positions of shape [", atoms, ", 3] or [", replicas, ", ", atoms,
          ", 3], found ", positions_nm.size(), " numbers");
  for (const double t : options.temperatures_kelvin)
    require(t > 0, "expected temperatures above 0 K, found ", t);
  groups_ = std::make_unique<Groups>(
      Groups{system,
             options,
             Langevin(system, options.timestep_ps, options.friction_per_ps, options.seed),
             atoms,
             replicas,
             {}});
  const std::size_t stride = positions_nm.size() == 3 * atoms ? 0 : 3 * atoms;
  for (std::size_t first = 0; first < replicas; first += kLanes) {
    std::array<double, kLanes> temperatures;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t replica = first + lane < replicas ? first + lane : 0;
      temperatures[lane] = options.temperatures_kelvin[replica];
    }
    LangevinGroup group = groups_->integrator.make_group(first, temperatures);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t replica = first + lane < replicas ? first + lane : 0;
      to_lane(positions_nm.data() + replica * stride, group.position, lane);
      to_lane(thermal_velocities(system, temperatures[lane], options.seed, replica).data(),
              group.velocity, lane);
    }
    groups_->groups.push_back(std::move(group));
  }
}

Dynamics::~Dynamics() = default;

int Dynamics::replica_count() const { return static_cast<int>(groups_->replicas); }

std::int64_t Dynamics::step() const { return groups_->step; }

double Dynamics::temperature_kelvin(int replica) const {
  return groups_->options.temperatures_kelvin.at(static_cast<std::size_t>(replica));
}

void Dynamics::set_temperatures(std::span<const double> kelvin) {
  Groups& g = *groups_;
  require(kelvin.size() == g.replicas, "expected ", g.replicas, " temperatures, found ",
          kelvin.size());
  for (std::size_t r = 0; r < g.padded(); ++r) {
    const std::size_t replica = r < g.replicas ? r : 0;
    const double old = g.options.temperatures_kelvin[replica], now = kelvin[replica];
    require(now > 0, "expected temperatures above 0 K, found ", now);
    g.of(r).root_thermal_energy[r % kLanes] = static_cast<float>(std::sqrt(thermal_energy(now)));
    const auto speed_up = static_cast<float>(std::sqrt(now / old));
    for (LaneVector<float>& v : g.of(r).velocity) {
      v.x[r % kLanes] *= speed_up;
      v.y[r % kLanes] *= speed_up;
      v.z[r % kLanes] *= speed_up;
    }
  }
  g.options.temperatures_kelvin.assign(kelvin.begin(), kelvin.end());
}

void Dynamics::run(std::int64_t steps) {
  Groups& g = *groups_;
  parallel_for(static_cast<std::int64_t>(g.groups.size()), [&](std::int64_t index) {
    g.integrator.run(g.groups[static_cast<std::size_t>(index)], g.step, steps);
  });
  g.step += steps;
  const std::vector<double> positions = g.positions();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    require(std::isfinite(positions[i]), "replica ", i / (3 * g.atoms), " (",
            temperature_kelvin(static_cast<int>(i / (3 * g.atoms))), " K) blew up before step ",
            g.step, ": atom ", i / 3 % g.atoms,
            " has no finite position; use a shorter timestep than ", g.options.timestep_ps,
            " ps or minimise the start");
  }
}

DynamicsState Dynamics::state() const {
  Groups& g = *groups_;
  DynamicsState state;
  state.step = g.step;
  state.positions_nm.resize(g.replicas * g.atoms * 3);
  state.velocities_nm_ps.resize(state.positions_nm.size());
  for (std::size_t r = 0; r < g.replicas; ++r) {
    from_lane(g.of(r).position, r % kLanes, &state.positions_nm[r * g.atoms * 3]);
    from_lane(g.of(r).velocity, r % kLanes, &state.velocities_nm_ps[r * g.atoms * 3]);
  }
  return state;
}

void Dynamics::restore(const DynamicsState& state) {
  Groups& g = *groups_;
  const std::size_t expected = g.replicas * g.atoms * 3;
  require(state.positions_nm.size() == expected && state.velocities_nm_ps.size() == expected,
          "expected a state of shape [", g.replicas, ", ", g.atoms, ", 3], found ",
          state.positions_nm.size(), " positions and ", state.velocities_nm_ps.size(),
          " velocities");
  g.step = state.step;
  for (std::size_t r = 0; r < g.padded(); ++r) {
    const std::size_t from = r < g.replicas ? r : 0;
    to_lane(&state.positions_nm[from * g.atoms * 3], g.of(r).position, r % kLanes);
    to_lane(&state.velocities_nm_ps[from * g.atoms * 3], g.of(r).velocity, r % kLanes);
  }
}

std::vector<double> Dynamics::potential_energy_kj_mol() const {
  EnergyResult result;
  evaluate_lanes(groups_->system, groups_->positions(), false, result);
  return result.energy_kj_mol;
}

std::vector<double> Dynamics::kinetic_energy_kj_mol() const {
  Groups& g = *groups_;
  std::vector<double> energy(g.replicas), velocity(g.atoms * 3);
  for (std::size_t r = 0; r < g.replicas; ++r) {
    from_lane(g.of(r).velocity, r % kLanes, velocity.data());
    for (std::size_t k = 0; k < velocity.size(); ++k) {
      energy[r] += 0.5 * g.system.mass_amu[k / 3] * velocity[k] * velocity[k];
    }
  }
  return energy;
}

std::vector<int> Dynamics::swap_neighbours(int ladder_size) {
  Groups& g = *groups_;
  const auto rungs = static_cast<std::size_t>(std::max(ladder_size, 1));
  require(ladder_size > 0 && g.replicas % rungs == 0, "expected ladders that share out ",
          g.replicas, " replicas evenly, found ladders of ", ladder_size);
  const std::size_t ladders = g.replicas / rungs;
  std::vector<double> energy = potential_energy_kj_mol();
  std::vector<int> swapped(rungs - 1);
  const Random random(g.options.seed, stream_id("swaps"));
  for (std::size_t ladder = 0; ladder < ladders; ++ladder) {
    for (std::size_t rung = 0; rung + 1 < rungs; ++rung) {
      const std::size_t i = ladder * rungs + rung, j = i + 1;
      const double beta_i = 1 / thermal_energy(g.options.temperatures_kelvin[i]);
      const double beta_j = 1 / thermal_energy(g.options.temperatures_kelvin[j]);
      const std::uint64_t draw = static_cast<std::uint64_t>(g.step) * g.replicas + i;
      if (std::log(random.uniform(draw)) >= (beta_i - beta_j) * (energy[i] - energy[j])) continue;
      g.exchange(i, j);
      std::swap(energy[i], energy[j]);
      ++swapped[rung];
    }
  }
  return swapped;
}

}  // namespace arbg::md
