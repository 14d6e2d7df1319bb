#include "tensor/ops/numbers.h"

#include "tensor/base/error.h"

namespace arbg::tensor {

Tensor make_numbers(std::span<const double> values, Backend backend) {
  Tensor numbers;
  set_numbers(numbers, values, backend);
  return numbers;
}

void set_numbers(Tensor& numbers, std::span<const double> values, Backend backend) {
  if (!numbers.defined()) numbers = Tensor::empty({std::ssize(values)}, DType::f64, backend);
  numbers.copy_from(Tensor::from_values(values, {std::ssize(values)}, Backend::reference));
}

void require_numbers(const Tensor& numbers, std::int64_t count, const Tensor& like,
                     const char* operation, const char* name) {
  require(numbers.defined() && numbers.dtype() == DType::f64 && numbers.shape() == Shape{count},
          operation, ": expected ", name, " as ", count, " numbers of type f64");
  require(numbers.backend() == like.backend(), operation, ": ", name, " is on the backend ",
          name_of(numbers.backend()), ", the other inputs are on ", name_of(like.backend()));
}

}  // namespace arbg::tensor
