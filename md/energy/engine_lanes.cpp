// Energies of [B, N, 3] in SIMD lanes, in double: kLaneCount<double> conformations a group, groups
// shared out among threads.
#include <algorithm>

#include "md/energy/engine.h"
#include "md/energy/lane_energy.h"
#include "tensor/base/defects.h"
#include "tensor/base/threads.h"

namespace arbg::md {

namespace {

constexpr std::size_t kLanes = kLaneCount<double>;

// What a group is evaluated in. A thread keeps its own from call to call: no number of an earlier
// one is read.
struct Workspace {
  LaneEnergy<double>::Scratch scratch;
  std::vector<LaneVector<double>> x, force;  // [N]
};

Workspace& workspace_for(const LaneEnergy<double>& energy) {
  thread_local Workspace mine;
  energy.fit(mine.scratch);
  mine.x.resize(static_cast<std::size_t>(energy.atom_count()));
  mine.force.resize(mine.x.size());
  return mine;
}

// Conformations [first, first + kLanes) of [B, N, 3] into lanes; beyond the last, the last again.
void load_group(std::span<const double> positions, std::size_t first, std::size_t batch,
                std::vector<LaneVector<double>>& x) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const double* from = positions.data() + std::min(first + lane, batch - 1) * x.size() * 3;
    for (std::size_t a = 0; a < x.size(); ++a) {
      x[a].x[lane] = from[3 * a];
      x[a].y[lane] = from[3 * a + 1];
      x[a].z[lane] = from[3 * a + 2];
    }
  }
}

void store_group(const LaneEnergy<double>::Terms& terms, const Workspace& group, std::size_t first,
                 EnergyResult& result) {
  const std::size_t atoms = group.x.size();
  for (std::size_t lane = 0; lane < kLanes && first + lane < result.energy_kj_mol.size(); ++lane) {
    const std::size_t b = first + lane;
    double energy = 0;
    for (std::size_t t = 0; t < kTermCount; ++t) {
      result.terms_kj_mol[b * kTermCount + t] = terms.value[t][lane];
      energy += terms.value[t][lane];
    }
    if (planted(Defect::lost_solvent)) energy -= terms.value[4][lane];
    if (planted(Defect::energy_sees_place)) energy += group.x[0].x[lane];
    result.energy_kj_mol[b] = energy;
    if (result.forces_kj_mol_nm.empty()) continue;
    double* to = result.forces_kj_mol_nm.data() + b * atoms * 3;
    for (std::size_t a = 0; a < atoms; ++a) {
      to[3 * a] = group.force[a].x[lane];
      to[3 * a + 1] = group.force[a].y[lane];
      to[3 * a + 2] = group.force[a].z[lane];
    }
    if (planted(Defect::lost_force)) to[3 * atoms - 1] = 0;
  }
}

}  // namespace

EnergyEngine::Kernel engine_lanes(const System& system) {
  const auto energy = std::make_shared<const LaneEnergy<double>>(system);
  return [energy](std::span<const double> positions_nm, EnergyResult& result) {
    constexpr std::size_t kGroupsATask = 4;  // so that handing out tasks costs little
    const std::size_t batch = result.energy_kj_mol.size();
    const std::size_t groups = (batch + kLanes - 1) / kLanes;
    const std::size_t tasks = (groups + kGroupsATask - 1) / kGroupsATask;
    parallel_for(static_cast<std::int64_t>(tasks), [&](std::int64_t task) {
      Workspace& group = workspace_for(*energy);
      const std::size_t begin = static_cast<std::size_t>(task) * kGroupsATask;
      for (std::size_t g = begin; g < std::min(begin + kGroupsATask, groups); ++g) {
        load_group(positions_nm, g * kLanes, batch, group.x);
        const auto terms = energy->evaluate(group.x.data(), group.force.data(), group.scratch);
        store_group(terms, group, g * kLanes, result);
      }
    });
  };
}

}  // namespace arbg::md
