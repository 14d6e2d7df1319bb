#include "tensor/gemm/precision.h"

#include <atomic>

#include "tensor/base/error.h"

namespace arbg::tensor {
namespace {

std::atomic<ProductPrecision> the_precision{ProductPrecision::float32};

}  // namespace

const char* name_of(ProductPrecision precision) {
  switch (precision) {
    case ProductPrecision::float32:
      return "float32";
    case ProductPrecision::tf32:
      return "tf32";
    case ProductPrecision::bf16:
      return "bf16";
  }
  return "unknown";
}

ProductPrecision product_precision_named(std::string_view name) {
  for (const auto precision :
       {ProductPrecision::float32, ProductPrecision::tf32, ProductPrecision::bf16}) {
    if (name == name_of(precision)) return precision;
  }
  fail("matrix products have no precision named \"", name, "\"; choose float32, tf32 or bf16");
}

ProductPrecision product_precision() { return the_precision; }
void set_product_precision(ProductPrecision precision) { the_precision = precision; }

DType type_for(Readers readers, const Tensor& like) {
  const bool rounded = readers == Readers::products && like.backend() == Backend::cuda &&
                       product_precision() == ProductPrecision::bf16 && like.elements() % 4 == 0;
  return rounded ? DType::bf16 : like.dtype();
}

}  // namespace arbg::tensor
