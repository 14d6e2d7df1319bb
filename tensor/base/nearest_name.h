// Which of several names was meant: for "did you mean".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arbg {

// Letters to add, take away or replace to make one of the other (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

// "; the nearest name is \"X\"", X the candidate at the smallest edit distance, or "" if none is
// like it: more than half of its letters would have to change.
std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& candidates);

// The name most like `word`, the first of equals, or "" if none is within three letters of it.
std::string nearest_name(std::string_view word, std::span<const std::string> names);

}  // namespace arbg
