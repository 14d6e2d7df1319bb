// The header of a .npy file: magic, version, and a Python dictionary with number type and shape.
//
// Every header that NumPy reads is understood, whoever wrote it: keys in any order, blanks, either
// quotes, u'...', the 3L of Python 2.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace arbg {

struct NpyHeader {
  std::string dtype;  // "<f4"
  std::vector<std::int64_t> shape;
  std::int64_t elements = 1;
  std::size_t data_offset = 0;  // bytes of the header
};

// Of a file that begins with `bytes`. Throws Error with the path on anything malformed, and on
// column-major arrays.
NpyHeader parse_npy_header(std::string_view bytes, const std::filesystem::path& path);

}  // namespace arbg
