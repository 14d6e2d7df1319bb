// DCD trajectories, as CHARMM, NAMD, X-PLOR, OpenMM and VMD write them.
//
// Fortran records, each between two 4-byte lengths: "CORD" and 20 integers (places 0: frames, 8:
// fixed atoms, 10: frames have a unit cell, 11: a fourth dimension, 19: CHARMM version, 0 for
// X-PLOR), titles, the number of atoms; then for each frame the cell, if any, and x, y, z of all
// atoms, float32 in Angstrom. Either byte order is read. Unit cells are skipped: molecules must be
// whole. Refused by name: 64-bit lengths, velocities, fixed atoms, four dimensions, a file that
// holds another number of frames than it says (0: not said). Throws Error with the byte.
// Source: the CHARMM documentation, and the plugin reader of VMD as the practice.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::md {

// Positions [frames, N, 3] in nm of a molecule of `atoms` atoms.
std::vector<double> read_dcd(const std::filesystem::path& path, int atoms);

// The same from bytes already in memory; `name` stands for the path in messages.
std::vector<double> parse_dcd(std::string_view bytes, const std::string& name, int atoms);

// Positions [frames, N, 3] in nm, rounded to float32; little-endian, without unit cell. Throws
// Error if a number is not finite or the file cannot be written.
void write_dcd(const std::filesystem::path& path, int atoms, std::span<const double> positions_nm);

}  // namespace arbg::md
