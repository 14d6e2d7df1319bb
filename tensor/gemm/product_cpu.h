// Products on the CPU in the precision that is set (precision.h): gemm() of float32, or of bf16.
#pragma once

#include "tensor/gemm/gemm_bf16_cpu.h"
#include "tensor/gemm/gemm_cpu.h"
#include "tensor/gemm/precision.h"

namespace arbg::tensor {

inline void product(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
                    const MatrixView& b, float* c, bool accumulate) {
  const bool bf16 = product_precision() == ProductPrecision::bf16;
  bf16 ? gemm_bf16(M, N, K, a, b, c, accumulate) : gemm(M, N, K, a, b, c, accumulate);
}

}  // namespace arbg::tensor
