// The forward gathers rows of the table. Backward: a warp owns a row of the table, up to 1024 of
// its channels in registers; 16 rows make a block, which brings all indices to shared memory, 1024
// at a time, and each warp looks there for its own, 128 at a time. No atomics: a row is summed in
// the order of m. Memory: 4 bytes an element of dy, 8 an element of the table; 4 M V / 16 bytes of
// indices from L2. M V / 128 looks of a dozen instructions: on an H100 those bound it where V > 12
// C, memory elsewhere.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/kernel_fours.cuh"

namespace arbg::tensor::cuda {
namespace {

constexpr std::int64_t kRows = 16;
constexpr int kSome = 1024, kLook = 4;  // in shared memory; of these, at once by a lane
constexpr std::int32_t kNone = -1;      // the index of no row

// Channels first, first + 1, ... of row m, up to 128 kParts of them: each lane adds its own.
template <int kParts, class T>
__device__ void add_row(Several<Four<float>, kParts>& sums, const Span<T>& x, std::int64_t m,
                        std::int64_t first, std::int64_t C, bool wide) {
  for (int part = 0; part < kParts; ++part) {
    const std::int64_t c = first + part * kWarpFours + 4 * this_lane();
    const Four<float> row = four_of(x, m * C + c, (m + 1) * C, wide);
    for (int i = 0; i < 4; ++i) sums[part][i] += row[i];
  }
}

template <int kParts>
__global__ void backward(Span<float> dtable, Span<const float> dy, Span<const std::int32_t> index,
                         std::int64_t C, bool wide) {
  ARBG_SHARED(std::int32_t, some, kSome);
  const std::int64_t M = index.size(), V = dtable.size() / C,
                     tiles = divided_up(C, kParts * kWarpFours),
                     v = blockIdx.x / tiles * kRows + this_warp(),
                     first = blockIdx.x % tiles * kParts * kWarpFours;
  Several<Four<float>, kParts> sums{};
  for (std::int64_t from = 0; from < M; from += kSome) {
    for (int i = this_thread(); i < kSome; i += block_threads()) {
      some[i] = from + i < M ? static_cast<std::int32_t>(index[from + i]) : kNone;
    }
    __syncthreads();
    for (int i = 0; i < kSome; i += kLook * kWarp) {
      bool own[kLook], any = false;
      for (int j = 0; j < kLook; ++j) {
        own[j] = some[i + j * kWarp + this_lane()] == v;
        any = any || own[j];
      }
      if (__ballot_sync(kAllLanes, any) == 0) continue;
      // y[m * C + c] = table[index[m] * C + c];
      for (int j = 0; j < kLook; ++j) {
        unsigned hits = __ballot_sync(kAllLanes, own[j]);
        for (; hits != 0; hits &= hits - 1) {
          const int hit = __ffs(static_cast<int>(hits)) - 1;
          add_row(sums, dy, from + i + j * kWarp + hit, first, C, wide);
        }
      }
    }
    __syncthreads();
  }
  if (v >= V) return;
  add_row(sums, dtable, v, first, C, wide);
  for (int part = 0; part < kParts; ++part) {
    const std::int64_t c = first + part * kWarpFours + 4 * this_lane();
    set_four(dtable, v * C + c, (v + 1) * C, sums[part], wide);
  }
}

}  // namespace

Tensor embedding(const Tensor& table, const Tensor& index) {
  Tensor y = empty_like(table, with_extra_axis(index.shape(), table.extent(1)));
  cuda::gather_rows(table, index, y);
  return y;
}

void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable) {
  const std::int64_t V = dtable->extent(0), C = dtable->extent(1);
  if (dy.elements() == 0) return;
  const std::int64_t tiles = divided_up(C, kManyHeld * kWarpFours);
  const auto sums = numbers<float>(*dtable);
  const auto rows = numbers<float>(dy);
  launch(tiles == 1 && !holds_many(C) ? backward<kFewHeld> : backward<kManyHeld>,
         {divided_up(V, kRows) * tiles, kRows * kWarp}, sums, rows, numbers<std::int32_t>(index), C,
         C % 4 == 0 && wide(sums, rows));
}

}  // namespace arbg::tensor::cuda
