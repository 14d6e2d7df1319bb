// Ranks of MPI.
//
// Every call begins with one number of each rank to all: what it is about to do. So one that has
// failed is heard of wherever the others are, and ranks that do different things find out instead
// of waiting for each other. A process that dies takes the others with it: mpirun sees to that, and
// srun --kill-on-bad-exit.
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <numeric>

#include "tensor/base/world.h"

namespace arbg {
namespace {

constexpr std::int64_t kMessage = std::int64_t{1} << 30;  // bytes; MPI counts in int

enum class Call : std::int64_t { gather, exchange, fail };

class MpiRanks : public Ranks {
 public:
  MpiRanks() {
    int given = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
    require(given >= MPI_THREAD_FUNNELED, "this MPI library does not allow a program with threads");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &count_);
  }
  ~MpiRanks() override { MPI_Finalize(); }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

  int rank() const override { return rank_; }
  int count() const override { return count_; }

  std::string fail_together(const std::string& why) const override {
    if (!failed_.empty()) return failed_;
    try {
      begin(Call::fail, why);
    } catch (const RankFailed& failed) {
      return failed.what();
    }
    return why;
  }

 private:
  std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const override {
    begin(Call::gather);
    const auto size = [](std::int64_t bytes) { return static_cast<std::size_t>(bytes); };
    const std::vector<std::int64_t> sizes = all_have(std::ssize(own));
    const std::int64_t total = std::reduce(sizes.begin(), sizes.end());
    std::vector<std::byte> all = room_for(total);
    if (total > std::numeric_limits<int>::max()) {
      std::copy(own.begin(), own.end(),
                all.begin() + std::reduce(sizes.begin(), sizes.begin() + rank_));
      std::byte* next = all.data();
      for (int r = 0; r < count_; next += sizes[size(r++)]) send_to_all(next, sizes[size(r)], r);
      return all;
    }
    std::vector<int> counts(sizes.begin(), sizes.end()), places(sizes.size());
    std::exclusive_scan(counts.begin(), counts.end(), places.begin(), 0);
    MPI_Allgatherv(own.data(), static_cast<int>(own.size()), MPI_BYTE, all.data(), counts.data(),
                   places.data(), MPI_BYTE, MPI_COMM_WORLD);
    return all;
  }

  std::vector<std::byte> exchange_bytes(std::span<const std::byte> own,
                                        std::span<const std::int64_t> counts) const override {
    begin(Call::exchange);
    std::vector<std::int64_t> sizes(counts.size());
    MPI_Alltoall(counts.data(), 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, MPI_COMM_WORLD);
    std::vector<std::byte> mine = room_for(std::reduce(sizes.begin(), sizes.end()));
    std::vector<MPI_Request> under_way;
    const auto in_messages = [&](std::int64_t bytes, const auto& start) {
      for (std::int64_t first = 0; first < bytes; first += kMessage)
        start(first, static_cast<int>(std::min(kMessage, bytes - first)),
              &under_way.emplace_back(MPI_REQUEST_NULL));
    };
    std::byte* to = mine.data();
    const std::byte* from = own.data();
    for (int r = 0; r < count_; ++r) {
      in_messages(sizes[static_cast<std::size_t>(r)], [&](auto first, int bytes, auto* request) {
        MPI_Irecv(to + first, bytes, MPI_BYTE, r, 0, MPI_COMM_WORLD, request);
      });
      in_messages(counts[static_cast<std::size_t>(r)], [&](auto first, int bytes, auto* request) {
        MPI_Isend(from + first, bytes, MPI_BYTE, r, 0, MPI_COMM_WORLD, request);
      });
      to += sizes[static_cast<std::size_t>(r)];
      from += counts[static_cast<std::size_t>(r)];
    }
    MPI_Waitall(static_cast<int>(under_way.size()), under_way.data(), MPI_STATUSES_IGNORE);
    return mine;
  }

  // The others are in the middle of this call already: nothing but an end of all reaches them.
  std::vector<std::byte> room_for(std::int64_t bytes) const {
    try {
      return std::vector<std::byte>(static_cast<std::size_t>(bytes));
    } catch (const std::exception&) {
      std::fprintf(stderr, "rank %d of %d: there is no memory for %lld bytes of the other ranks\n",
                   rank_, count_, static_cast<long long>(bytes));
      MPI_Abort(MPI_COMM_WORLD, 1);
      throw;
    }
  }

  std::vector<std::int64_t> all_have(std::int64_t own) const {
    std::vector<std::int64_t> all(static_cast<std::size_t>(count_));
    MPI_Allgather(&own, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, MPI_COMM_WORLD);
    return all;
  }

  static void send_to_all(std::byte* bytes, std::int64_t count, int from) {
    for (std::int64_t first = 0; first < count; first += kMessage)
      MPI_Bcast(bytes + first, static_cast<int>(std::min(kMessage, count - first)), MPI_BYTE, from,
                MPI_COMM_WORLD);
  }

  // All tell what they do. Throws RankFailed, at every rank, with what went wrong at the first that
  // has failed, and Error if they do different things.
  void begin(Call call, const std::string& why = {}) const {
    const auto calls = all_have(static_cast<std::int64_t>(call));
    const auto found = std::ranges::find(calls, static_cast<std::int64_t>(Call::fail));
    if (found != calls.end()) {
      const int first = static_cast<int>(found - calls.begin());
      std::int64_t length = std::ssize(why);
      MPI_Bcast(&length, 1, MPI_INT64_T, first, MPI_COMM_WORLD);
      std::string text = first == rank_ ? why : std::string(static_cast<std::size_t>(length), ' ');
      MPI_Bcast(text.data(), static_cast<int>(length), MPI_CHAR, first, MPI_COMM_WORLD);
      const std::string of = "rank " + std::to_string(first) + " of " + std::to_string(count_);
      failed_ = first == 0 ? text : of + ": " + text;
      throw RankFailed(failed_);
    }
    require(std::ranges::count(calls, calls.front()) == count_,
            "the ranks of this run do different things: they were not started alike");
  }

  int rank_ = 0, count_ = 1;
  mutable std::string failed_;  // what has ended the run
};

}  // namespace

std::unique_ptr<Ranks> start_ranks() {
  if (mark_of_launcher() == nullptr) return std::make_unique<Ranks>();
  return std::make_unique<MpiRanks>();
}

}  // namespace arbg
