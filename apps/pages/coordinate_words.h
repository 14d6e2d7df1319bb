// What a coordinate of a map is, in words: "φ of ALA2: dihedral C (ACE1)–N–CA–C (ALA2)".
#pragma once

#include <string>

#include "md/coordinates/coordinate_map.h"

namespace arbg::apps {

// The atom that is placed stands last. A phase turns from the sibling that is named.
std::string coordinate_words(const md::CoordinateMap& map, const md::Topology& topology,
                             std::int64_t coordinate);

// In one word: bond, angle, dihedral; x, y, z.
std::string coordinate_kind(const md::CoordinateMap& map, std::int64_t coordinate);

}  // namespace arbg::apps
