#include "machine.h"

#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <numeric>
#include <random>
#include <string>

#include "fibre.h"
#include "words.h"

namespace arbg::emulator {
namespace {

constexpr unsigned kLanes = 32;
constexpr std::int64_t kMostThreads = 1024;
constexpr std::size_t kMostSharedBytes = 48 << 10;  // of one block, without asking for more
constexpr std::size_t kMostAskedFor = 163 << 10;    // of sm_80 and sm_87
constexpr int kPoison = 0xFF;                       // NaN as float and as double, -1 as an integer

std::mt19937_64 order(1);

// One thread of the block that runs, and what it waits for.
struct Thread {
  enum class State { runs, at_barrier, in_exchange, gone };
  State state = State::runs;
  const char* operation = "";
  unsigned mask = 0, source = 0;
  std::uint64_t bytes = 0;
  Words words{};
  Where where{"", 0};
  std::vector<Copy> open;
  std::deque<std::vector<Copy>> groups;
  Fibre fibre;
};

// An array in shared memory.
struct Array {
  Where where;
  std::vector<std::byte> bytes;
  std::size_t count;
  Memory memory;
};

class Machine {
 public:
  Machine(const Launch& launch, const std::function<void()>& body);
  void run_block(std::uint32_t block);

  Moment now(const Where& where) const {
    return {launch_, block_, epoch_, turns_[running_ / kLanes], running_, where.line};
  }
  void barrier(const Where& where);
  std::uint64_t exchange(const char* operation, unsigned mask, std::uint64_t bytes, unsigned source,
                         const Where& where);
  WordsOfWarp gather(const char* operation, const Words& words, const Where& where);
  unsigned lane() const { return running_ % kLanes; }
  SharedArray shared_array(std::size_t count, std::size_t element_size, const Where& where);
  Thread& running() { return *threads_[running_]; }

 private:
  void begin_block(std::uint32_t block);
  void wait(Thread::State state);
  void after_wait(unsigned thread);
  void complete_barrier();
  void complete_exchange(unsigned thread);
  std::uint64_t received(unsigned first, const Thread& by) const;
  [[noreturn]] void stuck() const;
  std::string at(const Thread& thread) const;

