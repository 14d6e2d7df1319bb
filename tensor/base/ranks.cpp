#include "tensor/base/ranks.h"

#include <algorithm>

#include "tensor/base/error.h"

namespace arbg {
namespace {

bool inside(const TreeAddition& addition, const Share& share) {
  return addition.to >= share.first && addition.last <= share.last;
}

}  // namespace

std::vector<TreeAddition> tree_additions(std::int64_t leaves) {
  std::vector<TreeAddition> additions;
  for (std::int64_t distance = 1; distance < leaves; distance *= 2) {
    for (std::int64_t to = 0; to + distance < leaves; to += 2 * distance)
      additions.push_back({to, to + distance, std::min(to + 2 * distance, leaves)});
  }
  return additions;
}

std::int64_t left_leaves(std::int64_t leaves) {
  require(leaves >= 2, "a branch of ", leaves, " leaves has no two parts");
  std::int64_t left = 1;
  while (2 * left < leaves) left *= 2;
  return left;
}

const Ranks& Ranks::alone() {
  static const Ranks one;
  return one;
}

Share Ranks::share(std::int64_t total, int rank) const {
  require(total >= 0, "expected a number of rows to share, found ", total);
  require(rank >= 0 && rank < count(), "there is no rank ", rank, " of ", count());
  const std::int64_t each = total / count(), one_more = total % count();
  const std::int64_t first = rank * each + std::min<std::int64_t>(rank, one_more);
  return {first, first + each + (rank < one_more ? 1 : 0)};
}

std::vector<TreeAddition> Ranks::own_additions(std::int64_t leaves) const {
  auto additions = tree_additions(leaves);
  const Share own = share(leaves);
  std::erase_if(additions, [&](const TreeAddition& a) { return !inside(a, own); });
  return additions;
}

std::vector<Share> Ranks::branches(std::int64_t leaves, int rank) const {
  const Share own = share(leaves, rank);
  std::vector<Share> branches;
  for (auto leaf = own.first; leaf < own.last; ++leaf) branches.push_back({leaf, leaf + 1});
  for (const auto& addition : tree_additions(leaves)) {
    if (!inside(addition, own)) continue;
    std::erase_if(branches, [&](const Share& branch) { return branch.first == addition.from; });
    std::ranges::find(branches, addition.to, &Share::first)->last = addition.last;
  }
  return branches;
}

std::vector<TreeAddition> Ranks::common_additions(std::int64_t leaves) const {
  auto additions = tree_additions(leaves);
  for (int r = 0; r < count(); ++r) {
    const Share done = share(leaves, r);
    std::erase_if(additions, [&](const TreeAddition& a) { return inside(a, done); });
  }
  return additions;
}

void Ranks::check_leaves(std::int64_t leaves, std::int64_t width, std::size_t own) const {
  require(leaves >= 1 && width >= 0, "expected at least one leaf to sum, found ", leaves, " of ",
          width, " numbers");
  const auto expected = share(leaves).count() * width;
  require(static_cast<std::int64_t>(own) == expected, "expected ", expected, " numbers, for the ",
          share(leaves).count(), " leaves of rank ", rank(), ", found ", own);
}

std::vector<std::byte> Ranks::gather_bytes(std::span<const std::byte> own) const {
  return {own.begin(), own.end()};
}

}  // namespace arbg
