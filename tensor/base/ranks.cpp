#include "tensor/base/ranks.h"

#include <algorithm>

#include "tensor/base/crc32.h"
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

void Ranks::check_numbers(std::int64_t rows, std::int64_t width, std::size_t own) const {
  require(static_cast<std::int64_t>(own) == rows * width, "expected ", rows * width,
          " numbers, for the ", rows, " leaves or branches of rank ", rank(), ", found ", own);
}

double Ranks::broadcast(double number) const {
  return gather(std::span<const double>(&number, 1)).front();
}

bool Ranks::any(bool holds) const {
  const auto own = static_cast<std::byte>(holds ? 1 : 0);
  const auto all = gather_bytes({&own, 1});
  return std::ranges::find(all, std::byte{1}) != all.end();
}

void Ranks::agree(const char* what, std::span<const std::byte> bytes) const {
  Crc32 sum;
  sum.add(bytes);
  const std::int64_t own[] = {std::ssize(bytes), sum.value()};
  const auto all = gather(std::span<const std::int64_t>(own));
  require(std::ssize(all) == 2 * count(), "the ranks of this run do different things");
  std::string others;
  for (std::size_t r = 0; r < all.size() / 2; ++r) {
    if (all[2 * r] == all[0] && all[2 * r + 1] == all[1]) continue;
    others += (others.empty() ? "" : ", ") + std::to_string(r);
  }
  require(others.empty(), "rank ", others, ": ", what, " that is not rank 0's");
}

void Ranks::agree(const char* what, const std::string& text) const {
  agree(what, std::as_bytes(std::span(text)));
}

std::vector<std::byte> Ranks::gather_bytes(std::span<const std::byte> own) const {
  return {own.begin(), own.end()};
}

std::vector<std::byte> Ranks::exchange_bytes(std::span<const std::byte> own,
                                             std::span<const std::int64_t>) const {
  return {own.begin(), own.end()};
}

}  // namespace arbg
