#include "tensor/ops/attention.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_heads(std::int64_t three_c, int heads, const char* operation) {
  require(heads > 0 && three_c % (3 * heads) == 0, operation, ": ", three_c,
          " channels are not q, k and v of ", heads, " equal heads");
}

void check_inputs(const Tensor& qkv, int heads, const char* operation) {
  require_real(qkv, operation, "qkv");
  require(qkv.shape().rank() == 3, operation, ": expected qkv [B, T, 3C], found ",
          qkv.shape().text());
  check_heads(qkv.extent(2), heads, operation);
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved) {
  check_inputs(qkv, heads, "causal_attention");
  return on_backend(qkv, reference::causal_attention, cpu::causal_attention)(qkv, heads, saved);
}

Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads) {
  check_inputs(qkv, heads, "causal_attention_backward");
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1);
  require_fits(dy, {B, T, qkv.extent(2) / 3}, qkv, "causal_attention_backward", "dy", "[B, T, C]");
  require_fits(saved, {B, heads, T}, qkv, "causal_attention_backward", "saved", "[B, heads, T]");
  return on_backend(qkv, reference::causal_attention_backward, cpu::causal_attention_backward)(
      dy, qkv, saved, heads);
}

Tensor cached_attention(const Tensor& qkv, Tensor& keys, Tensor& values, std::int64_t t,
                        int heads) {
  require_real(qkv, "cached_attention", "qkv");
  require(qkv.shape().rank() == 2 && keys.shape().rank() == 3,
          "cached_attention: expected qkv [B, 3C] and keys [B, C, T], found ", qkv.shape().text(),
          " and ", keys.shape().text());
  check_heads(qkv.extent(1), heads, "cached_attention");
  const std::int64_t B = qkv.extent(0), T = keys.extent(2), C = qkv.extent(1) / 3;
  require_fits(keys, {B, C, T}, qkv, "cached_attention", "keys", "[B, C, T]");
  require_fits(values, {B, T, C}, qkv, "cached_attention", "values", "[B, T, C]");
  require(t >= 0 && t < T, "cached_attention: token ", t, " is outside caches of ", T, " tokens");
  return on_backend(qkv, reference::cached_attention, cpu::cached_attention)(qkv, keys, values, t,
                                                                             heads);
}

}  // namespace arbg::tensor
