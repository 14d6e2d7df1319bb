// Langevin dynamics of many replicas of one molecule, step by step, on one backend.
//
// One step is the Langevin-middle integrator (Zhang et al., J. Phys. Chem. A 123, 6056, 2019):
//   kick   v += dt f/m
//   drift  x += dt/2 v
//   noise  v  = a v + sqrt((1 - a^2) RT/m) R,   a = exp(-friction dt),  R standard normal
//   drift  x += dt/2 v
// Before every step whose number is a multiple of kStepsBetweenCentring the centroid of each
// replica is put at the origin: a free molecule diffuses, and float32 loses its digits far from
// there.
//
// R of (replica, step, atom) is Box-Muller of block step N + atom of Random(seed,
// stream_id(streams::kLangevin, replica)): words 0 and 1 give x and y, words 2 and 3 give z. So
// replicas are independent of each other, of their number and of threads, and backends differ by
// rounding only.
//
// reference: double, one replica after the other. cpu: float32, kLaneCount<float> replicas in SIMD
// lanes, groups of lanes in threads. cuda: float32, a block of threads of the device for each
// replica.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "md/molecule/system.h"
#include "tensor/base/backend.h"

namespace arbg::md {

inline constexpr std::int64_t kStepsBetweenCentring = 1000;

struct DynamicsOptions {
  double timestep_ps = 0.001;
  double friction_per_ps = 1.0;
  std::uint64_t seed = 1;
  std::vector<double> temperatures_kelvin;  // one a replica: [R]
  Backend backend = Backend::cpu;
  // Of a part of more replicas, which goes on as it would in the whole: which one is the first
  // here, and how many there are; 0: R.
  std::size_t first_replica = 0, all_replicas = 0;
};

// Arrays [R, N, 3] are double whatever the backend computes in; float32 goes through them
// unchanged. One call at a time.
class Integrator {
 public:
  virtual ~Integrator() = default;

  // Takes steps number first_step, first_step + 1, ... of all replicas. A replica that blows up
  // becomes NaN and disturbs no other.
  virtual void run(std::int64_t first_step, std::int64_t steps) = 0;

  virtual std::vector<double> positions_nm() const = 0;
  virtual std::vector<double> velocities_nm_ps() const = 0;
  virtual void set(std::span<const double> positions_nm,
                   std::span<const double> velocities_nm_ps) = 0;

  // A new temperature of the replica's thermostat; its velocities are multiplied by speed_up.
  virtual void set_temperature(std::size_t replica, double kelvin, double speed_up) = 0;

  // Positions and velocities of i go to j, those faster by speed_up, and those of j, slower by it,
  // to i.
  virtual void exchange(std::size_t i, std::size_t j, double speed_up) = 0;
};

// Everything at the origin and at rest. The system need not outlive it. Throws Error for a
// timestep, friction, mass or temperature out of range, and for a backend that this build lacks.
std::unique_ptr<Integrator> make_integrator(const System& system, const DynamicsOptions& options);

// integrator_NAME, for integrator.cpp alone.
std::unique_ptr<Integrator> integrator_reference(const System& system,
                                                 const DynamicsOptions& options);
std::unique_ptr<Integrator> integrator_lanes(const System& system, const DynamicsOptions& options);
std::unique_ptr<Integrator> integrator_cuda(const System& system,
                                            const DynamicsOptions& options);  // builds with CUDA

}  // namespace arbg::md
