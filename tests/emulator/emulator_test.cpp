// Right kernels run, and each planted fault is named with its line: every case of the second half
// has the right form of the same kernel beside the wrong one.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "faults.h"
#include "tensor/device/repeated.h"
#include "tensor/ops/add.h"

namespace arbg::tensor::cuda {
namespace {

// y = x from the last to the first, through shared memory.
__global__ void turned(Span<float> y, Span<const float> x, bool wrong) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  const int i = this_thread();
  tile[i] = x[i];
  if (!wrong) __syncthreads();
  FAULT_BELOW;
  y[i] = tile[kThreadsOfBlock - 1 - i];
}

// All of one warp write one element after the other.
__global__ void one_writer(Span<float> y, bool wrong) {
  ARBG_SHARED(float, sum, 1);
  FAULT_BELOW;
  if (this_thread() == 0 || wrong) sum[0] = 1.0F;
  __syncthreads();
  y[this_thread()] = sum[0];
}

// Each thread reads what its neighbour has written, and then writes there in turn.
__global__ void read_then_write(Span<float> y, bool wrong) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  const int i = this_thread(), next = (i + 1) % kThreadsOfBlock;
  tile[i] = static_cast<float>(i);
  __syncthreads();
  y[i] = tile[next];
  if (!wrong) __syncthreads();
  tile[i] = 0.0F;
}

__global__ void within_a_warp(Span<float> y, bool wrong) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  const int i = this_thread();
  tile[i] = static_cast<float>(i);
  if (wrong) {
    __shfl_xor_sync(kAllLanes, 0, 1);
  } else {
    __syncwarp();
  }
  y[i] = tile[i ^ 1];
}

// All read one element, and meet in an exchange, which orders no memory; then the last that has
// read it writes.
__global__ void read_by_all(Span<float> y, bool wrong) {
  ARBG_SHARED(float, one, 2);
  const int warp = this_warp(), lane = this_lane();
  if (lane == 0) one[warp] = 1.0F;
  __syncwarp();
  y[this_thread()] = one[warp];
  __shfl_sync(kAllLanes, 0, 0);
  if (!wrong) __syncwarp();
  if (lane > 0) return;
  const float last = one[warp];
  FAULT_BELOW;
  one[warp] = last + 1.0F;
}

__global__ void one_element_from_every_block(Span<float> y) { y[this_thread()] = 1.0F; }

__global__ void scaled(Span<float> y, Span<const float> x, std::int64_t n) {
  const std::int64_t i = thread_number();
  FAULT_BELOW;
  if (i < n) y[i] = 2 * x[i];
}

__global__ void last_of_tile(Span<float> y, int last) {
  ARBG_DYNAMIC_SHARED(float, tile);
  const int i = this_thread();
  tile[i] = 1.0F;
  tile[i + kThreadsOfBlock] = 2.0F;
  __syncthreads();
  FAULT_BELOW;
  if (i == 0) y[0] = tile[last];
}

// Four numbers each, of memory that may begin between two multiples of 16 bytes.
__global__ void by_fours(Span<float> y, Span<const float> x, int begin) {
  const int i = 4 * this_thread() + begin;
  if (i + 4 > x.size()) return;
  FAULT_BELOW;
  Four<float> four = load_four(x, i);
  for (int j = 0; j < 4; ++j) four[j] *= 2;
  store_four(y, 4 * this_thread(), four);
}

__global__ void stores_four(Span<float> y, int begin) {
  FAULT_BELOW;
  if (this_thread() == 0) store_four(y, begin, {1.0F, 2.0F, 3.0F, 4.0F});
}

__global__ void mask_of_lanes(Span<float> y, unsigned mask, int lanes_that_come) {
  const int i = this_thread();
  float sum = static_cast<float>(i);
  FAULT_BELOW;
  if (i % kWarp < lanes_that_come) sum += __shfl_xor_sync(mask, sum, 1);
  y[i] = sum;
}

__global__ void asynchronous(Span<float> y, Span<const float> x, bool waits, bool meets) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  const int i = this_thread();
  copy_async(&tile[i], &x[i]);
  commit_copies();
  if (waits) wait_copies<0>();
  if (meets) __syncthreads();
  FAULT_BELOW;
  y[i] = tile[i ^ 1];
  wait_copies<0>();
}

