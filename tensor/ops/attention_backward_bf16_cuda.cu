// The gradients of attention_backward_cuda.cu on tensor cores (attention_bf16.cuh), in the same two
// kernels: a warp owns 16 queries or 16 keys, a block up to 128 of one head, and meets those of the
// other kind 16 at a time.
//
// Of queries the two sums are of weights rounded to bf16, w_s of p_s and u_s of p_s dp_s:
//
//   dq = scale (sum_s u_s k_s - shift sum_s w_s k_s),   shift = sum_s u_s / sum_s w_s,
//
// where the unrounded shift is the mean. So what all keys have in common still cancels, and a query
// that sees one key has no gradient.
//
// For each query and key that it meets 4 D multiplications in each of the two. A head is 20 D T
// bytes of global memory for queries, 24 for keys, and up to 8 D T of the cache for each block.
#include <cmath>

#include "tensor/ops/attention_bf16.cuh"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::cuda {
namespace {

// Warps of a block, and blocks that an SM has registers for.
template <int kParts>
constexpr int kMostWarps = kParts == 1 ? 5 : 4;
template <int kParts>
[[maybe_unused]] constexpr int kBlocks = kParts > 2 ? 1 : 3;
template <int kParts>
Launch blocks(std::int64_t heads, std::int64_t count) {
  return blocks_on_tensor_cores<kParts>(heads, count, kMostWarps<kParts>);
}

// What a warp knows of its queries.
template <int kParts>
struct Queries {
  OwnRows<kParts> q, dy;
  float scale;
  float log_sum[2], mean[2] = {};    // of the rows of this lane, log_sum in units of log 2
  float of_w[2] = {}, of_u[2] = {};  // sums of rounded weights
  OwnSums<kParts> sums[2] = {};      // of w k and u k

  // The 16 keys that begin with row `first` of the stage; of these, each query sees seen[i].
  __device__ void meet(const Met<kParts>& met, int first, const int (&seen)[2]) {
    Dots p, p_dp;
    dot_products<kParts>(p, q, met.first, first);
    dot_products<kParts>(p_dp, dy, met.second, first);
    for (int half = 0; half < 2; ++half) {
      for (int i = 0; i < 4; ++i) {
        const float exponent = fmaf(p[half][i], scale, -log_sum[i / 2]);
        p[half][i] = met_of(half, i) < seen[i / 2] ? exp2_of(exponent) : 0.0F;
        p_dp[half][i] *= p[half][i];
        mean[i / 2] += p_dp[half][i];
      }
    }
    const Four<Pair> weights[2] = {weights_of(p), weights_of(p_dp)};
    for (int i = 0; i < 4; ++i) {  // elements 0 and 2 are of the first row
      of_w[i % 2] += first_of(weights[0][i]) + second_of(weights[0][i]);
      of_u[i % 2] += first_of(weights[1][i]) + second_of(weights[1][i]);
    }
    add_weighted<kParts, 2>(sums, weights, met.first, first);
  }
};

template <int kParts>
__global__ void __launch_bounds__(kMostWarps<kParts>* kWarp, kBlocks<kParts>)
    query_gradients_on_tensor_cores(Written dq, Span<float> means, Tokens<const float> dy,
                                    Span<const float> log_sums, Attention x) {
  ARBG_DYNAMIC_SHARED(Pair, memory);
  const Met<kParts> met{memory, memory + kStage * kPairs<kParts>};  // keys and values
  const Block block = this_block<kOwnRows>(x, x.q.count);
  const int own = own_side(block), end = static_cast<int>(block.keys_of(block.end - 1)),
            own_end = keys_of_side(block, own);
  const std::int64_t first_sum = block.head * x.q.count;
  int see[2];  // so many keys
  for (int i = 0; i < 2; ++i) see[i] = static_cast<int>(block.keys_of(own + lane_row() + 8 * i));
  Queries<kParts> queries;
  queries.scale = x.scale * kLog2E;
  for (int i = 0; i < 2; ++i) {
    const std::int64_t t = own + lane_row() + 8 * i;
    queries.log_sum[i] = t < block.end ? log_sums[first_sum + t] * kLog2E : 0.0F;
  }
  take<kParts>(queries.q, rows_of(x.q, block, own, block.end, x));
  take<kParts>(queries.dy, rows_of(dy, block, own, block.end, x));
  for (int stage = 0; stage < end; stage += kStage) {
    if (stage > 0) __syncthreads();  // all are done with the stage before
    met.template bring<3>(rows_of(x.k, block, stage, end, x), rows_of(x.v, block, stage, end, x));
    __syncthreads();
    for (int s = stage; s < own_end && s < stage + kStage; s += kSide)
      queries.meet(met, s - stage, {see[0] - s, see[1] - s});
  }
  float factors[2];
  for (int i = 0; i < 2; ++i) {
    const float mean = sum_of_row(queries.mean[i]),
                shift = sum_of_row(queries.of_u[i]) / sum_of_row(queries.of_w[i]);
    const std::int64_t t = own + lane_row() + 8 * i;
    for (int part = 0; part < 4 * kParts; ++part) {
      for (int n = 2 * i; n < 2 * i + 2; ++n)
        queries.sums[1][part][n] = fmaf(-shift, queries.sums[0][part][n], queries.sums[1][part][n]);
    }
    factors[i] = x.scale;
    if (lane_column() == 0 && t < block.end) means[first_sum + t] = mean;
  }
  store<kParts>(dq, block, own, x, queries.sums[1], factors);
}

// What a warp knows of its keys.
template <int kParts>
struct Keys {
  OwnRows<kParts> k, v;
  float scale;
  OwnSums<kParts> dk[1] = {}, dv[1] = {};

