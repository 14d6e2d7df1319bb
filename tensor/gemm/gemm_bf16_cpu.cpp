#include "tensor/gemm/gemm_bf16_cpu.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tensor/base/simd.h"
#include "tensor/base/threads.h"
#include "tensor/gemm/tiles_bf16.h"

namespace arbg::tensor {
namespace {

constexpr std::int64_t kVector = kLaneCount<float>;
using Bits __attribute__((vector_size(kLaneBytes))) = std::uint32_t;
using Halves __attribute__((vector_size(kLaneBytes / 2))) = std::uint16_t;

// A block of b, kBlockK x kBlockN numbers, is packed at once and stays in the L2 cache, as do the
// rows of a that a task packs for it.
constexpr std::int64_t kBlockK = 512, kBlockN = 512, kRowsATask = 128;
constexpr std::int64_t kSmallestParallelWork = std::int64_t{1} << 23;  // multiply-adds
constexpr std::int64_t kPanel = 2 * kTileSide;  // rows of a, columns of b that are read at a time

std::int64_t tiles(std::int64_t count, std::int64_t side) { return (count + side - 1) / side; }

// A tensor of int32 holds pairs of bf16.
std::uint32_t* pairs_of(Tensor& pairs) {
  return reinterpret_cast<std::uint32_t*>(pairs.host_data<std::int32_t>());
}
const std::uint32_t* pairs_of(const Tensor& pairs) {
  return reinterpret_cast<const std::uint32_t*>(pairs.host_data<std::int32_t>());
}

// Float32 numbers whose upper halves are x's in bf16; the lower halves are to be dropped.
Bits rounded(const float* from) {
  Bits x;
  std::memcpy(&x, from, sizeof x);
  const Bits up = x + 0x7fffu + ((x >> 16) & 1u);
  const auto is_nan = (x & 0x7fffffffu) > 0x7f800000u;
  return is_nan ? x | 0x00400000u : up;
}

// pairs[i][k / 2] of a row-major block x [16, 32], rows `stride` apart.
void round_along_rows(const float* x, std::int64_t stride, std::uint32_t* pairs) {
  for (std::int64_t i = 0; i < kTileSide; ++i) {
    for (std::int64_t k = 0; k < kTileDepth; k += kVector) {
      const auto halves = __builtin_convertvector(rounded(x + i * stride + k) >> 16, Halves);
      std::memcpy(pairs + i * kTileSide + k / 2, &halves, sizeof halves);
    }
  }
}

// pairs[k / 2][i] of a row-major block x [32, 16].
void round_across_rows(const float* x, std::int64_t stride, std::uint32_t* pairs) {
  for (std::int64_t k = 0; k < kTileDepth; k += 2) {
    for (std::int64_t i = 0; i < kTileSide; i += kVector) {
      const Bits pair =
          (rounded(x + k * stride + i) >> 16) | (rounded(x + (k + 1) * stride + i) & 0xffff0000u);
      std::memcpy(pairs + k / 2 * kTileSide + i, &pair, sizeof pair);
    }
  }
}

// In place, of a square of pairs; only their bits are moved.
void transpose_tile(std::uint32_t* pairs) {
  float from[kPairsOfTile], to[kPairsOfTile];
  std::memcpy(from, pairs, sizeof from);
  copy_transposed(from, kTileSide, kTileSide, kTileSide, to, kTileSide);
  std::memcpy(pairs, to, sizeof to);
}

enum class Order { by_row, by_depth };  // a's pairs are [row][k / 2], b's [k / 2][column]

// One tile of x [rows, depth], of which only so many rows and k are there: zeros for the others.
void pack_tile(const MatrixView& x, std::int64_t rows, std::int64_t depth, Order order,
               std::uint32_t* pairs) {
  const bool along = x.column_stride == 1;
  const float* data = x.data;
  std::int64_t stride = along ? x.row_stride : x.column_stride;
  float part[kTileSide * kTileDepth];
  if (rows < kTileSide || depth < kTileDepth) {
    std::fill_n(part, kTileSide * kTileDepth, 0.0f);
    const std::int64_t width = along ? kTileDepth : kTileSide;
    for (std::int64_t i = 0; i < (along ? rows : depth); ++i)
      std::copy_n(data + i * stride, along ? depth : rows, part + i * width);
    data = part;
    stride = width;
  }
  along ? round_along_rows(data, stride, pairs) : round_across_rows(data, stride, pairs);
  if (along != (order == Order::by_row)) transpose_tile(pairs);
}

// x [rows, depth] panel by panel: of each, for every 32 of k, its tiles.
void pack(const MatrixView& x, std::int64_t rows, std::int64_t depth, Order order,
          std::uint32_t* pairs) {
  for (std::int64_t panel = 0; panel < rows; panel += kPanel) {
    const std::int64_t end = std::min(rows, panel + kPanel);
    for (std::int64_t k = 0; k < depth; k += kTileDepth) {
      for (std::int64_t i = panel; i < end; i += kTileSide, pairs += kPairsOfTile) {
        pack_tile({x.at(i, k), x.row_stride, x.column_stride}, std::min(kTileSide, end - i),
                  std::min(kTileDepth, depth - k), order, pairs);
      }
    }
  }
}

std::int64_t pair_count(std::int64_t rows, std::int64_t depth) {
  return tiles(rows, kTileSide) * tiles(depth, kTileDepth) * kPairsOfTile;
}

// Part of b: rows k ... k + depth, columns n ... n + columns.
struct Block {
  std::int64_t k, depth, n, columns;
  std::int64_t pairs() const { return pair_count(columns, depth); }
  MatrixView of(const MatrixView& b) const { return {b.at(k, n), b.row_stride, b.column_stride}; }
};

template <class Body>
void for_blocks(std::int64_t N, std::int64_t K, const Body& body) {
  for (std::int64_t n = 0; n < N; n += kBlockN) {
    for (std::int64_t k = 0; k < K; k += kBlockK)
      body(Block{k, std::min(kBlockK, K - k), n, std::min(kBlockN, N - n)});
  }
}

// A panel that hangs over the edge of c, by way of a whole one.
void multiply_at_edge(const TileMultiplier& multiply, TilesTask task, std::int64_t rows,
                      std::int64_t columns) {
  float whole[kPanel * kPanel] = {};
  float* c = task.c;
  for (std::int64_t m = 0; m < rows && task.accumulate; ++m)
    std::copy_n(c + m * task.c_stride, columns, whole + m * kPanel);
  const std::int64_t stride = task.c_stride;
  task.c = whole;
  task.c_stride = kPanel;
  multiply(task);
  for (std::int64_t m = 0; m < rows; ++m) std::copy_n(whole + m * kPanel, columns, c + m * stride);
}

// Rows of c, c_stride apart, times one packed block of b.
void multiply_block(std::int64_t M, const Block& block, const MatrixView& a, const std::uint32_t* b,
                    float* c, std::int64_t c_stride, bool accumulate) {
  const std::int64_t depth_tiles = tiles(block.depth, kTileDepth);
  Tensor workspace = Tensor::empty({pair_count(M, block.depth)}, DType::i32, Backend::cpu);
  std::uint32_t* packed = pairs_of(workspace);
  pack(a, M, block.depth, Order::by_row, packed);
  const TileMultiplier multiply;
  for (std::int64_t m = 0; m < M; m += kPanel) {
    const std::int64_t rows = std::min(kPanel, M - m);
    for (std::int64_t n = 0; n < block.columns; n += kPanel) {
      const std::int64_t columns = std::min(kPanel, block.columns - n);
      const TilesTask task{tiles(rows, kTileSide),
                           tiles(columns, kTileSide),
                           depth_tiles,
                           packed + m / kTileSide * depth_tiles * kPairsOfTile,
                           b + n / kTileSide * depth_tiles * kPairsOfTile,
                           c + m * c_stride + n,
                           c_stride,
                           accumulate};
      if (rows % kTileSide == 0 && columns % kTileSide == 0)
        multiply(task);
      else
        multiply_at_edge(multiply, task, rows, columns);
    }
  }
}

void multiply_rows(std::int64_t M, std::int64_t N, const Block& block, const MatrixView& a,
                   const std::uint32_t* packed, float* c, bool accumulate) {
  const std::int64_t rows_a_task =
      M * N * block.depth < kSmallestParallelWork ? std::max<std::int64_t>(M, 1) : kRowsATask;
  parallel_for((M + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
    const std::int64_t m = task * rows_a_task;
    multiply_block(std::min(rows_a_task, M - m), block,
                   {a.at(m, block.k), a.row_stride, a.column_stride}, packed, c + m * N + block.n,
                   N, accumulate || block.k > 0);
  });
}

}  // namespace

void gemm_bf16(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
               const MatrixView& b, float* c, bool accumulate) {
  if (M == 0 || N == 0) return;
  if (K == 0 && !accumulate) std::fill_n(c, M * N, 0.0f);
  for_blocks(N, K, [&](const Block& block) {
    Tensor workspace = Tensor::empty({block.pairs()}, DType::i32, Backend::cpu);
    std::uint32_t* packed = pairs_of(workspace);
    pack(block.of(b).transposed(), block.columns, block.depth, Order::by_depth, packed);
    multiply_rows(M, N, block, a, packed, c, accumulate);
  });
}

Tensor pack_matrix_bf16(std::int64_t N, std::int64_t K, const MatrixView& b) {
  std::int64_t size = 0;
  for_blocks(N, K, [&](const Block& block) { size += block.pairs(); });
  Tensor packed = Tensor::empty({size}, DType::i32, Backend::cpu);
  std::uint32_t* pairs = pairs_of(packed);
  for_blocks(N, K, [&](const Block& block) {
    pack(block.of(b).transposed(), block.columns, block.depth, Order::by_depth, pairs);
    pairs += block.pairs();
  });
  return packed;
}

void gemm_packed_bf16(std::int64_t M, std::int64_t N, std::int64_t K, const MatrixView& a,
                      const Tensor& packed, float* c, bool accumulate) {
  if (K == 0 && !accumulate) std::fill_n(c, M * N, 0.0f);
  const std::uint32_t* pairs = pairs_of(packed);
  for_blocks(N, K, [&](const Block& block) {
    multiply_rows(M, N, block, a, pairs, c, accumulate);
    pairs += block.pairs();
  });
}

}  // namespace arbg::tensor
