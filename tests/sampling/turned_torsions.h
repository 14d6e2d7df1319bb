// Conformations of alanine dipeptide whose torsions are turned by series of known correlation.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/topology.h"
#include "md/molecule/vector3.h"
#include "tensor/base/random.h"

namespace arbg::sampling {

inline constexpr double kPhi = 0.9;  // of the autoregressive series: rho(t) = kPhi^t
inline constexpr std::int64_t kReplicas = 4;

// Turns all atoms behind the bond from `from` to `to`, in chain order, about it.
inline void turn(const md::Topology& topology, std::vector<double>& x, int from, int to,
                 double angle) {
  const md::Vector3 origin = md::at(x, to), axis = md::unit(origin - md::at(x, from));
  std::vector<int> behind = {to};
  std::vector<bool> seen(topology.atoms.size());
  seen[static_cast<std::size_t>(from)] = seen[static_cast<std::size_t>(to)] = true;
  const auto neighbours = topology.neighbours();
  for (std::size_t k = 0; k < behind.size(); ++k) {
    for (const int next : neighbours[static_cast<std::size_t>(behind[k])]) {
      if (seen[static_cast<std::size_t>(next)]) continue;
      seen[static_cast<std::size_t>(next)] = true;
      behind.push_back(next);
    }
  }
  for (const int atom : behind) {
    const md::Vector3 r = md::at(x, atom) - origin;
    const md::Vector3 turned = origin + std::cos(angle) * r + std::sin(angle) * md::cross(axis, r) +
                               ((1 - std::cos(angle)) * md::dot(axis, r)) * axis;
    const auto i = static_cast<std::size_t>(3 * atom);
    x[i] = turned.x, x[i + 1] = turned.y, x[i + 2] = turned.z;
  }
}

struct TurnedTorsions {
  md::Topology topology = md::Topology::from_sequence("Ace-A-Nme");
  std::vector<double> start =
      md::ideal_geometry(topology, md::ForceField::named("amber14-obc1").create_system(topology));

  // Frames [saves kReplicas, N, 3], frame f of replica f % kReplicas: in every replica psi is
  // turned by an autoregressive series of its own, phi by independent numbers.
  std::vector<double> frames(std::int64_t saves) const {
    const int n = topology.find(1, "N"), ca = topology.find(1, "CA"), c = topology.find(1, "C");
    const Random random(7, 1);
    std::vector<double> psi(kReplicas), all;
    for (std::int64_t f = 0; f < saves * kReplicas; ++f) {
      const auto normal = random.normal_pair(static_cast<std::uint64_t>(f));
      double& of_replica = psi[static_cast<std::size_t>(f % kReplicas)];
      const double step = f < kReplicas ? 1 : std::sqrt(1 - kPhi * kPhi);
      of_replica = kPhi * of_replica + step * normal[0];
      auto x = start;
      turn(topology, x, ca, c, 0.2 * of_replica);
      turn(topology, x, n, ca, 0.2 * normal[1]);
      all.insert(all.end(), x.begin(), x.end());
    }
    return all;
  }
};

}  // namespace arbg::sampling
