#include "tensor/base/quoted.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace arbg {

TEST_SUITE("fast") {
  TEST_CASE("whatever a file holds, a message quotes one short line of printable ASCII") {
    const auto quoted = [](std::string_view text) {
      std::ostringstream out;
      out << Quoted(text);
      return out.str();
    };
    CHECK(quoted("") == "''");
    CHECK(quoted("  1.5x") == "'  1.5x'");
    CHECK(quoted(std::string_view("a\n\x1b[3\0\xff", 7)) == "'a\\x0a\\x1b[3\\x00\\xff'");
    CHECK(quoted(std::string(40, 'x')) == "'" + std::string(40, 'x') + "'");
    CHECK(quoted(std::string(41, 'x')) == "'" + std::string(40, 'x') + "...'");
  }
}

}  // namespace arbg
