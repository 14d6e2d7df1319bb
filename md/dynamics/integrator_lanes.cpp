// kick, drift, noise, drift (formulas in integrator.h) in float32: a group is kLaneCount<float>
// replicas, [N] LaneVectors.
//
// A group runs by itself: groups share only constants, so threads meet once a run, not once a step.
#include <array>
#include <cmath>

#include "md/dynamics/integrator.h"
#include "md/energy/lane_energy.h"
#include "md/molecule/units.h"
#include "tensor/base/random.h"
#include "tensor/base/random_lanes.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::md {

namespace {

constexpr std::size_t kLanes = kLaneCount<float>;

struct Group {
  std::vector<LaneVector<float>> position, velocity, force;  // [N] nm, nm/ps, kJ/mol/nm
  Lanes<float> root_thermal_energy;                          // sqrt(RT) of each replica
  LaneStreams streams;
  LaneEnergy<float>::Scratch scratch;
};

// One replica's [N, 3] between plain arrays and its lane.
void to_lane(std::span<const double> from, std::vector<LaneVector<float>>& to, std::size_t lane) {
  for (std::size_t a = 0; a < to.size(); ++a) {
    to[a].x[lane] = static_cast<float>(from[3 * a]);
    to[a].y[lane] = static_cast<float>(from[3 * a + 1]);
    to[a].z[lane] = static_cast<float>(from[3 * a + 2]);
  }
}

void from_lane(const std::vector<LaneVector<float>>& from, std::size_t lane, std::span<double> to) {
  for (std::size_t a = 0; a < from.size(); ++a) {
    to[3 * a] = static_cast<double>(from[a].x[lane]);
    to[3 * a + 1] = static_cast<double>(from[a].y[lane]);
    to[3 * a + 2] = static_cast<double>(from[a].z[lane]);
  }
}

float root_thermal_energy(double kelvin) {
  return static_cast<float>(std::sqrt(thermal_energy(kelvin)));
}

class LaneIntegrator : public Integrator {
 public:
  LaneIntegrator(const System& system, const DynamicsOptions& options)
      : energy_(system),
        half_timestep_(static_cast<float>(options.timestep_ps / 2)),
        seed_(options.seed),
        first_replica_(options.first_replica),
        replicas_(options.temperatures_kelvin.size()) {
    const double decay = options.friction_per_ps * options.timestep_ps;
    keep_ = static_cast<float>(std::exp(-decay));
    renew_ = static_cast<float>(std::sqrt(-std::expm1(-2 * decay)));
    for (const double mass : system.mass_amu) {
      kick_.push_back(static_cast<float>(options.timestep_ps / mass));
      inverse_root_mass_.push_back(static_cast<float>(1 / std::sqrt(mass)));
    }
    for (std::size_t first = 0; first < replicas_; first += kLanes)
      groups_.push_back(make_group(first, options.temperatures_kelvin));
  }

  void run(std::int64_t first_step, std::int64_t steps) override {
    parallel_for(static_cast<std::int64_t>(groups_.size()), [&](std::int64_t index) {
      run_group(groups_[static_cast<std::size_t>(index)], first_step, steps);
    });
  }

  std::vector<double> positions_nm() const override { return joined(&Group::position); }
  std::vector<double> velocities_nm_ps() const override { return joined(&Group::velocity); }

  void set(std::span<const double> positions_nm,
           std::span<const double> velocities_nm_ps) override {
    const std::size_t size = 3 * kick_.size();
    for (std::size_t r = 0; r < replicas_; ++r) {
      for_each_place(r, [&](Group& group, std::size_t lane) {
        to_lane(positions_nm.subspan(r * size, size), group.position, lane);
        to_lane(velocities_nm_ps.subspan(r * size, size), group.velocity, lane);
      });
    }
  }

  void set_temperature(std::size_t replica, double kelvin, double speed_up) override {
    const auto factor = static_cast<float>(speed_up);
    for_each_place(replica, [&](Group& group, std::size_t lane) {
      group.root_thermal_energy[lane] = root_thermal_energy(kelvin);
      for (LaneVector<float>& v : group.velocity) {
        v.x[lane] *= factor;
        v.y[lane] *= factor;
        v.z[lane] *= factor;
      }
    });
  }

