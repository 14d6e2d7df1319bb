// Sums over ranks between devices, by NCCL: no number passes the host.
//
// Of n numbers and one branch a rank, each sends and receives 4 n (ranks - 1) / ranks bytes twice:
// parts to those who add them up, and sums to all. The additions are those of base/ranks.h in its
// order, by add_into: NCCL only carries, and its own sums, whose order follows the number of ranks,
// are not used.
#include <nccl.h>

#include "tensor/base/error.h"
#include "tensor/device/stream_cuda.h"
#include "tensor/ops/add.h"
#include "tensor/ranks/rank_sums.h"

namespace arbg::tensor::cuda {
namespace {

void check(ncclResult_t result, const char* what) {
  require(result == ncclSuccess, "NCCL failed in ", what, ": ", ncclGetErrorString(result));
}

ncclComm_t make_communicator(const Ranks& ranks) {
  ncclUniqueId id{};
  if (ranks.is_first()) check(ncclGetUniqueId(&id), "making an id");
  const auto ids = ranks.gather(std::span<const ncclUniqueId>(&id, 1));
  ncclComm_t communicator = nullptr;
  check(ncclCommInitRank(&communicator, ranks.count(), ids.front(), ranks.rank()),
        "meeting the other ranks (each needs a GPU of its own)");
  return communicator;
}

// Of the one run that a process is in.
ncclComm_t communicator(const Ranks& ranks) {
  static const ncclComm_t one = make_communicator(ranks);
  return one;
}

template <class Body>
void in_one_group(const Body& body) {
  check(ncclGroupStart(), "beginning a group");
  body();
  check(ncclGroupEnd(), "ending a group");
}

// This rank's part of all branches, in their order: [branches, numbers of the part].
Tensor own_part_of_all(const Ranks& ranks, std::int64_t leaves, const Tensor& own) {
  const std::int64_t n = own.extent(1), size = ranks.share(n).count();
  std::int64_t all = 0, next = 0;
  for (int r = 0; r < ranks.count(); ++r) all += std::ssize(ranks.branches(leaves, r));
  Tensor out = Tensor::empty({all, size}, own.dtype(), own.backend());
  in_one_group([&] {
    for (int r = 0; r < ranks.count(); ++r) {
      const Share part = ranks.share(n, r);
      for (std::int64_t b = 0; b < own.extent(0) && part.count() > 0; ++b)
        check(ncclSend(own.device_data<float>() + b * n + part.first,
                       static_cast<std::size_t>(part.count()), ncclFloat, r, communicator(ranks),
                       stream()),
              "sending");
      const auto branches = std::ssize(ranks.branches(leaves, r));
      for (std::int64_t b = 0; b < branches && size > 0; ++b)
        check(ncclRecv(out.device_data<float>() + (next + b) * size, static_cast<std::size_t>(size),
                       ncclFloat, r, communicator(ranks), stream()),
              "receiving");
      next += branches;
    }
  });
  return out;
}

}  // namespace

Tensor sum_branches(const Ranks& ranks, std::int64_t leaves, const Tensor& own) {
  require(own.dtype() == DType::f32, "expected sums of float32, found ", name_of(own.dtype()));
  ranks.barrier();  // nobody waits in NCCL for a rank that has failed
  communicator(ranks);
  const Tensor parts = own_part_of_all(ranks, leaves, own);
  std::vector<std::int64_t> row(static_cast<std::size_t>(leaves));  // of a branch's first leaf
  std::int64_t next = 0;
  for (int r = 0; r < ranks.count(); ++r)
    for (const auto& branch : ranks.branches(leaves, r))
      row[static_cast<std::size_t>(branch.first)] = next++;
  for (const auto& addition : ranks.common_additions(leaves)) {
    Tensor sum = parts.rows(row[static_cast<std::size_t>(addition.to)], 1);
    tensor::add_into(sum, parts.rows(row[static_cast<std::size_t>(addition.from)], 1));
  }
  Tensor out = Tensor::empty({own.extent(1)}, own.dtype(), own.backend());
  in_one_group([&] {
    for (int r = 0; r < ranks.count(); ++r) {
      const Share part = ranks.share(own.extent(1), r);
      if (part.count() > 0)
        check(ncclBroadcast(parts.device_data<float>(), out.device_data<float>() + part.first,
                            static_cast<std::size_t>(part.count()), ncclFloat, r,
                            communicator(ranks), stream()),
              "telling all");
    }
  });
  return out;
}

}  // namespace arbg::tensor::cuda
