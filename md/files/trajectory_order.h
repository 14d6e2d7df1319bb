// In which order a trajectory has its atoms: their names are in a PDB file beside it.
//
// A molecule that is the same may have its atoms in another order there than here (heavy atoms
// first, caps begun by C). Atoms are matched by residue, counted along the chain, and name.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::md {

// SEQUENCE_TEMPERATUREK_SPLIT.npy or .npz, SPLIT being train, val or test.
struct PublishedName {
  std::string sequence, temperature_kelvin;  // "AAA", "310"

  std::string pdb() const { return sequence + "_" + temperature_kelvin + "K.pdb"; }
};
std::optional<PublishedName> published_name(const std::filesystem::path& trajectory);

// The PDB file that names a trajectory's atoms: topology.pdb beside positions.npy; AAA_310K.pdb, or
// else AAA.pdb, beside AAA_310K_train.npy. Empty if there is none.
std::filesystem::path pdb_beside(const std::filesystem::path& trajectory);

// Whether that file is the one a run of MD writes beside its trajectory.
bool is_of_run(const std::filesystem::path& pdb);

// order[i]: the atom of `from` that is atom i of `to`. Throws Error that names the first atom
// without a partner, or atoms that are bonded in one and not in the other.
std::vector<int> atom_order(const Topology& from, const Topology& to);

// Whether no atom changes its place.
bool is_same_order(std::span<const int> order);

// What to say of an order found in `pdb`; empty if it is of a run of MD and no atom moved.
std::string order_note(const std::filesystem::path& trajectory, const std::filesystem::path& pdb,
                       bool moved);

// Positions [frames, N, 3] with the atoms of every frame in that order.
std::vector<double> reordered(std::span<const double> positions, std::span<const int> order);

}  // namespace arbg::md
