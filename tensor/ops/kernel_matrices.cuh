// Small matrices on tensor cores: a warp multiplies what its lanes hold together.
//
// A Pair is two numbers in bf16, neighbours, the first in the lower half. Of a product a b with
// a [16, 16] and b [16, 8] lane 4 r + c holds, r < 8, c < 4,
//
//   a[0], a[1]        row r and row r + 8, columns 2 c, 2 c + 1
//   a[2], a[3]        the same rows, columns 2 c + 8, 2 c + 9
//   b[0], b[1]        column r, rows 2 c, 2 c + 1 and rows 2 c + 8, 2 c + 9
//   sums[0], sums[1]  row r, columns 2 c, 2 c + 1, in float32
//   sums[2], sums[3]  row r + 8, the same columns
//
// so that the sums of two products, side by side, are a of the next once they are rounded. All
// lanes of a warp meet in each of these functions. Source: NVIDIA, "PTX ISA", mma.m16n8k16 and
// ldmatrix; devices of sm_80 and later.
#pragma once

#include <bit>

#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {

using Pair = std::uint32_t;

}  // namespace arbg::tensor::cuda

#if defined(__CUDACC__)

namespace arbg::tensor::cuda {

// Rounded to nearest, ties to even.
__device__ inline Pair pair_of(float first, float second) {
  Pair pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
}

// sums += a b
__device__ inline void multiply_add(float (&sums)[4], const Four<Pair>& a, const Two<Pair>& b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four matrices of 8 x 8 numbers: lane 8 m + r says where row r of matrix m begins, a multiple of
// 16 bytes. Lane 4 r + c gets of each matrix the numbers 2 c and 2 c + 1 of row r, or, of the
// transposed one, of column r.
template <bool transposed>
__device__ Four<Pair> load_matrices(const Shared<Pair>& from, int at) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(from + at));
  Four<Pair> x;
  if constexpr (transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3])
                 : "r"(address)
                 : "memory");
  }
  return x;
}

}  // namespace arbg::tensor::cuda

#else

#include <matrices.h>  // of tests/emulator

namespace arbg::tensor::cuda {

using emulator::pair_of;

inline void multiply_add(float (&sums)[4], const Four<Pair>& a, const Two<Pair>& b, ARBG_HERE) {
  emulator::multiply_add(sums, a.of, b.of, {file, line});
}
template <bool transposed>
Four<Pair> load_matrices(const Shared<Pair>& from, const emulator::Index& at) {
  Four<Pair> x;
  emulator::load_matrices(x.of, from, at, transposed);
  return x;
}

}  // namespace arbg::tensor::cuda

#endif

namespace arbg::tensor::cuda {

__host__ __device__ inline float first_of(Pair pair) { return std::bit_cast<float>(pair << 16U); }
__host__ __device__ inline float second_of(Pair pair) {
  return std::bit_cast<float>(pair & 0xFFFF0000U);
}

}  // namespace arbg::tensor::cuda
