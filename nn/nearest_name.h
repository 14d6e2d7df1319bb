// What a name that nobody knows was probably meant to be, for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace arbg::nn {

// "; the nearest name is \"X\"", X the candidate at the smallest edit distance (Levenshtein), or ""
// if none is like it: more than half of its letters would have to change.
std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace arbg::nn