  static inline std::uint32_t launches_ = 0, barriers_ = 0;
  Launch shape_;
  std::function<void()> body_;
  std::vector<Thread*> threads_;
  std::vector<unsigned> ready_;
  std::vector<std::uint32_t> turns_;  // of the warps
  std::vector<WordsOfWarp> words_;    // of their last exchanges
  std::vector<std::unique_ptr<Array>> arrays_;
  std::exception_ptr thrown_;
  std::uint32_t launch_ = ++launches_, block_ = 0, epoch_ = 0;
  unsigned running_ = 0, waiting_ = 0;
};

Machine* machine = nullptr;

Machine::Machine(const Launch& launch, const std::function<void()>& body) : shape_(launch) {
  require(launch.threads > 0 && launch.threads <= kMostThreads && launch.threads % kLanes == 0,
          "a block must have 32 to ", kMostThreads, " threads in whole warps, found ",
          launch.threads);
  static std::vector<std::unique_ptr<Thread>> all;  // made once: a launch needs no new stacks
  while (std::ssize(all) < launch.threads) all.push_back(std::make_unique<Thread>());
  for (std::int64_t i = 0; i < launch.threads; ++i)
    threads_.push_back(all[static_cast<std::size_t>(i)].get());
  turns_.resize(threads_.size() / kLanes);
  words_.resize(threads_.size() / kLanes);
  body_ = [this, body] {
    try {
      body();
      Thread& self = running();
      if (!self.open.empty() || !self.groups.empty()) {
        fault(self.where, "thread ", running_, " leaves with copies that it has not waited for");
      }
    } catch (...) {
      thrown_ = std::current_exception();
    }
  };
}

void Machine::begin_block(std::uint32_t block) {
  block_ = block;
  blockIdx.x = block;
  epoch_ = ++barriers_;
  waiting_ = 0;
  arrays_.clear();
  ready_.resize(threads_.size());
  std::iota(ready_.begin(), ready_.end(), 0U);
  for (Thread* thread : threads_) {
    thread->state = Thread::State::runs;
    thread->open.clear();
    thread->groups.clear();
    thread->fibre.start(body_);
  }
}

void Machine::run_block(std::uint32_t block) {
  begin_block(block);
  std::size_t gone = 0;
  while (!ready_.empty()) {
    std::swap(ready_[order() % ready_.size()], ready_.back());
    running_ = ready_.back();
    ready_.pop_back();
    threadIdx.x = running_;
    threads_[running_]->fibre.resume();
    if (thrown_) std::rethrow_exception(thrown_);
    if (threads_[running_]->fibre.ended()) {
      threads_[running_]->state = Thread::State::gone;
      ++gone;
    } else {
      after_wait(running_);
    }
  }
  if (gone < threads_.size()) stuck();
}

void Machine::wait(Thread::State state) {
  running().state = state;
  running().fibre.give_way();
}

void Machine::after_wait(unsigned thread) {
  if (threads_[thread]->state == Thread::State::at_barrier) {
    complete_barrier();
  } else {
    complete_exchange(thread);
  }
}

void Machine::barrier(const Where& where) {
  running().operation = "__syncthreads";
  running().where = where;
  ++waiting_;
  wait(Thread::State::at_barrier);
}

void Machine::complete_barrier() {
  if (waiting_ < threads_.size()) return;
  for (const Thread* thread : threads_) {
    if (thread->where != threads_[0]->where) return;  // stuck() says who
  }
  for (unsigned i = 0; i < threads_.size(); ++i) {
    threads_[i]->state = Thread::State::runs;
    ready_.push_back(i);
  }
  waiting_ = 0;
  epoch_ = ++barriers_;
}

std::uint64_t Machine::exchange(const char* operation, unsigned mask, std::uint64_t bytes,
                                unsigned source, const Where& where) {
  if ((mask >> lane() & 1U) == 0) {
    fault(where, operation, ": lane ", lane(), " is not in its own mask");
  }
  if (source != kBallot && (mask >> source & 1U) == 0) {
    fault(where, operation, ": lane ", lane(), " asks lane ", source, ", which is not in the mask");
  }
  Thread& self = running();
  self.operation = operation;
  self.mask = mask;
  self.bytes = bytes;
  self.source = source;
  self.where = where;
  wait(Thread::State::in_exchange);
  return self.bytes;
}

// The next exchange waits for all lanes, and so for all copies of this one's words.
WordsOfWarp Machine::gather(const char* operation, const Words& words, const Where& where) {
  running().words = words;
  exchange(operation, ~0U, 0, lane(), where);
  return words_[running_ / kLanes];
}

void Machine::complete_exchange(unsigned thread) {
  const unsigned first = thread / kLanes * kLanes;
  const Thread& came = *threads_[thread];
  for (unsigned i = 0; i < kLanes; ++i) {
    const Thread& other = *threads_[first + i];
    const bool here = other.state == Thread::State::in_exchange && other.mask == came.mask &&
                      other.operation == came.operation && other.where == came.where;
    if ((came.mask >> i & 1U) != 0 && !here) return;
  }
  const unsigned mask = came.mask;
  std::vector<std::uint64_t> result(kLanes);
  for (unsigned i = 0; i < kLanes; ++i) result[i] = received(first, *threads_[first + i]);
  for (unsigned i = 0; i < kLanes; ++i) {
    if ((mask >> i & 1U) == 0) continue;
    words_[first / kLanes][i] = threads_[first + i]->words;
    threads_[first + i]->bytes = result[i];
    threads_[first + i]->state = Thread::State::runs;
    ready_.push_back(first + i);
  }
  // Shuffles and ballots order no memory (CUDA programming guide, "Warp shuffle functions").
  const bool orders = std::strcmp(came.operation, "__syncwarp") == 0 && mask == ~0U;
  if (orders) turns_[first / kLanes] = ++barriers_;
}

std::uint64_t Machine::received(unsigned first, const Thread& by) const {
  if (by.source != kBallot) return threads_[first + by.source]->bytes;
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    if ((by.mask >> i & 1U) != 0 && threads_[first + i]->bytes != 0) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

std::string Machine::at(const Thread& thread) const {
  if (thread.state == Thread::State::gone) return "it has left the kernel";
  return std::string("it waits in ") + thread.operation + " of line " +
         std::to_string(thread.where.line);
}

// Nobody can go on. The lanes of a warp first: others may wait for them.
void Machine::stuck() const {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    const Thread& waits = *threads_[i];
    if (waits.state != Thread::State::in_exchange) continue;
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const Thread& other = *threads_[i / kLanes * kLanes + lane];
      const bool here = other.state == waits.state && other.mask == waits.mask &&
                        other.operation == waits.operation && other.where == waits.where;
      if ((waits.mask >> lane & 1U) == 0 || here) continue;
      fault(waits.where, waits.operation, ": thread ", i, " of block ", block_, " waits for lane ",
            lane, " of its mask, which does not come: ", at(other));
    }
  }
  for (unsigned i = 0; i < threads_.size(); ++i) {
    if (threads_[i]->state != Thread::State::at_barrier) continue;
    for (unsigned other = 0; other < threads_.size(); ++other) {
      if (threads_[other]->state == Thread::State::at_barrier &&
          threads_[other]->where == threads_[i]->where)
        continue;
      fault(threads_[i]->where, "a divergent barrier: thread ", i, " of block ", block_,
            " waits in __syncthreads for thread ", other,
            ", which does not come: ", at(*threads_[other]));
    }
  }
  fail("the emulator is stuck, and sees no reason");
}

SharedArray Machine::shared_array(std::size_t count, std::size_t element_size, const Where& where) {
  for (auto& array : arrays_) {
    if (array->where == where) return {array->bytes.data(), array->count, &array->memory};
  }
  if (count == kDynamic) count = shape_.shared_bytes / element_size;
  arrays_.push_back(std::make_unique<Array>(
      Array{where, std::vector(count * element_size, static_cast<std::byte>(kPoison)), count,
            Memory(Memory::Kind::shared, count)}));
  std::size_t bytes = 0;
  for (const auto& array : arrays_) bytes += array->bytes.size();
  const std::size_t most =
      shape_.shared_bytes > kMostSharedBytes ? kMostAskedFor : kMostSharedBytes;
  if (bytes > most) {
    fault(where, "a block has ", most, " bytes of shared memory, and needs ", bytes);
  }
  return {arrays_.back()->bytes.data(), count, &arrays_.back()->memory};
}

}  // namespace

