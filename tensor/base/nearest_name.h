// Which of several names was meant: for "did you mean".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace arbg {

// Letters to add, take away or replace to make one of the other (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate at the smallest edit distance, the first of equals, or "" if none is like `name`:
// more than half of its letters would have to change.
std::string_view nearest_name(std::string_view name,
                              const std::vector<std::string_view>& candidates);

// "; the nearest name is \"X\"", or "".
std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace arbg
