// Conformations on disk together with what they are of: a run folder made by `arbg md`, or a
// published data set.
//
// topology.pdb, positions.npy [frames, N, 3] nm, energy.npy [frames] in kT, run.json. Frame f of an
// md run belongs to independent replica f % replicas (see md/dynamics/simulation.h).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "md/files/pdb.h"
#include "md/molecule/system.h"
#include "md/molecule/topology.h"
#include "sampling/evaluation/ensembles.h"
#include "tensor/base/ranks.h"

namespace arbg::apps {

struct Dataset {
  md::Topology topology;
  std::string topology_pdb;  // the file's text
  std::string forcefield;
  double temperature_kelvin = 0;
  std::int64_t replicas = 1;
  std::vector<double> positions_nm;    // [frames, N, 3]
  std::vector<double> reduced_energy;  // [frames], or empty if the folder has no energy.npy

  std::int64_t frames() const;
  sampling::ReferenceEnsemble ensemble() const {
    return {topology, replicas, positions_nm, reduced_energy};
  }

  // Frames [first, first + count) as a data set of their own.
  Dataset part(std::int64_t first, std::int64_t count) const;

  // Brings the atoms into the order of `molecule`, by their names; `where` is this data set's name.
  // True if any atom changed its place. Throws Error naming the first atom that does not match.
  bool reorder(const md::Topology& molecule, const std::string& where);
};

// What published data sets are of.
inline constexpr const char* kForceFieldOfPublished = "amber14-obc1";

// `path` is a run folder, or a published file SEQUENCE_TEMPERATUREK_SPLIT.npy (AAA_310K_train.npy;
// or .npz, with an array `positions`) of frames [frames, N, 3] in nm: its atoms in the order of
// AAA_310K.pdb or AAA.pdb beside it, or of arbg build if there is neither, which is said on
// standard error; its energies those of `forcefield`, one replica. Throws Error naming the file and
// what is wrong with it: missing, other atoms, bonds of another length than the force field's
// (order or unit of the atoms), a frame with a number that is not finite, with all atoms at one
// place, or with a D residue. Ranks that call it together share the energies that it computes.
Dataset load_dataset(const std::filesystem::path& path,
                     const std::string& forcefield = kForceFieldOfPublished,
                     const Ranks& ranks = Ranks::alone());

// A PDB file; what its reader left out (alternate locations), and a gap in the chain of its first
// model, are said on standard error.
md::Pdb load_pdb(const std::filesystem::path& path);

// Positions [frames, N, 3] in nm from a .npy, .npz (array `positions`) or .dcd file, by its ending.
// Throws Error if the shape is another, or names the first frame that is no conformation
// (md/molecule/structure_check.h). What a reader left out is said on standard error.
std::vector<double> load_positions(const std::filesystem::path& path, int atoms);

// The same of a given molecule, in the order of its atoms: if a PDB file beside the trajectory
// (md/files/trajectory_order.h) has another, they are matched by names, which is said. Where that
// file is no topology.pdb of a run of our own, the lengths of the bonds are checked; otherwise
// their unit.
std::vector<double> load_trajectory(const std::filesystem::path& path, const md::Topology& topology,
                                    const md::System& system);

// u = E/(RT) of conformations [B, N, 3] by this force field, whatever their hands. Together, at
// every rank: the ranks share the conformations.
std::vector<double> reduced_energies(const md::System& system, std::span<const double> positions_nm,
                                     double temperature_kelvin,
                                     const Ranks& ranks = Ranks::alone());

// Throws Error naming the first of the frames [frames, N, 3] of `path` that is no conformation.
void require_conformations(std::span<const double> positions_nm, int atoms,
                           const std::filesystem::path& path);

}  // namespace arbg::apps
