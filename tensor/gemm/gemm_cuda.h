// One matrix product on a CUDA device, by cuBLASLt.
//
// c [M, N] = op(a) op(b), plus what c holds, plus a bias in every row; all row-major and
// contiguous. None of M, N, K is 0; c overlaps with neither a nor b. a and b are both float32 or
// both bf16, c and bias float32. Asked for on the stream, so it can be part of a graph; the first
// product of its kind looks for an algorithm on the host. The same bits each time on one device.
//
// Unless a is transposed, a row of c has the same bits alone and in a batch of any size: the
// algorithm is that for many rows, whatever M is, sums over K are not split, and what is assumed of
// addresses holds for every row. (Should the library refuse that algorithm for few rows, they get
// their own.) Throws Error if the library refuses all. Operations call product()
// (product_cuda.h).
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace arbg::tensor::cuda {

struct Product {
  std::int64_t M, N, K;
  bool transpose_a = false;  // a is [K, M], else [M, K]
  bool transpose_b = false;  // b is [N, K], else [K, N]
  bool accumulate = false;   // to what c holds

  auto operator<=>(const Product&) const = default;
};

// Of float32 operands, tf32 only if asked for. An undefined bias is none.
void gemm(const Product& product, bool tf32, const Tensor& a, const Tensor& b, const Tensor& bias,
          Tensor& c);

}  // namespace arbg::tensor::cuda