  void exchange(std::size_t i, std::size_t j, double speed_up) override {
    const auto factor = static_cast<double>(static_cast<float>(speed_up));
    Group &group_i = groups_[i / kLanes], &group_j = groups_[j / kLanes];
    std::vector<double> xi(3 * kick_.size()), xj(xi), vi(xi), vj(xi);
    from_lane(group_i.position, i % kLanes, xi);
    from_lane(group_j.position, j % kLanes, xj);
    from_lane(group_i.velocity, i % kLanes, vi);
    from_lane(group_j.velocity, j % kLanes, vj);
    for (double& v : vi) v *= factor;
    for (double& v : vj) v /= factor;
    to_lane(xj, group_i.position, i % kLanes);
    to_lane(xi, group_j.position, j % kLanes);
    to_lane(vj, group_i.velocity, i % kLanes);
    to_lane(vi, group_j.velocity, j % kLanes);
  }

 private:
  // Replicas [first, first + kLanes); beyond the last stand copies of replica 0 that nobody looks
  // at.
  Group make_group(std::size_t first, std::span<const double> temperatures_kelvin) const {
    std::array<std::uint64_t, kLanes> streams;
    Lanes<float> root;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t replica = first + lane < replicas_ ? first + lane : 0;
      streams[lane] = stream_id(streams::kLangevin, first_replica_ + first + lane);
      root[lane] = root_thermal_energy(temperatures_kelvin[replica]);
    }
    const std::vector<LaneVector<float>> zero(kick_.size());
    Group group{zero, zero, zero, root, LaneStreams(streams), {}};
    energy_.fit(group.scratch);
    return group;
  }

  // body(group, lane) where the replica stands, and for replica 0 also where its copies do.
  template <class Body>
  void for_each_place(std::size_t replica, const Body& body) {
    body(groups_[replica / kLanes], replica % kLanes);
    if (replica != 0) return;
    for (std::size_t place = replicas_; place < groups_.size() * kLanes; ++place)
      body(groups_[place / kLanes], place % kLanes);
  }

  void run_group(Group& group, std::int64_t first_step, std::int64_t steps) const {
    for (std::int64_t step = first_step; step < first_step + steps; ++step) {
      if (step % kStepsBetweenCentring == 0) centre(group);
      energy_.evaluate(group.position.data(), group.force.data(), group.scratch);
      kick(group);
      drift(group);
      if (renew_ > 0) noise(group, step);
      drift(group);
    }
  }

  void kick(Group& group) const {
    for (std::size_t a = 0; a < kick_.size(); ++a) {
      group.velocity[a] += scaled(broadcast(kick_[a]), group.force[a]);
    }
  }

  void drift(Group& group) const {
    for (std::size_t a = 0; a < kick_.size(); ++a) {
      group.position[a] += scaled(broadcast(half_timestep_), group.velocity[a]);
    }
  }

  void noise(Group& group, std::int64_t step) const {
    const Lanes<float> scale = renew_ * group.root_thermal_energy;
    const std::uint64_t first = static_cast<std::uint64_t>(step) * kick_.size();
    for (std::size_t a = 0; a < kick_.size(); ++a) {
      const LaneBlock block = philox_lanes(seed_, group.streams, first + a);
      LaneVector<float> normal;
      Lanes<float> unused;
      normals_from_words(block.word[0], block.word[1], normal.x, normal.y);
      normals_from_words(block.word[2], block.word[3], normal.z, unused);
      group.velocity[a] = scaled(broadcast(keep_), group.velocity[a]) +
                          scaled(scale * inverse_root_mass_[a], normal);
    }
  }

  void centre(Group& group) const {
    LaneVector<float> sum{};
    for (const LaneVector<float>& x : group.position) sum += x;
    const LaneVector<float> centroid =
        scaled(broadcast(1.0f / static_cast<float>(kick_.size())), sum);
    for (LaneVector<float>& x : group.position) x -= centroid;
  }

  std::vector<double> joined(std::vector<LaneVector<float>> Group::*part) const {
    const std::size_t size = 3 * kick_.size();
    std::vector<double> all(replicas_ * size);
    for (std::size_t r = 0; r < replicas_; ++r) {
      from_lane(groups_[r / kLanes].*part, r % kLanes, std::span(all).subspan(r * size, size));
    }
    return all;
  }

  LaneEnergy<float> energy_;
  std::vector<float> kick_, inverse_root_mass_;  // [N] dt/m and 1/sqrt(m)
  float half_timestep_, keep_, renew_;           // dt/2, a, sqrt(1 - a^2)
  std::uint64_t seed_;
  std::size_t first_replica_, replicas_;
  std::vector<Group> groups_;
};

}  // namespace

std::unique_ptr<Integrator> integrator_lanes(const System& system, const DynamicsOptions& options) {
  return std::make_unique<LaneIntegrator>(system, options);
}

}  // namespace arbg::md
