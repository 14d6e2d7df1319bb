// A number for people: `digits` significant ones, without an exponent from 1e-4 up to 1e7, "n/a"
// for NaN, "inf" and "-inf" for infinities.
#pragma once

#include <string>

namespace arbg::metrics {

std::string format_number(double value, int digits = 4);

}  // namespace arbg::metrics
