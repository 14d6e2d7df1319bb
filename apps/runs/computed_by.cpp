#include "apps/runs/computed_by.h"

#include "tensor/gemm/precision.h"

namespace arbg::apps {

std::string products_of(Backend backend) {
  using tensor::ProductPrecision;
  const ProductPrecision set = tensor::product_precision();
  const bool counts =
      backend == Backend::cuda || (backend == Backend::cpu && set == ProductPrecision::bf16);
  return name_of(counts ? set : ProductPrecision::float32);
}

void add_computed_by(Json& run, Backend backend) {
  const std::string products = products_of(backend);
  if (backend == Backend::cuda) run["backend"] = name_of(backend);
  if (backend == Backend::cuda || products != name_of(tensor::ProductPrecision::float32))
    run["products"] = products;
}

}  // namespace arbg::apps
