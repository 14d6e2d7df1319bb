#include "md/langevin.h"

#include <array>
#include <cmath>

#include "md/units.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::md {

Langevin::Langevin(const System& system, double timestep_ps, double friction_per_ps,
                   std::uint64_t seed)
    : energy_(system), half_timestep_(static_cast<float>(timestep_ps / 2)), seed_(seed) {
  require(timestep_ps > 0, "expected a timestep above 0 ps, found ", timestep_ps);
  require(friction_per_ps >= 0, "expected a friction of at least 0 per ps, found ",
          friction_per_ps);
  keep_ = static_cast<float>(std::exp(-friction_per_ps * timestep_ps));
  renew_ = static_cast<float>(std::sqrt(-std::expm1(-2 * friction_per_ps * timestep_ps)));
  for (const double mass : system.mass_amu) {
    require(mass > 0, "expected masses above 0 amu, found ", mass);
    kick_.push_back(static_cast<float>(timestep_ps / mass));
    inverse_root_mass_.push_back(static_cast<float>(1 / std::sqrt(mass)));
  }
}

LangevinGroup Langevin::make_group(std::uint64_t first_replica,
                                   std::span<const double, kReplicasInGroup> temperatures) const {
  std::array<std::uint64_t, kReplicasInGroup> streams;
  Lanes<float> root_thermal_energy;
  for (std::size_t lane = 0; lane < kReplicasInGroup; ++lane) {
    streams[lane] = stream_id("langevin", first_replica + lane);
    root_thermal_energy[lane] = static_cast<float>(std::sqrt(thermal_energy(temperatures[lane])));
  }
  const std::vector<LaneVector<float>> zero(static_cast<std::size_t>(energy_.atom_count()));
  return {zero, zero, zero, root_thermal_energy, LaneStreams(streams), energy_.make_scratch()};
}

void Langevin::run(LangevinGroup& group, std::int64_t first_step, std::int64_t steps) const {
  for (std::int64_t step = first_step; step < first_step + steps; ++step) {
    if (step % kStepsBetweenCentring == 0) centre(group);
    energy_.evaluate(group.position.data(), group.force.data(), group.scratch);
    kick(group);
    drift(group);
    if (renew_ > 0) noise(group, step);
    drift(group);
  }
}

void Langevin::kick(LangevinGroup& group) const {
  for (std::size_t a = 0; a < kick_.size(); ++a) {
    group.velocity[a] += scaled(broadcast(kick_[a]), group.force[a]);
  }
}

void Langevin::drift(LangevinGroup& group) const {
  for (std::size_t a = 0; a < kick_.size(); ++a) {
    group.position[a] += scaled(broadcast(half_timestep_), group.velocity[a]);
  }
}

void Langevin::noise(LangevinGroup& group, std::int64_t step) const {
  const Lanes<float> scale = renew_ * group.root_thermal_energy;
  const std::uint64_t first = static_cast<std::uint64_t>(step) * kick_.size();
  for (std::size_t a = 0; a < kick_.size(); ++a) {
    const LaneBlock block = philox_lanes(seed_, group.streams, first + a);
    LaneVector<float> normal;
    Lanes<float> unused;
    normals_from_words(block.word[0], block.word[1], normal.x, normal.y);
    normals_from_words(block.word[2], block.word[3], normal.z, unused);
    group.velocity[a] =
        scaled(broadcast(keep_), group.velocity[a]) + scaled(scale * inverse_root_mass_[a], normal);
  }
}

void Langevin::centre(LangevinGroup& group) const {
  LaneVector<float> sum{};
  for (const LaneVector<float>& x : group.position) sum += x;
  const LaneVector<float> centroid =
      scaled(broadcast(1.0f / static_cast<float>(kick_.size())), sum);
  for (LaneVector<float>& x : group.position) x -= centroid;
}

}  // namespace arbg::md
