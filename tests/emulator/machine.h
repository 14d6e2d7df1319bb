// One block of threads after the other: a fibre a thread, barriers, exchanges within warps.
//
// Fibres run one at a time, on the thread of the host that launches, in an order drawn from the
// seed: which one goes on is drawn anew whenever one waits. Throws Fault when threads wait for one
// that does not come. Not for concurrent use.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "memory.h"

namespace arbg::emulator {

struct Launch {
  std::int64_t blocks, threads;
  std::size_t shared_bytes = 0;  // dynamic
};

// Runs `thread` once for each thread of each block, blocks in an order drawn too.
void run(const Launch& launch, const std::function<void()>& thread);

// What the host asks of the device: done now, or, while it is recorded (runtime.cpp), whenever the
// recording is run. Works on memory of the device.
void ask(std::function<void()> work);
inline void ask(const Launch& launch, const std::function<void()>& thread) {
  ask([=] { run(launch, thread); });
}

// How often the device has done something, recorded or not: kernels, copies, fills, products.
std::int64_t times_asked();

// How much memory the device has; by default it has no end. What of it is taken.
void set_memory(std::size_t bytes);
std::size_t memory_taken();

// The order of all launches from here on.
void set_seed(std::uint64_t seed);

// What follows is called by the thread that runs.

void barrier(const Where& where);

// All lanes of the mask meet at one place of the source; each gives 8 bytes and gets those of the
// lane `source`, or, for kBallot, a bit for each lane whose bytes are not zero.
constexpr unsigned kBallot = 32;
std::uint64_t exchange(const char* operation, unsigned mask, std::uint64_t bytes, unsigned source,
                       const Where& where);
unsigned lane();

// All lanes of the warp meet; each gives some words and gets those of all.
using Words = std::array<std::uint32_t, 6>;
using WordsOfWarp = std::array<Words, 32>;
WordsOfWarp gather(const char* operation, const Words& words, const Where& where);

// The array of the block's shared memory that is declared at `where`; `count` elements, all of the
// dynamic memory for kDynamic.
struct SharedArray {
  void* data;
  std::size_t count;
  Memory* memory;
};
constexpr std::size_t kDynamic = ~std::size_t{0};
SharedArray shared_array(std::size_t count, std::size_t element_size, const Where& where);

// Asynchronous copies, which end when they are waited for and no sooner: all but the last `groups`.
struct Copy {
  void* to;
  const void* from;
  std::size_t bytes;
  Memory* memory;
  std::size_t element;
};
void start_copy(const Copy& copy, const Where& where);
void commit_copies();
void wait_copies(std::size_t groups, const Where& where);

}  // namespace arbg::emulator
