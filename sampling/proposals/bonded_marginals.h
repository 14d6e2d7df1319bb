// Independent distributions of internal coordinates from the force field alone: the start of a
// model without data.
//
//   P_j(v) proportional to exp(-u_bonded(z) / s) volume(z),  z_j the middle of bin v and every
//   other coordinate at its equilibrium
//
// u_bonded has bonds, angles and torsions, but no nonbonded terms and no solvent. That is a
// Gaussian sqrt(RT/k) around a bond's length, and the Boltzmann factor of its own terms for a free
// torsion. s = 1.5 for angles and torsions, 1 for bonds: held still, their neighbours make them
// narrower than they are. One energy of every bin is evaluated, K V in all.
#pragma once

#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/molecule/system.h"
#include "nn/heads/coordinate_bins.h"

namespace arbg::sampling {

// [K, V], each row summing to 10^6, as Transformer::initialise_from_marginals() takes them.
// `equilibrium_nm` [N, 3] is what md::ideal_geometry() gives.
std::vector<double> bonded_marginals(const md::CoordinateMap& map, const nn::CoordinateBins& bins,
                                     md::System system, double temperature_kelvin,
                                     std::span<const double> equilibrium_nm);

}  // namespace arbg::sampling
