// The main() of every test executable: skipped is not passed, so it says how much was skipped.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <iostream>

#include "tests/backends.h"

int main(int argument_count, char** arguments) {
  const int status = doctest::Context(argument_count, arguments).run();
  if (const int skipped = arbg::backends_skipped(); skipped > 0)
    std::cout << "SKIPPED: a backend without its device, " << skipped << " times\n";
  return status;
}
