// Replicas that forget where they began: heated far above the run, then cooled in stages.
//
// Replicas of a run begin as one conformation, and what they have in common for long is not seen
// when they are compared with each other. So each is first heated to a temperature at which every
// torsion that may turn does within picoseconds, for three fifths of the steps, and then cooled in
// kCoolingStages equal stages, geometrically, the last of them at the temperature that the warm-up
// begins with. What must not turn would, too: walls hold it.
//
//   hands   of every atom with four neighbours: stereocentres (md/molecule/stereocentres.h), and
//           hydrogens that only their names tell apart
//   halves  cis or trans of every bond that the force field stiffens by kStiff_kJ_mol or more (the
//           terms k (1 - cos 2 phi) of a bond add up to that barrier): peptide bonds, those of
//           proline and caps among them, amides and guanidinium
//
// Both as in the start. A wall is hard and between its walls the bottom is flat: dynamics are those
// of the run, in segments of kSegment_ps; a replica that is beyond a wall at the end of one is put
// back to where it was at its beginning, with fresh velocities (Dynamics::put_back). A force that
// holds would be one more term on every backend, felt inside the walls, too, where it is not
// wanted; and a replica that is beyond a wall between two ends alone has not changed.
//
// Everything is a function of the step: a run that stopped at the end of a segment goes on as if it
// had not, and replicas do not depend on each other, on threads or on processes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "md/dynamics/dynamics.h"
#include "md/molecule/stereocentres.h"
#include "md/molecule/system.h"
#include "md/molecule/topology.h"

namespace arbg::md {

inline constexpr double kSegment_ps = 0.1, kStiff_kJ_mol = 50;
inline constexpr int kCoolingStages = 4;

// What walls hold: the hands and halves of one conformation [N, 3].
class Walls {
 public:
  Walls(const Topology& topology, const System& system, std::span<const double> start_nm);

  // "ALA2:CA has another hand" or "ACE1:C - ALA2:N is turned", of the first that is not as in the
  // start; "" if all are.
  std::string fault(std::span<const double> positions_nm) const;

  // Throws Error naming the replica, counted from first_replica, unless each of [R, N, 3] is
  // without fault and of natural hands.
  void require_natural(std::span<const double> positions_nm, std::size_t first_replica) const;

 private:
  struct Half {
    std::array<int, 4> atoms;
    bool cis;
  };
  const Topology& topology_;
  std::vector<Stereocentre> hands_;  // of positive volume in the start
  std::vector<Half> halves_;
};

// How many steps forget the start of any peptide tried: those of 50 ps.
std::int64_t scramble_steps(double timestep_ps);

struct ScrambleOptions {
  std::int64_t steps = 0;
  double hot_kelvin = 1200, timestep_ps = 0.001;
};

// The temperature at a step before options.steps, of a replica whose warm-up begins with
// `end_kelvin`: the hot one, or that if it is higher.
double scramble_kelvin(const ScrambleOptions& options, std::int64_t step, double end_kelvin);

// From the step that `dynamics` stands at, which is 0 or was returned by this, to the end of the
// segment: runs, puts back, and sets the temperatures of the steps that follow. `end_kelvin`: [R].
// Returns how many replicas were put back.
int scramble_segment(const ScrambleOptions& options, const Walls& walls,
                     std::span<const double> end_kelvin, Dynamics& dynamics);

}  // namespace arbg::md
