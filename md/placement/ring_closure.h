// What the bonded terms still to come say about the coordinates of a planar ring.
//
// The rings of Phe, Tyr, Trp and His close within a few picometres, but they grow atom by atom:
// most of their bonds and angles are drawn before the terms across the gap have all of their atoms.
// Such rings are stiff. Near its minimum c their bonded energy over RT is a quadratic form of x =
// z - c, with the Hessian H in the coordinates of atoms whose parent is in the ring (not in
// dihedrals about the bond that leads to it), and to integrate over those still to come is to take
// a Schur complement. Let S be what is left of H when everything after coordinate j is integrated
// out. Where placement.h has a curve of j, let P be the same of the terms that are in this curve:
// those whose atoms are all there once the atom of j is. Then
//
//   u(z_j) = k/2 (z_j - c_j)^2 + (z_j - c_j) (g + sum over i < j of b_i (z_i - c_i)),
//   k = S_jj - P_jj,  b_i = S_ji - P_ji,  g = -dP/dz_j at c
//
// is added to the curve of the bonded energy. It is a function of earlier coordinates alone.
// Differences of dihedrals are within +-pi. Other coordinates are held where ideal_geometry() has
// them; the bonded terms of a ring hardly depend on them. A coordinate is told if the shift of its
// mean by earlier ones is worth more than kRingClosureGain on average: what is constant a network
// learns soon.
//
// A ring counts as planar if no atom of it has more than three neighbours: that of Pro puckers,
// which no quadratic form describes. Rings are those of one residue, without the three atoms that
// are placed first; disulfides and other rings are left out.
#pragma once

#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/molecule/system.h"
#include "md/molecule/topology.h"
#include "tensor/base/json.h"

namespace arbg::md {

inline constexpr double kRingClosureGain = 0.01;  // nats

// Of one coordinate, in nm and radians; energies over RT.
struct RingClosure {
  struct Coupling {
    int coordinate;  // before
    double stiffness, centre;
  };
  int coordinate = -1;
  double centre = 0, stiffness = 0, slope = 0;
  std::vector<Coupling> couplings;

  // du/dz_j at the centre, given the coordinates before. z [K].
  double slope_at(std::span<const double> z) const;
  double energy(double value, double slope_at_centre) const;
};

// In ascending order of coordinates. Residues are looked at one by one; none of a residue without a
// planar ring, or whose rings have no minimum inside the support.
std::vector<RingClosure> ring_closures(const Topology& topology, const System& system,
                                       const CoordinateMap& map, double temperature_kelvin);

// A list of objects. Back: throws Error if it cannot be of a map with that many coordinates.
Json to_json(std::span<const RingClosure> closures);
std::vector<RingClosure> ring_closures_from_json(const Json& json, int coordinates);

}  // namespace arbg::md
