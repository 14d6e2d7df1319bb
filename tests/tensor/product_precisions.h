// Setting the precision of matrix products for as long as a test lasts.
#pragma once

#include "tensor/gemm/precision.h"

namespace arbg::tensor::test {

class WithPrecision {
 public:
  explicit WithPrecision(ProductPrecision precision) { set_product_precision(precision); }
  ~WithPrecision() { set_product_precision(before_); }
  WithPrecision(const WithPrecision&) = delete;
  WithPrecision& operator=(const WithPrecision&) = delete;

 private:
  ProductPrecision before_ = product_precision();
};

}  // namespace arbg::tensor::test
