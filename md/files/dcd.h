// DCD trajectories, as CHARMM, NAMD, X-PLOR, OpenMM and VMD write them.
//
// Fortran records, each between two 4-byte lengths: "CORD" and 20 integers (places 0: frames, 8:
// fixed atoms, 10: frames have a unit cell, 11: a fourth dimension, 19: CHARMM version, 0 for
// X-PLOR), titles, the number of atoms; then for each frame the cell, if any, and x, y, z of all
// atoms, float32 in Angstrom. Either byte order is read. Unit cells are skipped: molecules must be
// whole. How many frames there are is what the file holds: programs write the header first, and are
// killed, or go on in the same file. Refused by name: 64-bit lengths, velocities, fixed atoms, four
// dimensions. Throws Error with the byte.
// Source: the CHARMM documentation, and the plugin reader of VMD as the practice.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::md {

struct Dcd {
  std::vector<double> positions_nm;  // [frames, N, 3]
  std::string note;  // one sentence for the user if the header states other frames, or empty
};

// Of a molecule of `atoms` atoms. A last frame that was cut is left out, which `note` says.
Dcd read_dcd(const std::filesystem::path& path, int atoms);

// The same from bytes already in memory; `name` stands for the path in messages.
Dcd parse_dcd(std::string_view bytes, const std::string& name, int atoms);

// Positions [frames, N, 3] in nm, rounded to float32; little-endian, without unit cell. Throws
// Error if a number is not finite or the file cannot be written.
void write_dcd(const std::filesystem::path& path, int atoms, std::span<const double> positions_nm);

}  // namespace arbg::md