void set_seed(std::uint64_t seed) { order.seed(seed); }

void run(const Launch& launch, const std::function<void()>& thread) {
  Machine one(launch, thread);
  machine = &one;
  struct Forget {
    ~Forget() { machine = nullptr; }
  } forget;
  blockDim.x = static_cast<unsigned>(launch.threads);
  gridDim.x = static_cast<unsigned>(launch.blocks);
  std::vector<std::uint32_t> blocks(static_cast<std::size_t>(launch.blocks));
  std::iota(blocks.begin(), blocks.end(), 0U);
  std::shuffle(blocks.begin(), blocks.end(), order);
  for (const auto block : blocks) one.run_block(block);
}

Moment now(const Where& where) {
  if (!machine) fault(where, "the host follows an address of the device");
  return machine->now(where);
}

void barrier(const Where& where) { machine->barrier(where); }

std::uint64_t exchange(const char* operation, unsigned mask, std::uint64_t bytes, unsigned source,
                       const Where& where) {
  return machine->exchange(operation, mask, bytes, source, where);
}

unsigned lane() { return machine->lane(); }

WordsOfWarp gather(const char* operation, const Words& words, const Where& where) {
  return machine->gather(operation, words, where);
}

SharedArray shared_array(std::size_t count, std::size_t element_size, const Where& where) {
  return machine->shared_array(count, element_size, where);
}

void start_copy(const Copy& copy, const Where& where) {
  copy.memory->begin_copy(copy.element, where);
  machine->running().where = where;
  machine->running().open.push_back(copy);
}

void commit_copies() {
  Thread& self = machine->running();
  self.groups.push_back(std::move(self.open));
  self.open.clear();
}

void wait_copies(std::size_t groups, const Where& where) {
  Thread& self = machine->running();
  while (self.groups.size() > groups) {
    for (const Copy& copy : self.groups.front()) {
      std::memcpy(copy.to, copy.from, copy.bytes);
      copy.memory->end_copy(copy.element, where);
    }
    self.groups.pop_front();
  }
}

}  // namespace arbg::emulator
