#include "md/coordinate_map.h"

#include "md/cartesian_map.h"
#include "md/internal_map.h"
#include "tensor/base/error.h"

namespace arbg::md {

std::unique_ptr<CoordinateMap> CoordinateMap::from_json(const Json& json) {
  const std::string& name = json.at("name").string();
  if (name == "cartesian") return CartesianMap::from_json(json);
  if (name == "internal") return InternalMap::from_json(json);
  fail("expected a coordinate map named cartesian or internal, found ", name);
}

}  // namespace arbg::md
