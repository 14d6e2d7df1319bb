// What of the machinery a run's numbers depend on beyond rounding that all share: the backend cuda,
// and its products. Runs of the others say nothing.
#pragma once

#include "tensor/base/backend.h"
#include "tensor/base/json.h"

namespace arbg::apps {

// Adds "backend" and "products" (tensor/gemm/precision.h) of a network on cuda.
void add_computed_by(Json& run, Backend backend);

// The products of a network on that backend, as --products names them.
std::string products_of(Backend backend);

}  // namespace arbg::apps