// A copy begins before all have read what it overwrites, or is read by others before a barrier.
__global__ void early_copy(Span<float> y, Span<const float> x, bool begins_early,
                           bool is_read_early) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  const int i = this_thread();
  tile[i] = 1.0F;
  __syncthreads();
  y[i] = tile[i ^ 1];
  __shfl_sync(kAllLanes, 0, 0);
  if (!begins_early) __syncthreads();
  if (begins_early) FAULT_BELOW;
  copy_async(&tile[i], &x[i]);
  commit_copies();
  __syncthreads();
  wait_copies<0>();
  __shfl_sync(kAllLanes, 0, 0);
  if (!is_read_early) __syncthreads();
  if (!begins_early) FAULT_BELOW;
  y[i] += tile[i ^ 1];
}

__global__ void stale_tile(Span<float> y, Span<const float> x, bool wrong) {
  ARBG_SHARED(float, tile, 2 * kThreadsOfBlock);
  const int i = this_thread();
  for (int half = 0; half < 2; ++half) {
    copy_async(&tile[half * kThreadsOfBlock + i], &x[i]);
    commit_copies();
  }
  if (wrong) {
    wait_copies<1>();
  } else {
    wait_copies<0>();
  }
  __syncthreads();
  FAULT_BELOW;
  y[i] = tile[kThreadsOfBlock + i];
  wait_copies<0>();
}

__global__ void leaves_a_copy(Span<const float> x) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  FAULT_BELOW;
  copy_async(&tile[this_thread()], &x[this_thread()]);
  commit_copies();
}

__global__ void some_leave(Span<float> y, int leave) {
  if (this_thread() < leave) return;
  FAULT_BELOW;
  __syncthreads();
  y[this_thread()] = 1.0F;
}

