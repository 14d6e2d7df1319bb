// The processes that do one piece of work together: who one is of how many, which part is whose,
// and sums whose bits do not depend on how the work is shared.
//
// Ranks() is rank 0 of 1: every call returns at once. Where there are several, a derived class says
// so and brings bytes from rank to rank; the rest follows. Calls that say "together" are made by
// every rank, in the same order, each from one thread at a time; each waits for the others. A rank
// that cannot go on calls fail_together() instead of the next of them, and the others leave theirs
// by RankFailed: so one that fails ends all. The calls that do not say so are local: any thread may
// make them at any time.
//
// The sum over L leaves is a binary tree that L alone fixes. Leaves stand in a row; neighbours are
// added, then the sums of neighbours, until one is left; one without a neighbour goes up as it is.
// Five leaves: ((a0 + a1) + (a2 + a3)) + a4. Each rank adds up the whole branches in its share; of
// what these leave each adds up a part of the numbers and tells all. So any number of ranks and
// threads gives the same bits, and of n numbers a rank sends and receives about 2 n, however many
// ranks there are, if each has one branch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "tensor/base/error.h"

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

// Another rank has failed, and says why.
class RankFailed : public Error {
  using Error::Error;
};

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

  // Together: the same from the sums of branches(leaves, rank()), one behind the other.
  template <class T>
  std::vector<T> sum_branches(std::int64_t leaves, std::int64_t width,
                              std::span<const T> own) const;

  // Together: what each rank gives, in the order of ranks, at every rank. The numbers of values may
  // differ.
  template <class T>
  std::vector<T> gather(std::span<const T> own) const;

  // Together: the same at the first rank; nothing at the others.
  template <class T>
  std::vector<T> gather_at_first(std::span<const T> own) const;

  // Together: own holds counts[r] values for each rank r, one behind the other; what all have for
  // this one, in the order of ranks.
  template <class T>
  std::vector<T> exchange(std::span<const T> own, std::span<const std::int64_t> counts) const;

  // Together: the number that the first rank gives, at every rank.
  double broadcast(double number) const;

  // Together: whether it holds at any rank.
  bool any(bool holds) const;

  // Together: returns when all have called it.
  void barrier() const { gather_bytes({}); }

  // Together: throws Error, at every rank, naming the ranks that do not have the first one's bytes.
  // `what` stands in "rank 1, 3: WHAT that is not rank 0's".
  void agree(const char* what, std::span<const std::byte> bytes) const;
  void agree(const char* what, const std::string& text) const;

  // For a rank that cannot go on, instead of its next call that is together: the others' next one
  // throws RankFailed. Returns what went wrong at the first rank that failed, which may be another,
  // with its number in front unless it is rank 0; after RankFailed, what that said.
  virtual std::string fail_together(const std::string& why) const { return why; }

 protected:
  Ranks(const Ranks&) = default;
  Ranks& operator=(const Ranks&) = default;

 private:
  // Together: the bytes of all, in the order of ranks; or of each those for this rank.
  virtual std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const;
  virtual std::vector<std::byte> exchange_bytes(std::span<const std::byte> own,
                                                std::span<const std::int64_t> counts) const;
  std::vector<TreeAddition> own_additions(std::int64_t leaves) const;
  void check_numbers(std::int64_t rows, std::int64_t width, std::size_t own) const;
};

namespace detail {

template <class T>
std::vector<T> values_in(const std::vector<std::byte>& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace detail

template <class T>
std::vector<T> Ranks::gather(std::span<const T> own) const {
  return detail::values_in<T>(gather_bytes(std::as_bytes(own)));
}

template <class T>
std::vector<T> Ranks::exchange(std::span<const T> own, std::span<const std::int64_t> counts) const {
  std::vector<std::int64_t> bytes(counts.begin(), counts.end());
  for (auto& count : bytes) count *= static_cast<std::int64_t>(sizeof(T));
  return detail::values_in<T>(exchange_bytes(std::as_bytes(own), bytes));
}

template <class T>
std::vector<T> Ranks::gather_at_first(std::span<const T> own) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(count()));
  counts.front() = static_cast<std::int64_t>(own.size());
  return exchange(own, std::span<const std::int64_t>(counts));
}

template <class T>
std::vector<T> Ranks::sum_branches(std::int64_t leaves, std::int64_t width,
                                   std::span<const T> own) const {
  const auto branches_of = [&](int r) { return branches(leaves, r); };
  const auto at = [](std::int64_t index) { return static_cast<std::size_t>(index); };
  const std::int64_t own_branches = std::ssize(branches_of(rank()));
  check_numbers(own_branches, width, own.size());
  // To each rank its part of every branch.
  std::vector<T> parts;
  std::vector<std::int64_t> counts;
  for (int r = 0; r < count(); ++r) {
    const Share part = share(width, r);
    for (std::int64_t b = 0; b < own_branches; ++b) {
      const auto numbers = own.subspan(at(b * width + part.first), at(part.count()));
      parts.insert(parts.end(), numbers.begin(), numbers.end());
    }
    counts.push_back(own_branches * part.count());
  }
  auto received = exchange(std::span<const T>(parts), std::span<const std::int64_t>(counts));
  const std::int64_t size = share(width).count();
  std::vector<std::int64_t> place(at(leaves));  // in what was received, of a branch's first leaf
  std::int64_t next = 0;
  for (int r = 0; r < count(); ++r)
    for (const auto& branch : branches_of(r)) place[at(branch.first)] = size * next++;
  for (const auto& [to, from, last] : common_additions(leaves)) {
    T* const sum = received.data() + place[at(to)];
    const T* const more = received.data() + place[at(from)];
    for (std::int64_t k = 0; k < size; ++k) sum[k] += more[k];
  }
  return gather(std::span<const T>(received).first(at(size)));
}

template <class T>
std::vector<T> Ranks::sum_tree(std::int64_t leaves, std::int64_t width,
                               std::span<const T> own) const {
  require(leaves >= 1 && width >= 0, "expected at least one leaf to sum, found ", leaves, " of ",
          width, " numbers");
  const Share shared = share(leaves);
  check_numbers(shared.count(), width, own.size());
  std::vector<T> all(own.begin(), own.end());
  const auto leaf = [&](std::int64_t i) { return all.data() + (i - shared.first) * width; };
  for (const auto& [to, from, last] : own_additions(leaves))
    for (std::int64_t k = 0; k < width; ++k) leaf(to)[k] += leaf(from)[k];
  std::vector<T> sums;
  for (const auto& branch : branches(leaves, rank()))
    sums.insert(sums.end(), leaf(branch.first), leaf(branch.first) + width);
  return sum_branches(leaves, width, std::span<const T>(sums));
}

}  // namespace arbg
