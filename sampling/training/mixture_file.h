// A text file that describes a mixed data set: conformations of many molecules.
//
//   file = { line };   line = [ NAME TRAJECTORY TOPOLOGY [ WEIGHT ] ] [ "#" comment ]
//
// Fields are separated by blanks. NAME: a sequence ("AAA"), or any name if TOPOLOGY is a PDB file.
// TRAJECTORY: an .npy file [frames, N, 3] in nm (as published: AAA_310K_train.npy), or a folder of
// `arbg md`. TOPOLOGY: `built` (from the sequence NAME, in the order of `arbg build`), or a PDB
// file; the trajectory has this order too, unless a PDB file beside it (AAA_310K.pdb, AAA.pdb; a
// run's topology.pdb) has another: then atoms are matched by names. WEIGHT, 1 if not given: how
// often each conformation is visited, relative to the others.
// Paths are relative to the file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::sampling {

struct MixtureEntry {
  std::string name;
  std::filesystem::path trajectory;  // an .npy file, also where a folder was given
  std::filesystem::path topology;    // empty: built
  double weight = 1;
  std::string where;  // "FILE:LINE", for messages
};

// At least one, with different names. Throws Error as FILE:LINE: what was expected and found.
std::vector<MixtureEntry> read_mixture_file(const std::filesystem::path& path);
// The same from text already in memory; `name` stands for the path in messages.
std::vector<MixtureEntry> parse_mixture(std::string_view text, const std::filesystem::path& name);

}  // namespace arbg::sampling
