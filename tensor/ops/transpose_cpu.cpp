#include "tensor/gemm/gemm_cpu.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/transpose.h"

namespace arbg::tensor::cpu {

Tensor transpose(const Tensor& x) {
  const std::int64_t R = x.extent(0), C = x.extent(1);
  Tensor y = empty_like(x, {C, R});
  copy_transposed(x.host_data<float>(), C, R, C, y.host_data<float>(), R);
  return y;
}

}  // namespace arbg::tensor::cpu
