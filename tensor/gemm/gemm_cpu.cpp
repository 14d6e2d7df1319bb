#include "tensor/gemm/gemm_cpu.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tensor/base/simd.h"
#include "tensor/base/threads.h"
#include "tensor/tensor.h"

namespace arbg::tensor {
namespace {

// A tile of c stays in registers while k runs: 24 sums of the 32 registers of AVX-512 and NEON, 12
// of the 16 of AVX2 and SSE; the others hold a row of b and a number of a.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTileVectors = 4;
#else
constexpr int kTileVectors = 2;
#endif
constexpr int kTileRows = 6;
using Vector = Lanes<float>;
constexpr int kVector = kLaneCount<float>;
constexpr std::int64_t kTileColumns = kTileVectors * kVector;

// A block of b, kBlockK x kBlockN floats, is packed at once and stays in the L2 cache.
constexpr std::int64_t kBlockK = 256, kBlockN = 512;
constexpr std::int64_t kRowsATask = 16 * kTileRows;
constexpr std::int64_t kSmallestParallelWork = std::int64_t{1} << 21;  // multiply-adds

struct TileTask {
  std::int64_t K;
  const float* a;
  std::int64_t a_row, a_column;
  const float* b;
  std::int64_t b_row;
  float* c;
  std::int64_t c_row, columns;  // columns of c that exist; b has all of the tile's
  bool accumulate;
};

// The last vector of a tile may hang over the edge of c.
[[gnu::noinline]] void store_part(float* c, const Vector& sum, std::int64_t columns,
                                  bool accumulate) {
  float sums[kVector];
  std::memcpy(sums, &sum, sizeof sums);
  for (std::int64_t i = 0; i < columns; ++i) c[i] = accumulate ? c[i] + sums[i] : sums[i];
}

template <int R, int V>
void run_tile(const TileTask& task) {
  const TileTask t = task;
  Vector sum[R][V];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] = Vector{};
  }
  // c is read or written last: by then it has come.
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) __builtin_prefetch(t.c + r * t.c_row + v * kVector, 1);
  }
  // Unrolling over k as well would make clang spill the sums.
#pragma GCC unroll 1
  for (std::int64_t k = 0; k < t.K; ++k) {
    Vector b[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) std::memcpy(&b[v], t.b + k * t.b_row + v * kVector, sizeof(Vector));
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const float a = t.a[r * t.a_row + k * t.a_column];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[r][v] += a * b[v];
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      float* c = t.c + r * t.c_row + v * kVector;
      Vector value = sum[r][v];
      if (v == V - 1 && V * kVector > t.columns) {
        store_part(c, value, t.columns - v * kVector, t.accumulate);
        continue;
      }
      if (t.accumulate) {
        Vector before;
        std::memcpy(&before, c, sizeof before);
        value += before;
      }
      std::memcpy(c, &value, sizeof value);
    }
  }
}

// kTiles[(rows - 1) * kTileVectors + vectors - 1]
template <std::size_t... I>
constexpr auto make_tiles(std::index_sequence<I...>) {
  return std::array{
      &run_tile<static_cast<int>(I) / kTileVectors + 1, static_cast<int>(I) % kTileVectors + 1>...};
}
constexpr auto kTiles = make_tiles(std::make_index_sequence<kTileRows * kTileVectors>());

void run_tile_of(std::int64_t rows, const TileTask& task) {
  const std::int64_t vectors = (task.columns + kVector - 1) / kVector;
  kTiles[static_cast<std::size_t>((rows - 1) * kTileVectors + vectors - 1)](task);
}

// Lanes whose number has the bit S set change places between a (their partner's row) and b.
template <int S, std::size_t... I>
void exchange(Vector& a, Vector& b, std::index_sequence<I...>) {
  const Vector first = __builtin_shufflevector(a, b, (I & S ? kVector + (I ^ S) : I)...);
  b = __builtin_shufflevector(a, b, (I & S ? kVector + I : I ^ S)...);
  a = first;
}

// One stage of the transpose of a square of registers: all blocks of S x S off the diagonal of
// their 2 S x 2 S.
template <int S>
void exchange_blocks(Vector (&x)[kVector]) {
  if constexpr (S < kVector) {
#pragma GCC unroll 16
    for (int i = 0; i < kVector; ++i) {
      if ((i & S) == 0) exchange<S>(x[i], x[i | S], std::make_index_sequence<kVector>());
    }
    exchange_blocks<2 * S>(x);
  }
}

void copy_square_transposed(const float* from, std::int64_t from_stride, float* to,
                            std::int64_t to_stride) {
  Vector x[kVector];
#pragma GCC unroll 16
  for (int i = 0; i < kVector; ++i) std::memcpy(&x[i], from + i * from_stride, sizeof(Vector));
  exchange_blocks<1>(x);
#pragma GCC unroll 16
  for (int i = 0; i < kVector; ++i) std::memcpy(to + i * to_stride, &x[i], sizeof(Vector));
}

// The columns of b one tile-wide panel after the other; each has K rows of whole vectors, zeros
// behind the last column.
void pack(const MatrixView& b, std::int64_t K, std::int64_t N, float* packed) {
  for (std::int64_t n = 0; n < N; n += kTileColumns) {
    const std::int64_t columns = std::min(kTileColumns, N - n);
    const std::int64_t width = (columns + kVector - 1) / kVector * kVector;
    if (b.column_stride == 1) {
      for (std::int64_t k = 0; k < K; ++k) std::copy_n(b.at(k, n), columns, packed + k * width);
    } else {
      copy_transposed(b.at(0, n), b.column_stride, columns, K, packed, width);
    }
    for (std::int64_t k = 0; k < K && columns < width; ++k) {
      std::fill(packed + k * width + columns, packed + (k + 1) * width, 0.0f);
    }
    packed += K * width;
  }
}

