// What a file is by its first bytes: for the refusal of one that is something else than expected.
#pragma once

#include <string>
#include <string_view>

namespace arbg {

// "a NetCDF file (AMBER's .nc)", or "" if the bytes are of no kind known here.
std::string_view kind_of_file(std::string_view first_bytes);

// "; it is a NetCDF file (AMBER's .nc)", to end a sentence with, or "".
std::string said_kind(std::string_view first_bytes);

}  // namespace arbg
