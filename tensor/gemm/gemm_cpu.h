// Products of float32 matrices on the CPU: c = a b, or c += a b.
//
// a [M, K] and b [K, N] are views, one of whose strides is 1, so a transposed matrix is one like
// any other; c [M, N] is row-major. gemm() copies b, a block at a time, into panels as wide as a
// register tile. small_gemm() reads b in place, for matrices that are in the L1 cache already. The
// sum over k runs upwards in one float32 accumulator an element, a block of k at a time: the same
// bits whatever M, N and the thread count. Source of the scheme: Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication", TOMS 2008.
#pragma once

#include <cstdint>

namespace arbg::tensor {

// Element (i, j) is data[i * row_stride + j * column_stride].
struct MatrixView {
  const float* data;
  std::int64_t row_stride, column_stride;

  const float* at(std::int64_t i, std::int64_t j) const {
    return data + i * row_stride + j * column_stride;
  }
  MatrixView transposed() const { return {data, column_stride, row_stride}; }
};
inline MatrixView row_major(const float* data, std::int64_t columns) { return {data, columns, 1}; }

// c, contiguous. Outside parallel_for, large products use all threads.
void gemm(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a, const MatrixView& b,
          float* c, bool accumulate);

// The same bits with a b that was packed once, into packed_size() floats, for many products.
std::int64_t packed_size(std::int64_t K, std::int64_t N);
void pack_matrix(std::int64_t N, std::int64_t K, const MatrixView& b, float* packed);
void gemm_packed(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
                 const float* packed, float* c, bool accumulate);

// b's rows lie b_stride apart and must be readable up to N rounded up to 16; c's rows lie c_stride
// apart. One thread.
void small_gemm(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a, const float* b,
                std::int64_t b_stride, float* c, std::int64_t c_stride, bool accumulate);

// to [columns, rows] = the transpose of from [rows, columns], rows of both their stride apart.
void copy_transposed(const float* from, std::int64_t from_stride, std::int64_t rows,
                     std::int64_t columns, float* to, std::int64_t to_stride);

}  // namespace arbg::tensor
