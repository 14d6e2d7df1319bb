// Several ranks in one process: each is a thread.
#pragma once

#include <barrier>
#include <numeric>
#include <thread>
#include <vector>

#include "tensor/base/ranks.h"

namespace arbg {

class ThreadRanks : public Ranks {
 public:
  // What the ranks of a group have in common.
  struct Group {
    explicit Group(int count)
        : gate(count), given(static_cast<std::size_t>(count)), counts(given.size()) {}
    std::barrier<> gate;
    std::vector<std::span<const std::byte>> given;
    std::vector<std::span<const std::int64_t>> counts;  // of an exchange
  };
  ThreadRanks(Group& group, int rank) : group_(&group), rank_(rank) {}
  int rank() const override { return rank_; }
  int count() const override { return static_cast<int>(group_->given.size()); }

 private:
  std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const override {
    group_->given[static_cast<std::size_t>(rank_)] = own;
    group_->gate.arrive_and_wait();
    std::vector<std::byte> all;
    for (const auto& bytes : group_->given) all.insert(all.end(), bytes.begin(), bytes.end());
    group_->gate.arrive_and_wait();  // nobody leaves while another still reads
    return all;
  }

  std::vector<std::byte> exchange_bytes(std::span<const std::byte> own,
                                        std::span<const std::int64_t> counts) const override {
    const auto self = static_cast<std::size_t>(rank_);
    group_->given[self] = own;
    group_->counts[self] = counts;
    group_->gate.arrive_and_wait();
    std::vector<std::byte> mine;
    for (std::size_t r = 0; r < group_->given.size(); ++r) {
      const auto first = std::accumulate(group_->counts[r].begin(),
                                         group_->counts[r].begin() + rank_, std::int64_t{0});
      const auto part = group_->given[r].subspan(static_cast<std::size_t>(first),
                                                 static_cast<std::size_t>(group_->counts[r][self]));
      mine.insert(mine.end(), part.begin(), part.end());
    }
    group_->gate.arrive_and_wait();
    return mine;
  }

  Group* group_;
  int rank_;
};

// Runs body(ranks) as every rank of `count`, at once; the body must not throw.
template <class Body>
void on_ranks(int count, const Body& body) {
  ThreadRanks::Group group(count);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank)
    threads.emplace_back([&group, &body, rank] { body(ThreadRanks(group, rank)); });
  for (auto& thread : threads) thread.join();
}

}  // namespace arbg
