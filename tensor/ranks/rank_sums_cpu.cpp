#include <algorithm>

#include "tensor/ranks/rank_sums.h"

namespace arbg::tensor::cpu {
namespace {

template <class T>
Tensor sum(const Ranks& ranks, std::int64_t leaves, const Tensor& own) {
  const auto values = std::span(own.host_data<T>(), static_cast<std::size_t>(own.elements()));
  const std::vector<T> sums = ranks.sum_branches(leaves, own.extent(1), values);
  Tensor out = Tensor::empty({own.extent(1)}, own.dtype(), own.backend());
  std::ranges::copy(sums, out.host_data<T>());
  return out;
}

}  // namespace

Tensor sum_branches(const Ranks& ranks, std::int64_t leaves, const Tensor& own) {
  return own.dtype() == DType::f64 ? sum<double>(ranks, leaves, own)
                                   : sum<float>(ranks, leaves, own);
}

}  // namespace arbg::tensor::cpu
