// One more token of causal self-attention: y = sum_{s<=t} softmax_s(q . k_s / sqrt(D)) v_s, head by
// head, with the keys and values of the tokens before kept from call to call.
//
// qkv [B, 3C] of token t, the one number of place (int32 [1], place.h): how many came before; y
// [B, C], bitwise row t of causal_attention(): the same sums in the same order. A row's numbers do
// not depend on the other rows. Throws Error if shapes, number types or backends do not fit
// together, heads does not divide C, or the cache may have no token t.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace arbg::tensor {

// Keys and values [G H, T, D, W]: row b of the batch is lane b % W of group b / W, G groups. The
// reference has W = 1. The CPU has W = numbers in a vector, one row a lane: no step of the
// attention of a row then runs across lanes, and the cache is read from first to last.
struct AttentionCache {
  Tensor keys, values;
  std::int64_t batch = 0;  // B
  std::int64_t heads = 1;  // H
};

AttentionCache make_attention_cache(std::int64_t batch, std::int64_t tokens, std::int64_t channels,
                                    std::int64_t heads, Backend backend);

// Writes token t into the cache, behind those before.
Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache);

// A cache whose row i is row from[i] of this one, which has seen `length` tokens.
AttentionCache select_rows(const AttentionCache& cache, std::int64_t length,
                           std::span<const std::int64_t> from);

// The implementations, one a backend; their inputs have been checked.
// select_rows copies the first `length` tokens into an empty cache.
namespace reference {
std::int64_t cache_lanes();  // W
Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache);
void select_rows(const AttentionCache& cache, std::int64_t length,
                 std::span<const std::int64_t> from, AttentionCache& to);
}  // namespace reference
namespace cpu {
std::int64_t cache_lanes();
Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache);
void select_rows(const AttentionCache& cache, std::int64_t length,
                 std::span<const std::int64_t> from, AttentionCache& to);
}  // namespace cpu
namespace cuda {
std::int64_t cache_lanes();
Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache);
void select_rows(const AttentionCache& cache, std::int64_t length,
                 std::span<const std::int64_t> from, AttentionCache& to);
}  // namespace cuda

}  // namespace arbg::tensor
