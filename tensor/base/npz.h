// NumPy's .npz files: ZIP archives with a .npy file for each array.
//
// Written by numpy.savez (stored) and savez_compressed (deflated), with the 64-bit sizes that they
// use. Members are found by the list at the archive's end; their checksum is checked. Refused by
// name: encryption, other compressions, archives in several parts.
// Source: APPNOTE.TXT of PKWARE, 6.3.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/base/npy.h"

namespace arbg {

// Names of the arrays, without ".npy". Throws Error with the path if it is no whole archive.
std::vector<std::string> npz_arrays(std::string_view bytes, const std::filesystem::path& path);

// The array of that name as double. Throws Error naming those there are if none has it, and as
// parse_npy does.
Array<double> parse_npz(std::string_view bytes, const std::string& name,
                        const std::filesystem::path& path);
Array<double> read_npz(const std::filesystem::path& path, const std::string& name);

}  // namespace arbg
