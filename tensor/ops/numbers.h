// Float64 numbers that an operation reads where it runs, so that work that is repeated as one graph
// (device/repeated.h) finds new ones there each time: learning rates, scales of gradients.
//
// Tensors [n] of any backend. set_numbers writes them anew in place, or makes the tensor where there
// is none yet: an upload, to be done before the repeated work. Throws Error if they are not as many.
#pragma once

#include <cstdint>
#include <span>

#include "tensor/tensor.h"

namespace arbg::tensor {

Tensor make_numbers(std::span<const double> values, Backend backend);
void set_numbers(Tensor& numbers, std::span<const double> values, Backend backend);

// Throws Error unless these are `count` float64 numbers that live where `like` does.
void require_numbers(const Tensor& numbers, std::int64_t count, const Tensor& like,
                     const char* operation, const char* name);

}  // namespace arbg::tensor
