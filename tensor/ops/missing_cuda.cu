// Operations that have no kernels for CUDA yet.
#include "tensor/base/error.h"
#include "tensor/ops/add.h"
#include "tensor/ops/concat.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/layernorm.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/mask_rows.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/nesterov_step.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/shift_right.h"
#include "tensor/ops/sinusoid.h"
#include "tensor/ops/tanh_gate.h"
#include "tensor/ops/transpose.h"
#include "tensor/ops/unit_norm.h"

namespace arbg::tensor::cuda {
namespace {

[[noreturn]] void missing(const char* operation) {
  fail(operation, " has no kernel for cuda yet; use the backend cpu");
}

}  // namespace

void add_into(Tensor&, const Tensor&) { missing("add_into"); }
Tensor add(const Tensor&, const Tensor&) { missing("add"); }
Tensor add_rows(const Tensor&, const Tensor&) { missing("add_rows"); }
void add_rows_backward(const Tensor&, Tensor*) { missing("add_rows_backward"); }
Tensor concat(const Tensor&, const Tensor&) { missing("concat"); }
ConcatGradients concat_backward(const Tensor&, std::int64_t) { missing("concat_backward"); }
void draw_categorical(const Tensor&, const Decoding&, const Random&, const DrawWords&,
                      const Tensor&, Drawn&) {
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
Tensor scale(const Tensor&, double) { missing("scale"); }
Tensor multiply(const Tensor&, const Tensor&) { missing("multiply"); }
Tensor square(const Tensor&) { missing("square"); }
Tensor square_backward(const Tensor&, const Tensor&) { missing("square_backward"); }
Tensor gelu(const Tensor&) { missing("gelu"); }
Tensor gelu_backward(const Tensor&, const Tensor&) { missing("gelu_backward"); }
void gather_rows(const Tensor&, const Tensor&, Tensor&) { missing("gather_rows"); }
void gather_rows_backward(const Tensor&, const Tensor&, Tensor&) {
  missing("gather_rows_backward");
}
Tensor layernorm(const Tensor&, const Tensor&, const Tensor&, double) { missing("layernorm"); }
Tensor layernorm_backward(const Tensor&, const Tensor&, const Tensor&, double, Tensor*, Tensor*) {
  missing("layernorm_backward");
}
Tensor linear(const Tensor&, const Tensor&, const Tensor&) { missing("linear"); }
Tensor linear_backward(const Tensor&, const Tensor&, const Tensor&, Tensor*, Tensor*, bool) {
  missing("linear_backward");
}
Tensor pack_weight(const Tensor&) { missing("pack_weight"); }
Tensor packed_linear(const Tensor&, const PackedWeight&, const Tensor&) {
  missing("packed_linear");
}
Tensor mask_rows(const Tensor&, const Tensor&, double) { missing("mask_rows"); }
Tensor matmul(const Tensor&, const Tensor&) { missing("matmul"); }
MatmulGradients matmul_backward(const Tensor&, const Tensor&, const Tensor&) {
  missing("matmul_backward");
}
Tensor nesterov_step(Tensor&, const Tensor&, double, double) { missing("nesterov_step"); }
void descend(Tensor&, const Tensor&, double, double) { missing("descend"); }
void sum_last(const Tensor&, Tensor&) { missing("sum_last"); }
Tensor spread(const Tensor&, const Shape&, double) { missing("spread"); }
void shift_right(const Tensor&, std::int32_t, Tensor&) { missing("shift_right"); }
void sinusoid(const Tensor&, Tensor&) { missing("sinusoid"); }
Tensor tanh_gate(const Tensor&, const Tensor&) { missing("tanh_gate"); }
Tensor tanh_gate_backward(const Tensor&, const Tensor&, const Tensor&, Tensor*) {
  missing("tanh_gate_backward");
}
Tensor transpose(const Tensor&) { missing("transpose"); }
Tensor unit_norm(const Tensor&, double) { missing("unit_norm"); }

}  // namespace arbg::tensor::cuda
