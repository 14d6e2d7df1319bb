#include "tensor/ops/attention.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& qkv, int heads, const char* operation) {
  require_real(qkv, operation, "qkv");
  require(qkv.shape().rank() == 3, operation, ": expected qkv [B, T, 3C], found ", qkv.shape());
  require(heads > 0 && qkv.extent(2) % (3 * heads) == 0, operation, ": ", qkv.extent(2),
          " channels are not q, k and v of ", heads, " equal heads");
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

}  // namespace arbg::tensor
