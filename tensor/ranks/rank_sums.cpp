#include "tensor/ranks/rank_sums.h"

#include "tensor/base/error.h"

namespace arbg::tensor {

Tensor sum_branches(const Ranks& ranks, std::int64_t leaves, const Tensor& own) {
  const std::int64_t branches = std::ssize(ranks.branches(leaves, ranks.rank()));
  require(own.shape().rank() == 2 && own.extent(0) == branches, "expected the sums of ", branches,
          " branches, found numbers of shape ", own.shape());
  if (own.device().is_host()) return cpu::sum_branches(ranks, leaves, own);
#ifdef ARBG_NCCL
  return cuda::sum_branches(ranks, leaves, own);
#else
  return cpu::sum_branches(ranks, leaves, own.to(Backend::cpu)).to(own.backend());
#endif
}

}  // namespace arbg::tensor
