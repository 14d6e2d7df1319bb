#include "autograd/functions.h"

#include "tensor/ops/add.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/concat.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/elementwise.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/layernorm.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/log_prob.h"
#include "tensor/ops/mask_rows.h"
#include "tensor/ops/matmul.h"
#include "tensor/ops/reduce.h"
#include "tensor/ops/rmsnorm.h"
#include "tensor/ops/swiglu.h"
#include "tensor/ops/tanh_gate.h"
#include "tensor/ops/tilt.h"

namespace arbg::autograd {

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  return made_by(tensor::linear(x.value(), weight.value(), bias.value()), {x, weight, bias},
                 [=](const Tensor& dy) {
                   const Tensor dx = tensor::linear_backward(
                       dy, x.value(), weight.value(), weight.grad_to_add_into(),
                       bias.grad_to_add_into(), x.wants_grad());
                   if (x.wants_grad()) x.accumulate(dx);
                 });
}

Variable matmul(const Variable& a, const Variable& b) {
  return made_by(tensor::matmul(a.value(), b.value()), {a, b}, [=](const Tensor& dy) {
    const auto [da, db] = tensor::matmul_backward(dy, a.value(), b.value());
    a.accumulate(da);
    b.accumulate(db);
  });
}

Variable embedding(const Variable& table, const Tensor& index) {
  return made_by(tensor::embedding(table.value(), index), {table}, [=](const Tensor& dy) {
    tensor::embedding_backward(dy, index, table.grad_to_add_into());
  });
}

Variable rmsnorm(const Variable& x, const Variable& weight, double epsilon, Readers readers) {
  return made_by(tensor::rmsnorm(x.value(), weight.value(), epsilon, readers), {x, weight},
                 [=](const Tensor& dy) {
                   x.accumulate(tensor::rmsnorm_backward(dy, x.value(), weight.value(), epsilon,
                                                         weight.grad_to_add_into()));
                 });
}

Variable layernorm(const Variable& x, const Variable& weight, const Variable& bias,
                   double epsilon) {
  return made_by(tensor::layernorm(x.value(), weight.value(), bias.value(), epsilon),
                 {x, weight, bias}, [=](const Tensor& dy) {
                   x.accumulate(tensor::layernorm_backward(dy, x.value(), weight.value(), epsilon,
                                                           weight.grad_to_add_into(),
                                                           bias.grad_to_add_into()));
                 });
}

Variable causal_attention(const Variable& qkv, int heads, Readers of_y, Readers of_gradients) {
  const bool differentiated = is_recording() && qkv.wants_grad();
  Tensor saved;
  Tensor y = tensor::causal_attention(qkv.value(), heads, differentiated ? &saved : nullptr, of_y);
  return made_by(std::move(y), {qkv}, [=](const Tensor& dy) {
    qkv.accumulate(tensor::causal_attention_backward(dy, qkv.value(), saved, heads, of_gradients));
  });
}

Variable cross_attention(const Variable& q, const Variable& k, const Variable& v,
                         const Tensor& count, int heads) {
  const bool differentiated =
      is_recording() && (q.wants_grad() || k.wants_grad() || v.wants_grad());
  Tensor saved;
  Tensor y = tensor::cross_attention(q.value(), k.value(), v.value(), count, heads,
                                     differentiated ? &saved : nullptr);
  return made_by(std::move(y), {q, k, v}, [=](const Tensor& dy) {
    const auto [dq, dk, dv] =
        tensor::cross_attention_backward(dy, q.value(), k.value(), v.value(), count, saved, heads);
    q.accumulate(dq);
    k.accumulate(dk);
    v.accumulate(dv);
  });
}

Variable swiglu(const Variable& gate, const Variable& up, Readers of_y, Readers of_gradients) {
  return made_by(tensor::swiglu(gate.value(), up.value(), of_y), {gate, up}, [=](const Tensor& dy) {
    const auto [dgate, dup] = tensor::swiglu_backward(dy, gate.value(), up.value(), of_gradients);
    gate.accumulate(dgate);
    up.accumulate(dup);
  });
}

Variable gelu(const Variable& x) {
  return made_by(tensor::gelu(x.value()), {x},
                 [=](const Tensor& dy) { x.accumulate(tensor::gelu_backward(dy, x.value())); });
}

