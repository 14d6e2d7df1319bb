// Energies and forces in SIMD lanes, under the cpu backends of EnergyEngine and Integrator.
//
// A group is kLaneCount<T> conformations of one molecule, [N] LaneVectors; every term runs over its
// list once with parameters broadcast to all lanes, so a lane's numbers do not depend on the other
// lanes. Float for dynamics (forces within 1e-5 of the reference, norm over norm), double for
// energies that are reported or weighted.
#pragma once

#include <vector>

#include "md/energy/engine.h"
#include "md/molecule/system.h"
#include "md/terms/generalised_born_cpu.h"
#include "md/terms/harmonic_angle_cpu.h"
#include "md/terms/harmonic_bond_cpu.h"
#include "md/terms/lane_vector.h"
#include "md/terms/nonbonded_cpu.h"
#include "md/terms/periodic_torsion_cpu.h"

namespace arbg::md {

template <class T>
class LaneEnergy {
 public:
  explicit LaneEnergy(const System& system);

  int atom_count() const { return atom_count_; }

  // What evaluate() needs beside its arguments; one for each thread. Whatever is in it is not read.
  struct Scratch {
    std::vector<BornState<T>> atoms;
    std::vector<BornSlopes<T>> pairs;
  };
  void fit(Scratch& scratch) const;  // gives it the sizes for this molecule

  // The energy terms of each lane, in the order of kTermNames.
  struct Terms {
    Lanes<T> value[kTermCount];
  };

  // Positions [N] in nm; forces [N] in kJ/mol/nm are overwritten.
  Terms evaluate(const LaneVector<T>* positions, LaneVector<T>* forces, Scratch& scratch) const;

 private:
  template <bool kCutoff, bool kBorn>
  void evaluate_pairs(const LaneVector<T>* x, LaneVector<T>* force, Scratch& scratch,
                      Terms& terms) const;

  int atom_count_;
  bool has_cutoff_;
  std::vector<LaneBond<T>> bonds_;
  std::vector<LaneAngle<T>> angles_;
  std::vector<LaneTorsion<T>> torsions_;
  LanePairs<T> pairs_;
  LaneBorn<T> born_;
};

}  // namespace arbg::md
