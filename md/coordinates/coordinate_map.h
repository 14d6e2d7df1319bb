// Conformation <-> vector of model coordinates, with the exact log volume factor.
//
// The model draws z [K]; the molecule is x(z) [N, 3] in nm. For every map
//
//   log w = -u(x(z)) + log_volume(z) - log q(z),       Z = E_q[w] = integral of exp(-u) over
//   shapes,
//
// where the integral is over internal coordinates (rotation and translation divided out), so that
// both maps have the same Z. log_volume is log |dx/dz| for Internal, and for Cartesian the
// centre-of-mass density and scale.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "md/coordinates/zmatrix.h"
#include "md/molecule/system.h"
#include "md/molecule/topology.h"
#include "tensor/base/json.h"
#include "tensor/base/random.h"

namespace arbg::md {

// What the network is told about coordinate j, and the interval that its bins cover.
struct Coordinate {
  int atom;          // index into the Topology of the atom this coordinate places
  int order;         // place of that atom in the order of generation, 0-based: the network's "atom
                     // position"
  int kind;          // Cartesian: 0 x, 1 y, 2 z. Internal: 0 bond, 1 angle, 2 dihedral or phase
  double low, high;  // support [low, high) in the map's own units (nm, radians, or scaled lengths)
  bool periodic;     // high is the same place as low
};

class CoordinateMap {
 public:
  virtual ~CoordinateMap() = default;

  // In files and for people. Code asks what a map can do, below, not what it is called.
  virtual std::string name() const = 0;
  virtual int atom_count() const = 0;

  // Whether z is the same however the molecule is turned and shifted. If not, encode() draws a
  // frame: every (random, index) gives another z of the same shape.
  virtual bool invariant_to_motion() const = 0;
  // Whether x(-z) = -x(z), the other hand, with the same volume, and the support is symmetric.
  virtual bool has_mirror_images() const = 0;

  const std::vector<Coordinate>& coordinates() const { return coordinates_; }
  int size() const { return static_cast<int>(coordinates_.size()); }

  // The tree that bonds, angles and dihedrals are measured along; empty where coordinates are
  // others.
  virtual std::span<const ZMatrixRow> tree() const { return {}; }

  // z of a conformation, without checking the support. A map that is not invariant to motion draws
  // its rotation and shift from (random, index); others ignore them. Positions [N, 3], z [K].
  virtual void encode(std::span<const double> positions_nm, std::span<double> z,
                      const Random& random, std::uint64_t index) const = 0;

  // x(z) in nm; a free choice of frame (root atom at the origin) for Internal. z may end after any
  // atom: then the first atoms of atom_order() are placed, where the whole z would place them, and
  // the positions of the others are left as they are.
  virtual void decode(std::span<const double> z, std::span<double> positions_nm) const = 0;

  // The atoms in the order in which they are placed, [N], and the coordinates of the first of them.
  virtual std::vector<int> atom_order() const = 0;
  int coordinates_of_first(int atoms) const;

  virtual double log_volume(std::span<const double> z) const = 0;

  // dz [K] = d/dz [f(x(z)) + log_volume(z)], given df/dx [N, 3]: for f = -u the drift of Langevin
  // moves in z. Positions as decode() makes them.
  virtual void pull_back(std::span<const double> z, std::span<const double> positions_nm,
                         std::span<const double> dpositions, std::span<double> dz) const = 0;

  // Everything needed to make the same map again; stored in checkpoints.
  virtual Json to_json() const = 0;
  static std::unique_ptr<CoordinateMap> from_json(const Json& json);

 protected:
  std::vector<Coordinate> coordinates_;
};

// As published: y = (R (x - centre(x)))/scale + xi, xi ~ N(0, I/N), R a random rotation, support
// [-range, range). log_volume(y) = log N(mean(y); 0, I/N) + (3N-3) log scale - log(8 pi^2).
std::unique_ptr<CoordinateMap> make_cartesian_map(int atom_count, double scale_nm, double range);

// Ours: bonds, angles, dihedrals in a tree grown from three bonded root atoms (zmatrix.h), with
// K = 3N - 6: log_volume(z) = sum of 2 log r over the N-1 bonds and of log sin theta over the N-2
// angles. Support at this temperature: r0 +- 10 sqrt(RT/k), theta0 +- 10 sqrt(RT/k_theta), phases
// +-1 rad (planar centres +-pi/2) around the equilibrium geometry's, free dihedrals the whole
// circle. The phases pin chirality and the labelled order of equivalent atoms: those of `like_nm`
// [N, 3] if given, else L amino acids and names that count clockwise (see equilibrium_geometry.h).
// Throws Error naming the atoms of a bond or angle without a force-field term.
std::unique_ptr<CoordinateMap> make_internal_map(const Topology& topology, const System& system,
                                                 double temperature_kelvin,
                                                 std::span<const double> like_nm = {});

// An idealised conformation [N, 3] in nm: every bond, angle and phase at its equilibrium value, the
// main chain and its branches extended at 180 degrees, proteinogenic chirality (or that of
// `like_nm`). The start of minimisation.
std::vector<double> ideal_geometry(const Topology& topology, const System& system,
                                   std::span<const double> like_nm = {});

}  // namespace arbg::md
