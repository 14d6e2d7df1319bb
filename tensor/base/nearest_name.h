// Which of several names was meant: for "did you mean".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace arbg {

// Letters to add, take away or replace to make one of the other (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The name most like `word`, the first of equals, or "" if none is within three letters of it.
std::string nearest_name(std::string_view word, std::span<const std::string> names);

}  // namespace arbg
