#include "apps/runs/computed_by.h"

#include "tensor/gemm/precision.h"

namespace arbg::apps {

std::string products_of(Backend backend) {
  using tensor::ProductPrecision;
  return name_of(backend == Backend::cuda ? tensor::product_precision()
                                          : ProductPrecision::float32);
}

void add_computed_by(Json& run, Backend backend) {
  if (backend != Backend::cuda) return;
  run["backend"] = name_of(backend);
  run["products"] = products_of(backend);
}

}  // namespace arbg::apps
