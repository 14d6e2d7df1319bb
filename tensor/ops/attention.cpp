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

void check_inputs(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count, int heads,
                  const char* operation) {
  require_real(q, operation, "q");
  require_real(k, operation, "k");
  require(q.shape().rank() == 3 && k.shape().rank() == 3, operation,
          ": expected q [B, T, C] and k [B, N, C], found ", q.shape(), " and ", k.shape());
  require(heads > 0 && q.extent(2) % heads == 0, operation, ": ", q.extent(2),
          " channels are not those of ", heads, " equal heads");
  require_fits(k, {q.extent(0), k.extent(1), q.extent(2)}, q, operation, "k", "[B, N, C]");
  require_fits(v, k.shape(), q, operation, "v", "[B, N, C]");
  require_index(count, q, operation);
  require(count.shape() == Shape{q.extent(0)}, operation, ": expected count [B], found ",
          count.shape());
  require_inside(count, 1, k.extent(1), operation, "count");
}

}  // namespace

Tensor causal_attention(const Tensor& qkv, int heads, Tensor* saved, Readers readers) {
  check_inputs(qkv, heads, "causal_attention");
  return on_backend(qkv, ARBG_BACKENDS(causal_attention))(qkv, heads, saved, readers);
}

Tensor causal_attention_backward(const Tensor& dy, const Tensor& qkv, const Tensor& saved,
                                 int heads, Readers readers) {
  check_inputs(qkv, heads, "causal_attention_backward");
  const std::int64_t B = qkv.extent(0), T = qkv.extent(1);
  require_fits(dy, {B, T, qkv.extent(2) / 3}, qkv, "causal_attention_backward", "dy", "[B, T, C]");
  require_fits(saved, {B, heads, T}, qkv, "causal_attention_backward", "saved", "[B, heads, T]");
  return on_backend(qkv, ARBG_BACKENDS(causal_attention_backward))(dy, qkv, saved, heads, readers);
}

Tensor cross_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& count,
                       int heads, Tensor* saved) {
  check_inputs(q, k, v, count, heads, "cross_attention");
  return on_backend(q, ARBG_BACKENDS(cross_attention))(q, k, v, count, heads, saved);
}

CrossAttentionGradients cross_attention_backward(const Tensor& dy, const Tensor& q, const Tensor& k,
                                                 const Tensor& v, const Tensor& count,
                                                 const Tensor& saved, int heads) {
  check_inputs(q, k, v, count, heads, "cross_attention_backward");
  require_fits(dy, q.shape(), q, "cross_attention_backward", "dy", "[B, T, C]");
  require_fits(saved, {q.extent(0), heads, q.extent(1)}, q, "cross_attention_backward", "saved",
               "[B, heads, T]");
  return on_backend(q, ARBG_BACKENDS(cross_attention_backward))(dy, q, k, v, count, saved, heads);
}

}  // namespace arbg::tensor
