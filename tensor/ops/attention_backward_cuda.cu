// The gradients of attention, in two kernels of the tiles of attention_tiles.cuh, from the
// probabilities p_s = exp(scale q . k_s - log_sum), computed anew; with dp_s = dy . v_s,
//
//   dq = scale sum_s p_s (dp_s - mean) k_s,   mean = sum_s p_s dp_s,   over the keys s of a query,
//   dv = sum_t p_t dy_t,   dk = scale sum_t p_t (dp_t - mean_t) q_t,   over the queries t of a key.
//
// query_gradients: a block owns up to 64 queries, a warp 16, and goes over their keys once. The
// mean is not known before the end, so sum_s p_s k_s and sum_s p_s dp_s k_s are summed apart, as if
// they were of 32 queries. key_gradients: a block owns up to 64 keys, and goes over the queries
// that see them. Source: Dao, "FlashAttention-2", 2023, algorithm 2, without its atomic sums of dq.
//
// For each query and key that it sees 4 D multiplications in each of the two. Bound by shared
// memory: at D = 64, 0.67 multiplications a byte for queries, 0.57 for keys. ptxas for sm_90: for
// queries 168 registers for D <= 32, 234 for D <= 64; for keys 168 for both; 255 above, nothing
// spilled. 71 KiB of shared memory a block at D = 64.
#include <cmath>

#include "tensor/gemm/precision.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/attention_bf16.cuh"
#include "tensor/ops/dispatch.h"

