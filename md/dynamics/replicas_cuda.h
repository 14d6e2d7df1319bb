// Langevin dynamics of replicas of one or several molecules on a CUDA device, all in one launch:
// what integrator_cuda.cu is made of.
//
// Steps and random numbers are those of integrator.h, in float32; a block of threads is one
// replica, whose numbers depend on no other. Only builds with CUDA have it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "md/dynamics/integrator.h"
#include "md/molecule/system.h"

namespace arbg::md {

struct ReplicaOnDevice {
  std::size_t system;    // of the list
  std::uint64_t stream;  // of its random numbers: stream_id(streams::kLangevin, k)
  double kelvin;
};

class ReplicasOnDevice {
 public:
  // Everything at the origin and at rest. Of the options temperatures and backend are not read.
  // Throws Error if a molecule does not fit into a block.
  ReplicasOnDevice(std::span<const System> systems, std::span<const ReplicaOnDevice> replicas,
                   const DynamicsOptions& options);
  ~ReplicasOnDevice();

  void run(std::int64_t first_step, std::int64_t steps);

  // [N, 3] of one replica, in the memory of the host; what is written there is brought to the
  // device before the next steps.
  std::span<const float> positions(std::size_t replica) const;
  std::span<const float> velocities(std::size_t replica) const;
  std::span<float> change_positions(std::size_t replica);
  std::span<float> change_velocities(std::size_t replica);
  void set_temperature(std::size_t replica, double kelvin);

 private:
  class Part;
  std::unique_ptr<Part> part_;
};

}  // namespace arbg::md
