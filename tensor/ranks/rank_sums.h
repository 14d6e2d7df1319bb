// Sums of tensors over ranks: the last additions of the tree of base/ranks.h.
//
// Ranks have added up the branches of the tree that lie in their shares; own [branches, n] holds
// the sums of this rank's, in order. Each rank adds up a part of the n numbers and tells all, in
// the host's memory or, where NCCL is built in and the numbers are on a device, between devices:
// the same additions in the same order, so that the bits are the same.
#pragma once

#include "tensor/base/ranks.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

// The sum of all leaves [n], at every rank. Together. Throws Error unless own has as many rows as
// this rank has branches.
Tensor sum_branches(const Ranks& ranks, std::int64_t leaves, const Tensor& own);

// The implementations; their input has been checked.
namespace cpu {
Tensor sum_branches(const Ranks& ranks, std::int64_t leaves, const Tensor& own);
}  // namespace cpu
namespace cuda {
Tensor sum_branches(const Ranks& ranks, std::int64_t leaves, const Tensor& own);
}  // namespace cuda

}  // namespace arbg::tensor
