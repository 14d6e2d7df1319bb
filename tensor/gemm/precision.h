// In which precision the matrix products of cpu and cuda are computed; one for the whole program.
//
// float32: in full. bf16: products of operands with 7 bits behind the leading one instead of 23,
// rounded to nearest even. tf32: with 10 bits; of cuda alone, the cpu computes in full then. Sums
// and results are float32 always. With bf16 attention on cuda is of bf16, too, where a backward
// follows; where none does, in likelihoods and draws, and on the cpu, it is float32. Set before the
// first product: a graph (repeated.h) and a packed weight keep what they were made with.
#pragma once

#include <string_view>

#include "tensor/tensor.h"

namespace arbg::tensor {

enum class ProductPrecision { float32, tf32, bf16 };

const char* name_of(ProductPrecision precision);
ProductPrecision product_precision_named(std::string_view name);  // throws Error with all names

ProductPrecision product_precision();  // float32 unless set
void set_product_precision(ProductPrecision precision);

// Who reads a result: anybody, or products alone. What products alone read may be stored as they
// read it, bf16 on cuda if that is their precision: half of the bytes, not rounded at each use, and
// no bit of any product changes.
enum class Readers { all, products };

// The number type of such a result, where `like` is in full; bf16 only of a multiple of four
// numbers.
DType type_for(Readers readers, const Tensor& like);

// Sets it for as long as one of these lives.
class WithPrecision {
 public:
  explicit WithPrecision(ProductPrecision precision) { set_product_precision(precision); }
  ~WithPrecision() { set_product_precision(before_); }
  WithPrecision(const WithPrecision&) = delete;
  WithPrecision& operator=(const WithPrecision&) = delete;

 private:
  ProductPrecision before_ = product_precision();
};

}  // namespace arbg::tensor