__global__ void two_barriers(Span<float> y, int first) {
  if (this_thread() < first) {
    FAULT_BELOW;
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[this_thread()] = 1.0F;
}

__global__ void sum_of_first(Span<float> y, int written) {
  ARBG_SHARED(float, tile, kThreadsOfBlock);
  const int i = this_thread();
  if (i < written) tile[i] = 1.0F;
  __syncthreads();
  FAULT_BELOW;
  y[i] = tile[i];
}

__global__ void too_much_shared(Span<float> y) {
  FAULT_BELOW;
  ARBG_SHARED(double, tile, 7000);
  y[0] = static_cast<float>(tile.size());
}

// y = x but for its last numbers, four at a time from the number `first` on.
__global__ void in_fours(Span<float> y, Span<const float> x, int first, bool copies) {
  ARBG_SHARED(float, tile, 4 * kThreadsOfBlock);
  const int i = 4 * this_thread();
  Four<float> four = {};
  if (copies) {
    FAULT_BELOW;
    copy_four_async(tile, i, x, first + i);
    commit_copies();
    wait_copies<0>();
    four = load_four(tile, i);
  } else {
    FAULT_BELOW;
    four = load_four(x, first + i);
  }
  for (int n = 0; n < 4; ++n) y[i + n] = four[n];
}

__global__ void much_shared(Span<float> y) {
  FAULT_BELOW;
  ARBG_DYNAMIC_SHARED(float, tile);
  if (this_thread() == 0) y[0] = static_cast<float>(tile.size());
}

__global__ void exchanges(Span<float> y) {
  const int lane = this_lane();
  const auto at = static_cast<std::int64_t>(this_thread()) * 6;
  y[at] = static_cast<float>(__shfl_sync(kAllLanes, lane, 7));
  y[at + 1] = static_cast<float>(__shfl_xor_sync(kAllLanes, lane, 3));
  y[at + 2] = static_cast<float>(__shfl_down_sync(kAllLanes, lane, 5));
  y[at + 3] = static_cast<float>(__shfl_up_sync(kAllLanes, lane, 5));
  y[at + 4] = static_cast<float>(__ffs(static_cast<int>(__ballot_sync(kAllLanes, lane > 8))));
  y[at + 5] = static_cast<float>(__clz(static_cast<int>(__ballot_sync(kAllLanes, lane < 8))));
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("lanes of a warp exchange their numbers as CUDA says") {
    Tensor y = zeros(std::int64_t{6} * kThreadsOfBlock);
    CHECK(fault_of(exchanges, numbers<float>(y)) == "");
    const auto found = y.values();
    for (int i = 0; i < kThreadsOfBlock; ++i) {
      const int lane = i % kWarp;
      const std::vector<double> here(found.begin() + 6 * i, found.begin() + 6 * i + 6);
      const int down = lane < 27 ? lane + 5 : lane, up = lane < 5 ? lane : lane - 5;
      CHECK(here == std::vector<double>{7, double(lane ^ 3), double(down), double(up), 10, 24});
    }
  }

  TEST_CASE("a block sees the whole shared array after a barrier, and not before") {
    Tensor x = zeros(kThreadsOfBlock), y = zeros(kThreadsOfBlock);
    for (int i = 0; i < kThreadsOfBlock; ++i) x.rows(i, 1).fill(i);
    const auto in = numbers<float>(std::as_const(x));
    CHECK(fault_of(turned, numbers<float>(y), in, false) == "");
    CHECK(y.values().front() == kThreadsOfBlock - 1);
    const std::string missing = fault_of(turned, numbers<float>(y), in, true);
    CHECK((missing.find("nobody has written") != std::string::npos || names(missing, "a race")));
  }

  TEST_CASE("a race is named: two writers, a late reader, within a warp, between blocks") {
    Tensor y = zeros(kThreadsOfBlock);
    const auto out = numbers<float>(y);
    CHECK(fault_of(one_writer, out, false) == "");
    names(fault_of(one_writer, out, true), "a race");
    CHECK(fault_of(read_then_write, out, false) == "");
    CHECK(fault_of(read_then_write, out, true).find("a race") != std::string::npos);
    CHECK(fault_of(within_a_warp, out, false) == "");
    CHECK(fault_of(within_a_warp, out, true) != "");
    CHECK(fault_of(read_by_all, out, false) == "");
    names(fault_of(read_by_all, out, true), "a race");
    launch(one_element_from_every_block, {1, kThreadsOfBlock}, out);
    CHECK_THROWS_WITH_AS(launch(one_element_from_every_block, {2, kThreadsOfBlock}, out),
                         doctest::Contains("a race"), emulator::Fault);
  }

  TEST_CASE("wide elements at an address that is not aligned to them are named") {
    struct alignas(8) Two {
      float x[2];
    };
    const Tensor x = zeros(kThreadsOfBlock);
    const float* address = x.device_data<float>();
    const auto wide = [&](int first) {
      return Span(reinterpret_cast<const Two*>(address + first), 4);
    };
    CHECK(wide(2).size() == 4);
    CHECK_THROWS_WITH_AS(wide(1), doctest::Contains("does not fit"), emulator::Fault);
  }

  TEST_CASE("an index outside is named, of a tensor's view and of a tile") {
    Tensor whole = zeros(kThreadsOfBlock), x = whole.rows(3, 50), y = whole.rows(3, 50);
    const auto out = numbers<float>(y);
    const auto in = numbers<float>(std::as_const(x));
    CHECK(fault_of(scaled, out, in, std::int64_t{50}) == "");
    names(fault_of(scaled, out, in, std::int64_t{51}), "element 50 is outside");
    CHECK(fault_of(last_of_tile, out, 2 * kThreadsOfBlock - 1) == "");
    names(fault_of(last_of_tile, out, 2 * kThreadsOfBlock), "element 128 is outside");
    names(fault_of(last_of_tile, out, -1), "element -1 is outside");
  }

  TEST_CASE("an access of 16 bytes is named that begins elsewhere, or ends outside") {
    Tensor x = zeros(kThreadsOfBlock), y = zeros(kThreadsOfBlock);
    x.fill(3);
    const auto out = numbers<float>(y);
    const auto in = numbers<float>(std::as_const(x));
    CHECK(fault_of(by_fours, out, in, 0) == "");
    CHECK(y.values() == std::vector<double>(kThreadsOfBlock, 6.0));
    CHECK(fault_of(by_fours, out, in, 4) == "");
    names(fault_of(by_fours, out, in, 1), "begins 4 bytes behind a multiple");
    CHECK(fault_of(stores_four, out, kThreadsOfBlock - 4) == "");
    names(fault_of(stores_four, out, 2), "begins 8 bytes behind a multiple");
    names(fault_of(stores_four, out, kThreadsOfBlock), "element 64 is outside");
    Tensor part = y.rows(0, kThreadsOfBlock - 2);
    names(fault_of(stores_four, numbers<float>(part), kThreadsOfBlock - 4),
          "element 62 is outside");
  }

  TEST_CASE("four neighbours come in one access, which begins at a multiple of 16 bytes") {
    constexpr int kSize = 4 * kThreadsOfBlock;
    Tensor x = zeros(kSize + 4), y = zeros(kSize);
    for (int i = 0; i < kSize + 4; ++i) x.rows(i, 1).fill(i);
    const auto out = numbers<float>(y);
    const auto in = numbers<float>(std::as_const(x));
    for (const bool copies : {false, true}) {
      CHECK(fault_of(in_fours, out, in, 4, copies) == "");
      CHECK(y.values() == x.rows(4, kSize).values());
      names(fault_of(in_fours, out, in, 2, copies), "begins 8 bytes behind a multiple");
      names(fault_of(in_fours, out, in, 8, copies), "is outside of an array");
    }
  }

  TEST_CASE("a mask that names a lane that does not come, or not its own, is named") {
    Tensor y = zeros(kThreadsOfBlock);
    const auto out = numbers<float>(y);
    CHECK(fault_of(mask_of_lanes, out, kAllLanes, 32) == "");
    CHECK(fault_of(mask_of_lanes, out, 0xFFFFU, 16) == "");
    names(fault_of(mask_of_lanes, out, kAllLanes, 16), "does not come: it has left");
    names(fault_of(mask_of_lanes, out, 0xFFFFU, 32), "is not in its own mask");
    names(fault_of(mask_of_lanes, out, 0x1U, 1), "asks lane 1");
  }

  TEST_CASE(
      "an asynchronous tile is there for its thread after the wait, for all after a barrier") {
    Tensor x = zeros(kThreadsOfBlock), y = zeros(kThreadsOfBlock);
    const auto out = numbers<float>(y);
    const auto in = numbers<float>(std::as_const(x));
    CHECK(fault_of(asynchronous, out, in, true, true) == "");
    names(fault_of(asynchronous, out, in, false, true), "has yet to bring");
    CHECK(fault_of(asynchronous, out, in, true, false) != "");
    CHECK(fault_of(early_copy, out, in, false, false) == "");
    names(fault_of(early_copy, out, in, true, false), "a race");
    names(fault_of(early_copy, out, in, false, true), "a race");
    CHECK(fault_of(stale_tile, out, in, false) == "");
    names(fault_of(stale_tile, out, in, true), "has yet to bring");
    names(fault_of(leaves_a_copy, in), "not waited for");
  }

  TEST_CASE("a divergent barrier is named: some have left, some wait elsewhere") {
    Tensor y = zeros(kThreadsOfBlock);
    const auto out = numbers<float>(y);
    CHECK(fault_of(some_leave, out, 0) == "");
    names(fault_of(some_leave, out, 1), "a divergent barrier");
    CHECK(fault_of(two_barriers, out, 64) == "");
    names(fault_of(two_barriers, out, 32), "a divergent barrier");
  }

  TEST_CASE("a shared number that nobody has written is named where it is read") {
    Tensor y = zeros(kThreadsOfBlock);
    CHECK(fault_of(sum_of_first, numbers<float>(y), kThreadsOfBlock) == "");
    names(fault_of(sum_of_first, numbers<float>(y), 63), "nobody has written");
  }

  TEST_CASE("a recording keeps the memory that it took, and is named on other that is gone") {
    Tensor x = zeros(4), y = zeros(4), result, other = zeros(4);
    Repeated adds({Backend::cuda}, [&] {
      result = tensor::add(x, x);
      y.copy_from(result);
    });
    adds.run();
    adds.run();  // result is the recording's from here on
    result = {};
    x.fill(3);
    adds.run();
    CHECK(y.values() == std::vector<double>(4, 6.0));
    Repeated loses({Backend::cuda}, [&] {
      y.copy_from(tensor::add(other, x));
      other = zeros(4);
    });
    loses.run();
    CHECK_THROWS_WITH_AS(loses.run(), doctest::Contains("given back while it was made"),
                         emulator::Fault);
  }

  TEST_CASE("more shared memory than a block has, and device memory on the host, are refused") {
    Tensor y = zeros(1);
    names(fault_of(too_much_shared, numbers<float>(y)), "49152 bytes");
    launch(much_shared, {1, kThreadsOfBlock, 163 << 10}, numbers<float>(y));
    CHECK(y.item() == (163 << 10) / 4);
    CHECK_THROWS_WITH_AS(
        launch(much_shared, {1, kThreadsOfBlock, (163 << 10) + 4}, numbers<float>(y)),
        doctest::Contains("166912 bytes"), emulator::Fault);
    CHECK_THROWS_WITH_AS(numbers<float>(y)[0] = 1.0F, doctest::Contains("the host follows"),
                         emulator::Fault);
  }
}

}  // namespace arbg::tensor::cuda
