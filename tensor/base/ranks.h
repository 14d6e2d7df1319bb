// The processes that do one piece of work together: who one is of how many, which part is whose,
// and sums whose bits do not depend on how the work is shared.
//
// Ranks() is rank 0 of 1: every call returns at once. Where there are several, a derived class says
// so and brings bytes from all to all; the rest follows. Calls that say "together" are made by
// every rank, in the same order, each from one thread at a time; each waits for the others, and so
// whoever starts ranks has to end them all when one of them fails. The others are local: any thread
// may call them at any time.
//
// The sum over L leaves is a binary tree that L alone fixes. Leaves stand in a row; neighbours are
// added, then the sums of neighbours, until one is left; one without a neighbour goes up as it is.
// Five leaves: ((a0 + a1) + (a2 + a3)) + a4. Each rank adds up the whole branches in its share, and
// all add up what these leave, so that any number of ranks and threads gives the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace arbg {

// Rows first ... last - 1.
struct Share {
  std::int64_t first = 0, last = 0;
  std::int64_t count() const { return last - first; }
};

// Leaf `to` becomes the sum of leaves to ... last - 1, which had come down to `to` and `from`.
struct TreeAddition {
  std::int64_t to, from, last;
};

// All additions of the tree, in an order in which they can be done one after another; leaf 0 ends
// as the sum. None for fewer than two leaves.
std::vector<TreeAddition> tree_additions(std::int64_t leaves);

// How many of the leaves of a branch, at least two, are in its left part: the same additions, by
// recursion.
std::int64_t left_leaves(std::int64_t leaves);

class Ranks {
 public:
  Ranks() = default;
  virtual ~Ranks() = default;
  static const Ranks& alone();  // rank 0 of 1

  virtual int rank() const { return 0; }
  virtual int count() const { return 1; }
  bool is_first() const { return rank() == 0; }  // the one that writes files and speaks to people

  // The rows of 0 ... total - 1 that are one rank's (this one's): every row is exactly one's, in
  // the order of ranks, and no rank has more than one row more than another. Throws Error if total
  // is negative or there is no such rank.
  Share share(std::int64_t total) const { return share(total, rank()); }
  Share share(std::int64_t total, int rank) const;

  // Of the tree over leaves that are shared as share(leaves): the branches that a rank adds up
  // alone, in order, which cover its share; and what all add up of their sums, each in the place of
  // its branch's first leaf.
  std::vector<Share> branches(std::int64_t leaves, int rank) const;
  std::vector<TreeAddition> common_additions(std::int64_t leaves) const;

  // Together: the sum of `leaves` leaves of equally many numbers, at every rank; `own` are those of
  // share(leaves), one behind the other. Throws Error unless own holds whole leaves of `width`.
  template <class T>
  std::vector<T> sum_tree(std::int64_t leaves, std::int64_t width, std::span<const T> own) const;

  // Together: what each rank gives, in the order of ranks, at every rank. The numbers of values may
  // differ.
  template <class T>
  std::vector<T> gather(std::span<const T> own) const;

  // Together: returns when all have called it.
  void barrier() const { gather_bytes({}); }

 protected:
  Ranks(const Ranks&) = default;
  Ranks& operator=(const Ranks&) = default;

 private:
  // Together: the bytes of all, in the order of ranks.
  virtual std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const;
  std::vector<TreeAddition> own_additions(std::int64_t leaves) const;
  void check_leaves(std::int64_t leaves, std::int64_t width, std::size_t own) const;
};

template <class T>
std::vector<T> Ranks::gather(std::span<const T> own) const {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes = gather_bytes(std::as_bytes(own));
  std::vector<T> all(bytes.size() / sizeof(T));
  if (!all.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

template <class T>
std::vector<T> Ranks::sum_tree(std::int64_t leaves, std::int64_t width,
                               std::span<const T> own) const {
  check_leaves(leaves, width, own.size());
  std::vector<T> all(static_cast<std::size_t>(leaves * width));
  const auto leaf = [&](std::int64_t i) {
    return std::span(all).subspan(static_cast<std::size_t>(i * width),
                                  static_cast<std::size_t>(width));
  };
  const auto add_up = [&](const std::vector<TreeAddition>& additions) {
    for (const auto& [to, from, last] : additions) {
      for (std::size_t k = 0; k < leaf(to).size(); ++k) leaf(to)[k] += leaf(from)[k];
    }
  };
  std::copy(own.begin(), own.end(), all.begin() + share(leaves).first * width);
  add_up(own_additions(leaves));

  std::vector<T> own_sums;
  for (const auto& branch : branches(leaves, rank())) {
    const auto sum = leaf(branch.first);
    own_sums.insert(own_sums.end(), sum.begin(), sum.end());
  }
  const auto sums = gather(std::span<const T>(own_sums));
  auto next = sums.begin();
  for (int r = 0; r < count(); ++r) {
    for (const auto& branch : branches(leaves, r)) {
      std::copy_n(next, width, leaf(branch.first).begin());
      next += width;
    }
  }
  add_up(common_additions(leaves));
  all.resize(static_cast<std::size_t>(width));
  return all;
}

}  // namespace arbg
