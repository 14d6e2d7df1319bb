// Operations that have no kernels for CUDA yet.
#include "tensor/base/error.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::tensor::cuda {
namespace {

[[noreturn]] void missing(const char* operation) {
  fail(operation, " has no kernel for cuda yet; use the backend cpu");
}

}  // namespace

Tensor causal_attention_backward(const Tensor&, const Tensor&, const Tensor&, int) {
  missing("causal_attention_backward");
}
Tensor cross_attention(const Tensor&, const Tensor&, const Tensor&, const Tensor&, int, Tensor*) {
  missing("cross_attention");
}
CrossAttentionGradients cross_attention_backward(const Tensor&, const Tensor&, const Tensor&,
                                                 const Tensor&, const Tensor&, const Tensor&, int) {
  missing("cross_attention_backward");
}
std::int64_t cache_lanes() { missing("cache_lanes"); }
Tensor cached_attention(const Tensor&, AttentionCache&) { missing("cached_attention"); }
void select_rows(const AttentionCache&, std::span<const std::int64_t>, AttentionCache&) {
  missing("select_rows");
}
void draw_categorical(const Tensor&, const Decoding&, const Random&, std::uint64_t, std::uint64_t,
                      Drawn&) {
  missing("draw_categorical");
}
void log_categorical(const Tensor&, const Tensor&, const Decoding&, Tensor&) {
  missing("log_categorical");
}
void log_categorical_all(const Tensor&, const Decoding&, Tensor&) {
  missing("log_categorical_all");
}
Tensor dropout(const Tensor&, double, const Random&, std::int64_t, std::int64_t) {
  missing("dropout");
}
Tensor linear(const Tensor&, const Tensor&, const Tensor&) { missing("linear"); }
Tensor linear_backward(const Tensor&, const Tensor&, const Tensor&, Tensor*, Tensor*, bool) {
  missing("linear_backward");
}
Tensor pack_weight(const Tensor&) { missing("pack_weight"); }
Tensor packed_linear(const Tensor&, const PackedWeight&, const Tensor&) {
  missing("packed_linear");
}
Tensor matmul(const Tensor&, const Tensor&) { missing("matmul"); }
MatmulGradients matmul_backward(const Tensor&, const Tensor&, const Tensor&) {
  missing("matmul_backward");
}
void sum_last(const Tensor&, Tensor&) { missing("sum_last"); }
Tensor spread(const Tensor&, const Shape&, double) { missing("spread"); }
Tensor unit_norm(const Tensor&, double) { missing("unit_norm"); }

}  // namespace arbg::tensor::cuda
