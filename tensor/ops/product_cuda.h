// Matrix products of any size, in the precision that is set (gemm/precision.h).
//
// Of bf16 products the operands are rounded by a kernel into memory of the pool. On paper (H100,
// products at half of their peak): rounding an operand of n numbers moves 6 n bytes, and so takes
// 448 / N of the product's time for a [M, K], 448 / M for b [K, N]. Weights, whose M is a batch of
// thousands of rows, are rounded at each use for next to nothing; what costs are activations.
#pragma once

#include "tensor/gemm/gemm_cuda.h"

namespace arbg::tensor::cuda {

// x as an operand of products: itself, or its numbers rounded to bf16. For what several products
// read.
Tensor operand(const Tensor& x);

// c as in gemm_cuda.h. Operands are float32, or what operand() gave: if one is bf16, both become
// it.
void product(const Product& product, const Tensor& a, const Tensor& b, const Tensor& bias,
             Tensor& c);

}  // namespace arbg::tensor::cuda
