// A field of a file without the blanks around it.
#pragma once

#include <string_view>

namespace arbg::md {

inline std::string_view trimmed(std::string_view field, std::string_view blanks = " ") {
  const std::size_t first = field.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return field.substr(first, field.find_last_not_of(blanks) - first + 1);
}

}  // namespace arbg::md
