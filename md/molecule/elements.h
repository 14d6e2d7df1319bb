// Chemical elements from hydrogen to bismuth, by atomic number and by mass.
#pragma once

#include <string_view>

namespace arbg::md {

// "H" for 1, "C" for 6; empty for a number that is not in the table.
std::string_view element_of_number(int atomic_number);

// The element of this mass, to a thousandth or 0.01 amu, which tells carbon from a nitrogen that
// has lent mass to its hydrogen; empty if there is none.
std::string_view element_of_mass(double mass_amu);

}  // namespace arbg::md
