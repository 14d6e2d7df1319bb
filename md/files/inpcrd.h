// AMBER's coordinate files (inpcrd, rst7): one conformation.
//
// A title, the number of atoms (and a time), then x y z of the atoms in Angstrom, six numbers of 12
// columns a line; velocities may follow and are skipped. A periodic box and the binary NetCDF form
// are refused by name. Throws Error as PATH:LINE: what was expected and found.
// Source of the format: ambermd.org/FileFormats.php, "AMBER coordinate/restart file".
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::md {

// Positions [N, 3] in nm of a molecule of `atoms` atoms.
std::vector<double> read_inpcrd(const std::filesystem::path& path, int atoms);

// The same from text already in memory; `name` stands for the path in messages.
std::vector<double> parse_inpcrd(std::string_view text, const std::string& name, int atoms);

}  // namespace arbg::md
