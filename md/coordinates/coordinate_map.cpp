#include "md/coordinates/coordinate_map.h"

#include <algorithm>

#include "md/coordinates/cartesian_map.h"
#include "md/coordinates/internal_map.h"
#include "tensor/base/error.h"

namespace arbg::md {

std::unique_ptr<CoordinateMap> CoordinateMap::from_json(const Json& json) {
  const std::string& name = json.at("name").string();
  if (name == "cartesian") return CartesianMap::from_json(json);
  if (name == "internal") return InternalMap::from_json(json);
  fail("expected a coordinate map named cartesian or internal, found ", name);
}

int CoordinateMap::coordinates_of_first(int atoms) const {
  return static_cast<int>(
      std::ranges::count_if(coordinates_, [&](const Coordinate& c) { return c.order < atoms; }));
}

}  // namespace arbg::md
