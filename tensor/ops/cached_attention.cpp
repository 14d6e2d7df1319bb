#include "tensor/ops/cached_attention.h"

#include "tensor/ops/dispatch.h"
#include "tensor/ops/place.h"

namespace arbg::tensor {
AttentionCache make_attention_cache(std::int64_t batch, std::int64_t tokens, std::int64_t channels,
                                    std::int64_t heads, Backend backend) {
  require(batch > 0 && tokens > 0, "a cache of attention needs rows and tokens, not ", batch,
          " and ", tokens);
  require(heads > 0 && channels % heads == 0, "a cache of attention: ", channels,
          " channels are not those of ", heads, " equal heads");
  const std::int64_t W = on_backend(backend, ARBG_BACKENDS(cache_lanes))();
  const Shape shape{(batch + W - 1) / W * heads, tokens, channels / heads, W};
  const DType dtype = real_dtype(backend);
  // Lanes without a row are computed with, so they must hold numbers.
  const auto make = batch % W == 0 ? Tensor::empty : Tensor::zeros;
  return {make(shape, dtype, backend), make(shape, dtype, backend), batch, heads};
}

Tensor cached_attention(const Tensor& qkv, const Tensor& place, AttentionCache& cache) {
  require_real(qkv, "cached_attention", "qkv");
  require_real(cache.keys, "cached_attention", "keys");
  const std::int64_t T = cache.keys.extent(1), C = cache.heads * cache.keys.extent(2);
  require_fits(qkv, {cache.batch, 3 * C}, cache.keys, "cached_attention", "qkv", "[B, 3C]");
  require_place(place, T, qkv, "cached_attention");
  return on_backend(qkv, ARBG_BACKENDS(cached_attention))(qkv, place, cache);
}

AttentionCache select_rows(const AttentionCache& cache, std::int64_t length,
                           std::span<const std::int64_t> from) {
  for (const auto row : from) {
    require(row >= 0 && row < cache.batch, "row ", row, " of a cache with ", cache.batch, " rows");
  }
  const Backend backend = cache.keys.backend();
  const std::int64_t T = cache.keys.extent(1), C = cache.heads * cache.keys.extent(2);
  require(length >= 0 && length <= T, "the first ", length, " tokens of a cache of ", T);
  AttentionCache to =
      make_attention_cache(static_cast<std::int64_t>(from.size()), T, C, cache.heads, backend);
  on_backend(backend, ARBG_BACKENDS(select_rows))(cache, length, from, to);
  return to;
}

}  // namespace arbg::tensor
