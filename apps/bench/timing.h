// Times of work on any backend, and the roofs that they are held against.
//
// A device does what it is asked for in order, and the host waits only where it reads a number. So
// a time there is that of many calls, launched as one graph (tensor/device/repeated.h), with one
// number read at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor/base/backend.h"
#include "tensor/gemm/precision.h"
#include "tensor/tensor.h"

namespace arbg::bench {

struct Patience {
  double seconds = 0.2;  // that one time is measured for, at least; 0: one call each
  int turns = 5;         // of which the median is taken
};

double median(std::vector<double> values);

// Normal random numbers times 0.1; from the millionth on they come again.
tensor::Tensor random_tensor(const tensor::Shape& shape, Backend backend);

// Seconds of one call of `body`, which neither uploads nor downloads.
double seconds_of(const std::function<void()>& body, Backend backend, const Patience& patience);

// Operations a second of a product of [n, n] and [n, 4 n], a multiplication and an addition counted
// as two, in the precision that cuda is told. In bf16 the rounding of the smaller operand is in it.
double product_roof(std::int64_t n, tensor::ProductPrecision precision, Backend backend,
                    const Patience& patience);

// Bytes a second, read and written, of a copy of so many numbers.
double copy_roof(std::int64_t numbers, Backend backend, const Patience& patience);

}  // namespace arbg::bench
