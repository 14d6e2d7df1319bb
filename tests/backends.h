// The backends that tests go through.
#pragma once

#include <vector>

#include "tensor/base/backend.h"

namespace arbg {

// Those of backends_built() that work here, the reference first. One without its device is skipped:
// the case says so and why, and the end of the run how often that was (tests/main.cpp).
std::vector<Backend> backends_here();

int backends_skipped();  // so far

}  // namespace arbg