  // The 16 queries that begin with row `first` of the stage, of which only those see own key i that
  // are in from[i] ... to - 1.
  __device__ void meet(const Met<kParts>& met, const Shared<float>& log_sums,
                       const Shared<float>& means, int first, const int (&from)[2], int to) {
    Dots p, ds;
    dot_products<kParts>(p, k, met.first, first);
    dot_products<kParts>(ds, v, met.second, first);
    for (int half = 0; half < 2; ++half) {
      for (int n = 0; n < 2; ++n) {
        const int row = met_of(half, n);
        const float log_sum = log_sums[first + row], mean = means[first + row];
        for (int i = n; i < 4; i += 2) {
          const bool sees = from[i / 2] <= row && row < to;
          const float exponent = fmaf(p[half][i], scale, -log_sum);
          p[half][i] = sees ? exp2_of(exponent) : 0.0F;
          ds[half][i] = p[half][i] * (ds[half][i] - mean);
        }
      }
    }
    add_weighted<kParts, 1>(dv, {weights_of(p)}, met.second, first);
    add_weighted<kParts, 1>(dk, {weights_of(ds)}, met.first, first);
  }
};

template <int kParts>
__global__ void __launch_bounds__(kMostWarps<kParts>* kWarp, kBlocks<kParts>)
    key_gradients_on_tensor_cores(Written dk, Written dv, Tokens<const float> dy,
                                  Span<const float> log_sums, Span<const float> means,
                                  Attention x) {
  ARBG_DYNAMIC_SHARED(Pair, memory);
  ARBG_SHARED(float, of_log_sums, kStage);
  ARBG_SHARED(float, of_means, kStage);
  const Met<kParts> met{memory, memory + kStage * kPairs<kParts>};  // q and dy
  const Block block = this_block<kOwnRows>(x, x.k.count);
  const std::int64_t first_sum = block.head * x.q.count;
  const int own = own_side(block), T = static_cast<int>(x.q.count),
            first = block.causal ? static_cast<int>(block.first) : 0,
            end = block.first < block.keys ? T : first;  // no query sees padding
  const std::int64_t there = block.keys < block.end ? block.keys : block.end;
  int from[2];  // the first query that sees the key
  for (int i = 0; i < 2; ++i) {
    const std::int64_t query = block.first_query_of(own + lane_row() + 8 * i);
    from[i] = query < T ? static_cast<int>(query) : T;
  }
  Keys<kParts> keys;
  keys.scale = x.scale * kLog2E;
  take<kParts>(keys.k, rows_of(x.k, block, own, there, x));
  take<kParts>(keys.v, rows_of(x.v, block, own, there, x));
  for (int stage = first; stage < end; stage += kStage) {
    if (stage > first) __syncthreads();  // all are done with the stage before
    met.template bring<3>(rows_of(x.q, block, stage, end, x), rows_of(dy, block, stage, end, x));
    for (int row = this_thread(); row < kStage; row += block_threads()) {
      const bool is_there = stage + row < end;
      of_log_sums[row] = is_there ? log_sums[first_sum + stage + row] * kLog2E : 0.0F;
      of_means[row] = is_there ? static_cast<float>(means[first_sum + stage + row]) : 0.0F;
    }
    __syncthreads();
    for (int t = stage; t < end && t < stage + kStage; t += kSide) {
      if (own < there && (!block.causal || own < t + kSide))
        keys.meet(met, of_log_sums, of_means, t - stage, {from[0] - t, from[1] - t}, T - t);
    }
  }
  store<kParts>(dk, block, own, x, keys.dk[0], {x.scale, x.scale});
  store<kParts>(dv, block, own, x, keys.dv[0], {1.0F, 1.0F});
}

}  // namespace

void attend_backward_bf16(const Attention& x, const Tensor& dy, const Tensor& saved,
                          const AttentionGradients& gradients) {
  const std::int64_t heads = saved.extent(0) * saved.extent(1), C = dy.extent(2);
  const auto blocks_of = ARBG_FOR_CHANNELS(x.D, blocks);
  Tensor means = empty_like(saved, saved.shape());
  const Tokens<const float> dys{numbers<float>(dy), x.q.count, C};
  launch(ARBG_FOR_CHANNELS(x.D, query_gradients_on_tensor_cores), blocks_of(heads, x.q.count),
         gradients.q, numbers<float>(means), dys, numbers<float>(saved), x);
  launch(ARBG_FOR_CHANNELS(x.D, key_gradients_on_tensor_cores), blocks_of(heads, x.k.count),
         gradients.k, gradients.v, dys, numbers<float>(saved), numbers<float>(std::as_const(means)),
         x);
}

}  // namespace arbg::tensor::cuda
