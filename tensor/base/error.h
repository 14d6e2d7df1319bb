// The one exception type of the project.
//
// A message is one sentence: what was expected, what was found, where (file and line of the input,
// byte offset, atom or tensor name), and what to do about it. apps/main prints it and exits with 1.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace arbg {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Memory of a device ran out: whoever knows what to make smaller says so.
class OutOfMemory : public Error {
 public:
  OutOfMemory(const std::string& text, std::size_t all) : Error(text), bytes_of_device(all) {}
  std::size_t bytes_of_device;
};

// Throws Error with the parts streamed one after the other: fail("expected ", n, " atoms").
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(message.str());
}

// Calls fail(parts...) unless the condition holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) fail(parts...);
}

}  // namespace arbg
