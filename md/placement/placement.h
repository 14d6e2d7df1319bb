// Energies of one atom against the atoms placed before it, at the middle of every bin of its
// dihedral, and of its angle where the dihedral is a phase.
//
// When the dihedral phi of the m-th atom of the tree (coordinates/zmatrix.h) is drawn, the atoms
// before it stand, and its own bond r and angle theta are known: it lies on a circle. For the
// middle phi_v = low + (v + 1/2) (high - low)/V of bin v
//
//   u[c, v] = (E_c(placed atoms and the atom at phi_v) - E_c(placed atoms)) / RT
//
//   bonded         bonds, angles, torsions and impropers
//   Lennard-Jones  4 eps ((sigma/d)^12 - (sigma/d)^6) with every placed atom
//   electrostatic  kCoulomb q q (1/d - shift) + -tau q q (1/f - shift),  f as in
//                  terms/generalised_born.h at fixed radii
//
// E_c holds the terms whose atoms are all there; those that do not depend on phi, such as the bond
// to the parent, are in u. Exclusions, 1-4 pairs, cutoff and shifts of the first two are those of
// terms/nonbonded.h; the solvent's is between all atoms within the cutoff, excluded or not, without
// self energies and surface. Born radii of a conformation depend on atoms that are not there yet,
// so that these are constants of the molecule. A distance d below 0.01 nm counts as 0.01 nm: every
// u of a molecule is a float32.
//
// A phase is all but fixed by the angles with the siblings; and so is, with it, the angle theta
// that is drawn before it. With phi_k the middles of 16 intervals on the support of the phase, the
// curve of such an angle is
//
//   u[bonded](theta) = -log sum over k of exp(-u_bonded(theta, phi_k)),   0 for the others,
//
// nearly a parabola. It is evaluated at the middles of 16 groups of bins (of every bin, if V is no
// multiple of 16), and so are two more angles beyond each end; the bins have what the polynomial
// through the five nearest of these gives (Lagrange). Sixteen phases are coarse where the atom has
// a second bond, which closes a ring: there the curve is some tenths of a kT off the integral's.
//
// A NaN in what a component depends on is in all of its curve.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"

namespace arbg::md {

inline constexpr int kPlacementComponents = 3;
inline constexpr double kPlacementNearest = 0.01;  // nm
inline constexpr int kPlacementPhases = 16, kPlacementGroups = 16, kPlacementPoints = 5;
inline constexpr double kPlacementCap = 20;  // kT

// Whether coordinate j of the map has a curve: the dihedrals, coordinates 3 m - 4 of z, m = 3 ... N
// - 1, and the angles before phases.
bool has_placement_curve(const CoordinateMap& map, int coordinate);

struct DevicePlacementTables;  // placement_device_tables.h
class LanePlacement;           // placement_lanes.h
struct PlacementTerms;         // placement_terms.h
struct RingClosure;            // ring_closure.h

class Placement {
 public:
  // Born radii [N] in nm; empty: no solvent. Throws Error if the map has other coordinates than
  // bonds, angles and dihedrals, or if map, radii and system do not fit. Copies are cheap: they
  // share their tables.
  Placement(const System& system, const CoordinateMap& map, double temperature_kelvin,
            std::int64_t bins, std::vector<double> born_radii_nm);

  std::int64_t bins() const;
  const std::vector<double>& born_radii_nm() const;  // as they were given
  bool has_curve(int coordinate) const;              // has_placement_curve() of the map

  // u [3, V] of a coordinate that has a curve. Positions [N, 3] in nm in any frame, of which only
  // atoms placed before are looked at; own: the coordinates of the atom itself that come before, r
  // in nm and, of a dihedral, theta in radians. Throw Error if coordinate or sizes do not fit. A
  // curve is a function of these arguments alone, the same bits in any thread; any number of
  // threads may call at a time.
  //
  // reference: plain loops in double. lanes: in float32, candidates in SIMD lanes, distant pairs
  // interpolated where bins are many; a dihedral within 2e-4 kT and 1e-5 of the reference, overlaps
  // within 1e-4, and any curve, shifted and capped, within 1e-3 kT and 2e-6 of what was shifted
  // off (0.1 kT of bonded energy with a bond that closes a ring).
  void reference(int coordinate, std::span<const double> positions_nm, std::span<const double> own,
                 std::span<double> u) const;
  void lanes(int coordinate, std::span<const double> positions_nm, std::span<const double> own,
             std::span<float> u) const;

  // For placement_device.h.
  DevicePlacementTables device_tables(const CoordinateMap& map,
                                      std::span<const RingClosure> closures) const;

 private:
  static std::size_t row_of(int coordinate);
  std::size_t checked_row(int coordinate, std::span<const double> own, std::size_t positions,
                          std::size_t numbers) const;

  std::shared_ptr<const PlacementTerms> rows_;
  std::shared_ptr<const LanePlacement> lanes_;
};

// u [3, V] <- min(u - the least of its component, 20). NaN stays NaN.
void shift_and_cap(std::span<double> u);
void shift_and_cap(std::span<float> u);

// Born radii [N] in nm of ideal_geometry(); empty if the system has no implicit solvent.
std::vector<double> placement_born_radii(const Topology& topology, const System& system);

}  // namespace arbg::md
