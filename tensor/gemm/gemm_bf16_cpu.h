// Products of matrices on the CPU whose operands are rounded to bf16, to nearest, ties to even;
// sums and results are float32. As gemm_cpu.h in all else: the same bits whatever M, N and the
// thread count. Where the processor has AMX they are several times as fast (tiles_bf16.h),
// elsewhere slower.
#pragma once

#include "tensor/gemm/gemm_cpu.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

void gemm_bf16(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
               const MatrixView& b, float* c, bool accumulate);

// The same bits with a b that was packed once, for many products: pairs of bf16, as int32.
Tensor pack_matrix_bf16(std::int64_t N, std::int64_t K, const MatrixView& b);
void gemm_packed_bf16(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
                      const Tensor& packed, float* c, bool accumulate);

}  // namespace arbg::tensor
