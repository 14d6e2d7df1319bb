// The Langevin-middle integrator (see dynamics.h) for one group of replicas in SIMD lanes.
//
// A group runs by itself: groups share only constants, so threads meet once a run, not once a step.
// The noise of (replica, step, atom) is block step N + atom of Random(seed, stream_id("langevin",
// replica)), in whichever lane.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "md/lane_energy.h"
#include "tensor/base/random_lanes.h"

namespace arbg::md {

inline constexpr int kReplicasInGroup = kLaneCount<float>;

// A free molecule diffuses, and float32 loses its digits far from the origin: this often the
// centroid is put back there.
inline constexpr std::int64_t kStepsBetweenCentring = 1000;

struct LangevinGroup {
  std::vector<LaneVector<float>> position, velocity, force;  // [N] nm, nm/ps, kJ/mol/nm
  Lanes<float> root_thermal_energy;                          // sqrt(RT) of each replica
  LaneStreams streams;
  LaneEnergy<float>::Scratch scratch;
};

class Langevin {
 public:
  Langevin(const System& system, double timestep_ps, double friction_per_ps, std::uint64_t seed);

  // Replicas [first, first + kReplicasInGroup) at these temperatures, all zero positions and
  // velocities.
  LangevinGroup make_group(std::uint64_t first_replica,
                           std::span<const double, kReplicasInGroup> temperatures) const;

  // Takes steps number first_step, first_step + 1, ...
  void run(LangevinGroup& group, std::int64_t first_step, std::int64_t steps) const;

 private:
  void kick(LangevinGroup& group) const;
  void drift(LangevinGroup& group) const;
  void noise(LangevinGroup& group, std::int64_t step) const;
  void centre(LangevinGroup& group) const;

  LaneEnergy<float> energy_;
  std::vector<float> kick_, inverse_root_mass_;  // [N] dt/m and 1/sqrt(m)
  float half_timestep_, keep_, renew_;           // dt/2, a, sqrt(1 - a^2)
  std::uint64_t seed_;
};

}  // namespace arbg::md
