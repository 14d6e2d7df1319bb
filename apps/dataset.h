// Conformations on disk together with what they are of: a run folder made by `arbg md`, or a
// published data set.
//
// topology.pdb, positions.npy [frames, N, 3] nm, energy.npy [frames] in kT, run.json. Frame f of an
// md run belongs to independent replica f % replicas (see md/simulation.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "md/pdb.h"
#include "md/topology.h"

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
  // How many of its last frames a share held out of training is: at most 4096.
  std::int64_t held_out(double share) const;

  // Frames [first, first + count) as a data set of their own.
  Dataset part(std::int64_t first, std::int64_t count) const;
};

// `path` is a run folder, or a published file SEQUENCE_TEMPERATUREK_SPLIT.npy (AAA_310K_train.npy)
// of frames [frames, N, 3] in nm: its atoms in the order of SEQUENCE.pdb beside it, or of arbg
// build if there is none, its energies those of `forcefield`, one replica. Throws Error naming the
// file and what is wrong with it (missing, other atom count or order, a number that is not finite).
Dataset load_dataset(const std::filesystem::path& path,
                     const std::string& forcefield = "amber14-obc1");

// A PDB file; what its reader left out (alternate locations) is said on standard error.
md::Pdb load_pdb(const std::filesystem::path& path);

// Positions [frames, N, 3] in nm from a .npy or .dcd file, by its ending, checked for shape and for
// finite numbers.
std::vector<double> load_positions(const std::filesystem::path& path, int atoms);

}  // namespace arbg::apps
