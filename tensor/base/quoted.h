// A piece of a file inside a message: fail(path, ": expected a number, found ", Quoted(text)).
//
// Files may hold anything, a message is one line for a terminal: bytes that are not printable ASCII
// are written as \x1b, and of a long text only the first 40 bytes (`most`), followed by "...".
#pragma once

#include <cstddef>
#include <ostream>
#include <string_view>

namespace arbg {

struct Quoted {
  std::string_view text;
  std::size_t most = 40;
  explicit Quoted(std::string_view bytes) : text(bytes) {}
};

std::ostream& operator<<(std::ostream& out, Quoted quoted);

}  // namespace arbg
