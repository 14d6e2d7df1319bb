// The backends that tests go through.
#pragma once

#include <vector>

#include "tensor/base/backend.h"

namespace arbg {

// Those of backends_built() that work here, the reference first. One without its device is skipped:
// the case says so and why, and the end of the run how often that was (tests/main.cpp).
std::vector<Backend> backends_here();

bool is_here(Backend backend);  // one of these
bool is_built(Backend backend);
bool is_slow(Backend backend);  // plain loops, or an emulated device: fewer steps will do
int backends_skipped();         // so far

}  // namespace arbg
