// The memory that emulated kernels see: who touched each element last, and what is wrong with that.
//
// A Memory stands beside a block of the device, or is an array in the shared memory of a block.
// Two accesses to one element are a race when at least one of them writes and nothing orders them:
// no __syncthreads() between threads of a block, no __syncwarp() of all lanes between lanes of a
// warp, and nothing at all between blocks of one launch. Throws Fault, which names file and line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::emulator {

// A place in the source of a kernel.
struct Where {
  const char* file;
  int line;
  bool operator==(const Where&) const = default;
};

// What a kernel does wrong. The message begins with "FILE:LINE: ".
class Fault : public Error {
 public:
  using Error::Error;
};

template <class... Parts>
[[noreturn]] void fault(const Where& where, const Parts&... parts) {
  std::ostringstream message;
  message << where.file << ":" << where.line << ": ";
  (message << ... << parts);
  throw Fault(message.str());
}

// When an access was: two are ordered if a barrier of what they have in common lies between.
struct Moment {
  std::uint32_t launch = 0, block = 0;
  std::uint32_t epoch = 0, turn = 0;  // barriers of the block and of the warp, counted over all
  std::uint32_t thread = 0;
  int line = 0;
};

// Now, on the thread that runs. Throws Fault on the host: its code may not follow these addresses.
Moment now(const Where& where);

class Memory {
 public:
  enum class Kind { global, shared };
  Memory(Kind kind, std::size_t elements) : kind_(kind), elements_(elements) {}

  void read(std::size_t element, const Where& where);
  void write(std::size_t element, const Where& where);
  // An asynchronous copy arrives: from its start to its end nobody may touch the element.
  void begin_copy(std::size_t element, const Where& where);
  void end_copy(std::size_t element, const Where& where);
  void give_back() { given_back_ = true; }  // whoever touches it from now on is at fault

 private:
  struct Element {
    Moment writer, reader, other_reader;  // the last; a reader that nothing orders with the last
    bool written = false, in_flight = false;
  };
  void check_race(const Moment& before, const Moment& present, const Where& where,
                  std::size_t element, const char* what) const;
  void require_kept(const Where& where) const;
  const char* name() const { return kind_ == Kind::shared ? "a shared array" : "global memory"; }

  Kind kind_;
  std::vector<Element> elements_;
  bool given_back_ = false;
};

// The blocks that the device has handed out.
void add_block(const std::byte* block, std::size_t bytes);
void end_block(const std::byte* block);            // no kernel may touch it any more
std::size_t remove_block(const std::byte* block);  // its bytes

// Throws Fault unless these bytes are inside one block.
void check_inside(const void* data, std::size_t bytes);

// Memory beside the block that holds these bytes, one for each size of elements that it is seen as,
// and which of its elements is the first. Throws Fault if they are not inside one block.
struct Part {
  Memory* memory = nullptr;
  std::size_t first = 0;
};
Part memory_of(const void* data, std::size_t bytes, std::size_t element_size);

}  // namespace arbg::emulator
