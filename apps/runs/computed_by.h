// What of the machinery a run's numbers depend on beyond rounding that all share: the backend cuda,
// and the precision of products. Runs of the others in float32 say nothing.
#pragma once

#include "tensor/base/backend.h"
#include "tensor/base/json.h"

namespace arbg::apps {

// Adds "backend" of a network on cuda, and its "products" (tensor/gemm/precision.h) if they are not
// float32 or on cuda.
void add_computed_by(Json& run, Backend backend);

// The products of a network on that backend, as --products names them.
std::string products_of(Backend backend);

}  // namespace arbg::apps