namespace arbg::tensor::cuda {
namespace {

constexpr int kOwn = 4;
constexpr int kOwnRows = kOwn * kRings;  // of a warp

// dot and dp, on return p and p dp.
__device__ void weigh(Pairs<kOwn>& dot, Pairs<kOwn>& dp, float (&mean)[kOwn],
                      const float (&log_sum)[kOwn], const Seen* seen, float scale) {
  for (int i = 0; i < kOwn; ++i) {
    for (int j = 0; j < kMet; ++j) {
      const bool sees = seen[i].has(met_row(j));
      const float p = sees ? expf(fmaf(dot[i][j], scale, -log_sum[i])) : 0.0F;
      dot[i][j] = p;
      dp[i][j] = sees ? p * dp[i][j] : 0.0F;
      mean[i] += dp[i][j];
    }
  }
}

template <int kParts>
__global__ void query_gradients(Tokens<float> dq, Span<float> means, Tokens<const float> dy,
                                Span<const float> log_sums, Attention x) {
  ARBG_DYNAMIC_SHARED(float, memory);
  constexpr int pitch = pitch_of(kParts * kWarp);
  const int rows = rows_of_block<kOwn>(), before = rows_before<kOwn>();
  const Shared<float> q = memory, dys = q + rows * pitch, keys = dys + rows * pitch,
                      values = keys + kTile * pitch,
                      p = values + kTile * pitch + 2 * before * kWeightPitch,
                      p_dp = p + kOwnRows * kWeightPitch, own_q = q + before * pitch,
                      own_dy = dys + before * pitch;
  const Block block = this_block<kOwn>(x, x.q.count);
  const std::int64_t own = block.first + before, last = own + kOwnRows - 1,
                     end = block.keys_of(block.end - 1), first_sum = block.head * x.q.count;
  float log_sum[kOwn], mean[kOwn] = {};
  for (int i = 0; i < kOwn; ++i) {
    const std::int64_t t = own + own_row(i);
    log_sum[i] = t < block.end ? log_sums[first_sum + t] : 0.0F;
  }
  Sums<2 * kOwn, kParts> sums;  // of p, then of p dp
  fetch(q, rows, rows_of(x.q, block, block.first, block.end, x));
  fetch(dys, rows, rows_of(dy, block, block.first, block.end, x));
  fetch(values, kTile, rows_of(x.v, block, 0, end, x));
  fetch(keys, kTile, rows_of(x.k, block, 0, end, x));
  for (std::int64_t s = 0; s < end; s += kTile) {
    Seen seen[2 * kOwn];
    for (int i = 0; i < kOwn; ++i)
      seen[i] = seen[kOwn + i] = {0, at_most_a_tile(block.keys_of(own + own_row(i)) - s)};
    const bool any = own < block.end && block.keys_of(last) > s,
               all = block.keys_of(own) >= s + kTile;
    Pairs<kOwn> dot, dp;
    wait_copies<1>();  // for all but the keys
    __syncthreads();
    if (any) dot_products<kParts>(dp, own_dy, values, x.D);
    __syncthreads();
    fetch(values, kTile, rows_of(x.v, block, s + kTile, end, x));
    wait_copies<1>();  // for all but the next values
    __syncthreads();
    if (any) {
      dot_products<kParts>(dot, own_q, keys, x.D);
      weigh(dot, dp, mean, log_sum, seen, x.scale);
      set_weights(p, dot);
      set_weights(p_dp, dp);
      __syncwarp();
      sums.add(p, keys, seen, all);
    }
    __syncthreads();
    fetch(keys, kTile, rows_of(x.k, block, s + kTile, end, x));
  }
  wait_copies<0>();
  ARBG_UNROLL
  for (int i = 0; i < kOwn; ++i) {
    const std::int64_t t = own + own_row(i);
    const float of_query = ring_sum(mean[i]);
    if (t >= block.end) continue;
    sums.add_row(kOwn + i, -of_query, i);
    store(dq, block, t, x, sums.of[kOwn + i], x.scale);
    if (this_lane() % kRing == 0) means[first_sum + t] = of_query;
  }
}

// dot and dp, on return p and p (dp - mean), of own keys and the queries t, t + 1 ...
__device__ void weigh(Pairs<kOwn>& dot, Pairs<kOwn>& dp, const Span<const float>& log_sums,
                      const Span<const float>& means, std::int64_t first, const Seen (&seen)[kOwn],
                      float scale) {
  for (int j = 0; j < kMet; ++j) {
    const int met = met_row(j);
    const bool is_there = met < seen[0].to;
    const float log_sum = is_there ? log_sums[first + met] : 0.0F,
                mean = is_there ? means[first + met] : 0.0F;
    for (int i = 0; i < kOwn; ++i) {
      const bool sees = seen[i].has(met);
      const float p = sees ? expf(fmaf(dot[i][j], scale, -log_sum)) : 0.0F;
      dot[i][j] = p;
      dp[i][j] = sees ? p * (dp[i][j] - mean) : 0.0F;
    }
  }
}

template <int kParts>
__global__ void key_gradients(Tokens<float> dk, Tokens<float> dv, Tokens<const float> dy,
                              Span<const float> log_sums, Span<const float> means, Attention x) {
  ARBG_DYNAMIC_SHARED(float, memory);
  constexpr int pitch = pitch_of(kParts * kWarp);
  const int rows = rows_of_block<kOwn>(), before = rows_before<kOwn>();
  const Shared<float> k = memory, v = k + rows * pitch, q = v + rows * pitch,
                      dys = q + kTile * pitch, p = dys + kTile * pitch + before * kWeightPitch,
                      p_dp = p + rows * kWeightPitch, own_k = k + before * pitch,
                      own_v = v + before * pitch;
  const Block block = this_block<kOwn>(x, x.k.count);
  const std::int64_t own = block.first + before, T = x.q.count, last = own + kOwnRows - 1,
                     first = block.causal ? block.first : 0,
                     end = block.first < block.keys ? T : first;  // padding is seen by no query
  Sums<kOwn, kParts> of_dk, of_dv;
  fetch(k, rows, rows_of(x.k, block, block.first, block.end, x));
  fetch(v, rows, rows_of(x.v, block, block.first, block.end, x));
  fetch(dys, kTile, rows_of(dy, block, first, end, x));
  fetch(q, kTile, rows_of(x.q, block, first, end, x));
  for (std::int64_t t = first; t < end; t += kTile) {
    Seen seen[kOwn];
    for (int i = 0; i < kOwn; ++i) {
      const std::int64_t s = own + own_row(i);
      seen[i] = {at_most_a_tile(block.first_query_of(s) - t), at_most_a_tile(T - t)};
    }
    const bool any = own < block.end && block.first_query_of(own) < t + kTile,
               all = block.first_query_of(last) <= t && T - t >= kTile;
    Pairs<kOwn> dot, dp;
    wait_copies<1>();  // for all but the queries
    __syncthreads();
    if (any) dot_products<kParts>(dp, own_v, dys, x.D);
    wait_copies<0>();
    __syncthreads();
    if (any) {
      dot_products<kParts>(dot, own_k, q, x.D);
      weigh(dot, dp, log_sums, means, block.head * T + t, seen, x.scale);
      set_weights(p, dot);
      set_weights(p_dp, dp);
      __syncwarp();
      of_dv.add(p, dys, seen, all);
    }
    __syncthreads();
    fetch(dys, kTile, rows_of(dy, block, t + kTile, end, x));
    if (any) of_dk.add(p_dp, q, seen, all);
    __syncthreads();
    fetch(q, kTile, rows_of(x.q, block, t + kTile, end, x));
  }
  wait_copies<0>();
  ARBG_UNROLL
  for (int i = 0; i < kOwn; ++i) {
    const std::int64_t s = own + own_row(i);
    if (s >= block.end) continue;
    store(dk, block, s, x, of_dk.of[i], x.scale);
    store(dv, block, s, x, of_dv.of[i], 1.0F);
  }
}

struct Gradients {
  Tokens<float> q, k, v;
};

void attend_backward(const Attention& x, const Tensor& dy, const Tensor& saved,
                     const Gradients& gradients) {
  const std::int64_t heads = saved.extent(0) * saved.extent(1), C = dy.extent(2);
  const auto of_queries = ARBG_FOR_CHANNELS(x.D, query_gradients);
  const auto of_keys = ARBG_FOR_CHANNELS(x.D, key_gradients);
  Tensor means = empty_like(saved, saved.shape());
  const Tokens<const float> dys{numbers<float>(dy), x.q.count, C};
  launch(of_queries, blocks_of_rows<kOwn>(x, heads, x.q.count, 2), gradients.q,
         numbers<float>(means), dys, numbers<float>(saved), x);
  launch(of_keys, blocks_of_rows<kOwn>(x, heads, x.k.count, 2), gradients.k, gradients.v, dys,
         numbers<float>(saved), numbers<float>(std::as_const(means)), x);
}

}  // namespace

Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers readers) {
  const Attention x = causal("causal_attention_backward", qkv, heads, &dy);
  Tensor dqkv =
      Tensor::empty(qkv.shape(), type_for(x.by_fours ? readers : Readers::all, qkv), qkv.backend());
  if (product_precision() == ProductPrecision::bf16) {
    attend_backward_bf16(
        x, dy, saved,
        {written_part_of(dqkv, 0, 3), written_part_of(dqkv, 1, 3), written_part_of(dqkv, 2, 3)});
  } else {
    attend_backward(x, dy, saved,
                    {part_of<float>(dqkv, 0), part_of<float>(dqkv, 1), part_of<float>(dqkv, 2)});
  }
  return dqkv;
}

CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads) {
  CrossAttentionGradients of{empty_like(q, q.shape()), empty_like(k, k.shape()),
                             empty_like(v, v.shape())};
  const Attention x = cross("cross_attention_backward", q, k, v, count, heads, &dy);
  if (product_precision() == ProductPrecision::bf16) {
    attend_backward_bf16(
        x, dy, saved,
        {written_part_of(of.dq, 0, 1), written_part_of(of.dk, 0, 1), written_part_of(of.dv, 0, 1)});
  } else {
    attend_backward(x, dy, saved,
                    {all_of<float>(of.dq), all_of<float>(of.dk), all_of<float>(of.dv)});
  }
  return of;
}

}  // namespace arbg::tensor::cuda