Variable tanh_gate(const Variable& x, const Variable& gate) {
  return made_by(tensor::tanh_gate(x.value(), gate.value()), {x, gate}, [=](const Tensor& dy) {
    x.accumulate(tensor::tanh_gate_backward(dy, x.value(), gate.value(), gate.grad_to_add_into()));
  });
}

Variable dropout(const Variable& x, double rate, const tensor::PlacedRandom& random,
                 std::int64_t first_row, std::int64_t words_a_row) {
  return made_by(tensor::dropout(x.value(), rate, random, first_row, words_a_row), {x},
                 [=](const Tensor& dy) {
                   x.accumulate(tensor::dropout(dy, rate, random, first_row, words_a_row));
                 });
}

Variable log_prob(const Variable& logits, const Tensor& index) {
  return made_by(tensor::log_prob(logits.value(), index), {logits}, [=](const Tensor& dy) {
    logits.accumulate(tensor::log_prob_backward(dy, logits.value(), index));
  });
}

Variable add(const Variable& a, const Variable& b) {
  return made_by(tensor::add(a.value(), b.value()), {a, b}, [=](const Tensor& dy) {
    a.accumulate(dy);
    b.accumulate(dy);
  });
}

Variable add_rows(const Variable& x, const Variable& rows) {
  return made_by(tensor::add_rows(x.value(), rows.value()), {x, rows}, [=](const Tensor& dy) {
    tensor::add_rows_backward(dy, rows.grad_to_add_into());
    x.accumulate(dy);
  });
}

Variable tilt(const Variable& x, const Variable& g, const Tensor& u, const Tensor& slot) {
  return made_by(tensor::tilt(x.value(), g.value(), u, slot), {x, g}, [=](const Tensor& dy) {
    tensor::tilt_backward(dy, u, slot, g.grad_to_add_into());
    x.accumulate(dy);
  });
}

Variable concat(const Variable& a, const Variable& b) {
  return made_by(tensor::concat(a.value(), b.value()), {a, b}, [=](const Tensor& dy) {
    const auto [da, db] = tensor::concat_backward(dy, a.value().extent(-1));
    a.accumulate(da);
    b.accumulate(db);
  });
}

Variable rows(const Variable& x, std::int64_t first, std::int64_t count) {
  return made_by(x.value().rows(first, count), {x}, [=](const Tensor& dy) {
    if (Tensor* dx = x.grad_to_add_into()) {
      Tensor part = dx->rows(first, count);
      tensor::add_into(part, dy);
    }
  });
}

Variable mask_rows(const Variable& x, const Tensor& count, double value) {
  return made_by(tensor::mask_rows(x.value(), count, value), {x},
                 [=](const Tensor& dy) { x.accumulate(tensor::mask_rows(dy, count, 0)); });
}

Variable reshape(const Variable& x, const tensor::Shape& shape) {
  return made_by(x.value().reshape(shape), {x},
                 [=](const Tensor& dy) { x.accumulate(dy.reshape(x.value().shape())); });
}

Variable multiply(const Variable& a, const Variable& b) {
  return made_by(tensor::multiply(a.value(), b.value()), {a, b}, [=](const Tensor& dy) {
    const auto [da, db] = tensor::multiply_backward(dy, a.value(), b.value());
    a.accumulate(da);
    b.accumulate(db);
  });
}

Variable scale(const Variable& x, double a) {
  return made_by(tensor::scale(x.value(), a), {x},
                 [=](const Tensor& dy) { x.accumulate(tensor::scale(dy, a)); });
}

Variable square(const Variable& x) {
  return made_by(tensor::square(x.value()), {x},
                 [=](const Tensor& dy) { x.accumulate(tensor::square_backward(dy, x.value())); });
}

Variable sum_last(const Variable& x) {
  return made_by(tensor::sum_last(x.value()), {x}, [=](const Tensor& dy) {
    x.accumulate(tensor::sum_last_backward(dy, x.value().shape()));
  });
}

Variable sum_all(const Variable& x) {
  return made_by(tensor::sum_all(x.value()), {x}, [=](const Tensor& dy) {
    x.accumulate(tensor::sum_all_backward(dy, x.value().shape()));
  });
}

Variable mean_all(const Variable& x) {
  return made_by(tensor::mean_all(x.value()), {x}, [=](const Tensor& dy) {
    x.accumulate(tensor::mean_all_backward(dy, x.value().shape()));
  });
}

}  // namespace arbg::autograd
