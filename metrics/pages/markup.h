// Text made safe for HTML and SVG, and numbers written for them.
#pragma once

#include <string>
#include <string_view>

namespace arbg::metrics {

// & < > " ' as entities; bytes that are not valid UTF-8, and control characters other than newline
// and tab, become U+FFFD, so that any input leaves a well-formed document.
std::string escape_markup(std::string_view text);

// A coordinate with at most one decimal, without trailing zeros: "12.5", "-3"; far outside any
// drawing it is limited to 1e5.
std::string svg_number(double value);

// The parts one after the other.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string result;
  ((result += parts), ...);
  return result;
}

}  // namespace arbg::metrics
