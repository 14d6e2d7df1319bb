// Potential energy and forces of many conformations of one molecule: one System on one backend, its
// tables made once.
//
//   E(x) = bonds + angles + torsions (proper, improper) + nonbonded (LJ, Coulomb, 1-4 included)
//        + implicit solvent (generalised Born and surface)
//
// Positions [B, N, 3] in nm, energies in kJ/mol, forces -dE/dx [B, N, 3] in kJ/mol/nm, all double,
// row-major. Conformations are independent: the numbers of one do not depend on the others, on the
// batch size or on the number of threads.
//
// reference: plain loops, one conformation after the other: the truth. cpu: kLaneCount<double>
// conformations in SIMD lanes, groups of lanes in threads. cuda: a block of threads of the device
// for each; calls that come at the same time take turns.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "md/molecule/system.h"
#include "tensor/base/backend.h"

namespace arbg::md {

inline constexpr int kTermCount = 5;
inline constexpr const char* kTermNames[kTermCount] = {"bond", "angle", "torsion", "nonbonded",
                                                       "solvent"};

struct EnergyResult {
  std::vector<double> energy_kj_mol;     // [B]
  std::vector<double> terms_kj_mol;      // [B, 5], columns as kTermNames
  std::vector<double> forces_kj_mol_nm;  // [B, N, 3], or empty if not asked for
};

class EnergyEngine {
 public:
  // Throws Error if the system contradicts itself or this build lacks the backend. Copies are
  // cheap: they share system and tables.
  explicit EnergyEngine(System system, Backend backend = Backend::cpu);

  // Throws Error if the size of `positions` is not a multiple of 3N. NaN in, NaN out for that
  // conformation alone. Any number of threads may call it at a time: the tables are constant, and
  // what a call writes to beside its result belongs to its thread.
  EnergyResult evaluate(std::span<const double> positions_nm, bool with_forces) const;

  const System& system() const { return *system_; }
  Backend backend() const { return backend_; }

  // A backend's part, with its tables inside: fills in a result that has its sizes already, zeros
  // everywhere, and no forces if none are wanted. Concurrent calls are allowed.
  using Kernel = std::function<void(std::span<const double> positions_nm, EnergyResult& result)>;

 private:
  std::shared_ptr<const System> system_;
  Backend backend_;
  Kernel kernel_;
};

// engine_NAME, for engine.cpp alone.
EnergyEngine::Kernel engine_reference(std::shared_ptr<const System> system);
EnergyEngine::Kernel engine_lanes(const System& system);
EnergyEngine::Kernel engine_cuda(const System& system);  // of builds with CUDA

}  // namespace arbg::md
