// One thread for four numbers. Bound by memory: forward 12 bytes an element, backward 20; 10 and 16
// if products alone read what is written.
#include "tensor/ops/dispatch.h"
#include "tensor/ops/kernel_fours.cuh"
#include "tensor/ops/swiglu.h"

namespace arbg::tensor::cuda {
namespace {

__device__ float sigmoid(float x) { return 1.0F / (1.0F + expf(-x)); }

// Of gate and up.
struct Forward {
  __device__ Numbers<1> operator()(const Numbers<2>& x) const {
    return {x[0] * sigmoid(x[0]) * x[1]};
  }
};

// Of dy, gate and up: dgate and dup.
struct Backward {
  __device__ Numbers<2> operator()(const Numbers<3>& x) const {
    // y = gate * sigmoid(gate) * up, and sigmoid' = sigmoid (1 - sigmoid).
    const float dy = x[0], gate = x[1], up = x[2], s = sigmoid(gate);
    return {dy * up * (s + gate * s * (1.0F - s)), dy * gate * s};
  }
};

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up, Readers readers) {
  Tensor y = Tensor::empty(gate.shape(), type_for(readers, gate), gate.backend());
  if (y.dtype() == DType::bf16) {
    map_each(writes_rounded(y), reads(gate, up), Forward());
  } else {
    map_each(writes(y), reads(gate, up), Forward());
  }
  return y;
}

SwigluGradients swiglu_backward(const Tensor& dy, const Tensor& gate, const Tensor& up,
                                Readers readers) {
  const DType type = type_for(readers, gate);
  Tensor dgate = Tensor::empty(gate.shape(), type, gate.backend()),
         dup = Tensor::empty(up.shape(), type, up.backend());
  if (type == DType::bf16) {
    map_each(writes_rounded(dgate, dup), reads(dy, gate, up), Backward());
  } else {
    map_each(writes(dgate, dup), reads(dy, gate, up), Backward());
  }
  return {dgate, dup};
}

}  // namespace arbg::tensor::cuda