// Part of b: rows k ... k + depth, columns n ... n + columns.
struct Block {
  std::int64_t k, depth, n, columns;
  std::int64_t size() const {  // floats when packed
    return depth * ((columns + kVector - 1) / kVector * kVector);
  }
};

// All of b [K, N], in the order in which blocks are packed and multiplied.
template <class Body>
void for_blocks(std::int64_t N, std::int64_t K, const Body& body) {
  for (std::int64_t n = 0; n < N; n += kBlockN) {
    for (std::int64_t k = 0; k < K; k += kBlockK)
      body(Block{k, std::min(kBlockK, K - k), n, std::min(kBlockN, N - n)});
  }
}

// Rows of c times one block of b: packed panels (b_row = 0), or a single panel in place, its rows
// b_row apart.
void multiply_block(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
                    const float* b, std::int64_t b_row, float* c, std::int64_t c_row,
                    bool accumulate) {
  for (std::int64_t n = 0; n < N; n += kTileColumns) {
    const std::int64_t columns = std::min(kTileColumns, N - n);
    const std::int64_t width = (columns + kVector - 1) / kVector * kVector;
    for (std::int64_t m = 0; m < M; m += kTileRows) {
      run_tile_of(std::min<std::int64_t>(kTileRows, M - m),
                  {K, a.at(m, 0), a.row_stride, a.column_stride, b, b_row > 0 ? b_row : width,
                   c + m * c_row + n, c_row, columns, accumulate});
    }
    b += K * width;
  }
}

// All rows of c [M, N] times one block of b, in parallel where that pays.
void multiply_rows(std::int64_t M, std::int64_t N, const Block& block, const MatrixView& a,
                   const float* panels, std::int64_t b_row, float* c, bool accumulate) {
  const std::int64_t rows_a_task =
      M * N * block.depth < kSmallestParallelWork ? std::max<std::int64_t>(M, 1) : kRowsATask;
  parallel_for((M + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
    const std::int64_t m = task * rows_a_task;
    multiply_block(std::min(rows_a_task, M - m), block.columns, block.depth,
                   {a.at(m, block.k), a.row_stride, a.column_stride}, panels, b_row,
                   c + m * N + block.n, N, accumulate || block.k > 0);
  });
}

}  // namespace

void copy_transposed(const float* from, std::int64_t from_stride, std::int64_t rows,
                     std::int64_t columns, float* to, std::int64_t to_stride) {
  for (std::int64_t i = 0; i < rows; i += kVector) {
    for (std::int64_t j = 0; j < columns; j += kVector) {
      const std::int64_t height = std::min<std::int64_t>(kVector, rows - i);
      const std::int64_t width = std::min<std::int64_t>(kVector, columns - j);
      const float* block = from + i * from_stride + j;
      float* out = to + j * to_stride + i;
      if (height == kVector && width == kVector) {
        copy_square_transposed(block, from_stride, out, to_stride);
        continue;
      }
      for (std::int64_t r = 0; r < height; ++r) {
        for (std::int64_t s = 0; s < width; ++s)
          out[s * to_stride + r] = block[r * from_stride + s];
      }
    }
  }
}

void gemm(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a, const MatrixView& b,
          float* c, bool accumulate) {
  if (M == 0 || N == 0) return;
  if (K == 0 && !accumulate) std::fill_n(c, M * N, 0.0f);
  const bool in_place = b.column_stride == 1 && N <= kTileColumns && N % kVector == 0;
  for_blocks(N, K, [&](const Block& block) {
    const MatrixView part{b.at(block.k, block.n), b.row_stride, b.column_stride};
    Tensor workspace = Tensor::empty({in_place ? 0 : block.size()}, DType::f32, Backend::cpu);
    if (!in_place) pack(part, block.depth, block.columns, workspace.host_data<float>());
    multiply_rows(M, N, block, a, in_place ? part.data : workspace.host_data<float>(),
                  in_place ? b.row_stride : 0, c, accumulate);
  });
}

std::int64_t packed_size(std::int64_t K, std::int64_t N) {
  std::int64_t size = 0;
  for_blocks(N, K, [&](const Block& block) { size += block.size(); });
  return size;
}

void pack_matrix(std::int64_t N, std::int64_t K, const MatrixView& b, float* packed) {
  for_blocks(N, K, [&](const Block& block) {
    pack({b.at(block.k, block.n), b.row_stride, b.column_stride}, block.depth, block.columns,
         packed);
    packed += block.size();
  });
}

void gemm_packed(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
                 const float* packed, float* c, bool accumulate) {
  if (K == 0 && !accumulate) std::fill_n(c, M * N, 0.0f);
  for_blocks(N, K, [&](const Block& block) {
    multiply_rows(M, N, block, a, packed, 0, c, accumulate);
    packed += block.size();
  });
}

void small_gemm(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a, const float* b,
                std::int64_t b_stride, float* c, std::int64_t c_stride, bool accumulate) {
  for (std::int64_t m = 0; m < M; m += kTileRows) {
    for (std::int64_t n = 0; n < N; n += kTileColumns) {
      run_tile_of(std::min<std::int64_t>(kTileRows, M - m),
                  {K, a.at(m, 0), a.row_stride, a.column_stride, b + n, b_stride,
                   c + m * c_stride + n, c_stride, std::min(kTileColumns, N - n), accumulate});
    }
  }
}

}  // namespace arbg::tensor
