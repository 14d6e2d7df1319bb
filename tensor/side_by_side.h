// Tensors that share a storage, so that a device is asked once for what is done to every number of
// each of them.
//
// Each begins at a multiple of 64 numbers (256 bytes of float32), for wide loads. Behind it are
// zeros up to the next, which stay zeros when zeros are all that is added to them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace arbg::tensor {

constexpr std::int64_t kBeginsAtMultipleOf = 64;

// Copies of tensors of one number type on one backend, in one storage in their order.
std::vector<Tensor> side_by_side(std::span<const Tensor> tensors);

// Zeros that lie as the tensors do: in as many storages, at the same places.
std::vector<Tensor> zeros_laid_out_like(std::span<const Tensor> tensors);

// The first tensor of every storage: what is done to the whole() of these is done to all. Throws
// Error if a storage holds more than these tensors and what lies between them.
std::vector<std::size_t> one_of_each_storage(std::span<const Tensor> tensors);

}  // namespace arbg::tensor
