#include "memory.h"

#include <map>

namespace arbg::emulator {
namespace {

constexpr std::uint32_t kWarp = 32;

bool unordered(const Moment& a, const Moment& b) {
  if (a.launch != b.launch) return false;
  if (a.block != b.block) return true;
  if (a.epoch != b.epoch) return false;
  if (a.thread / kWarp != b.thread / kWarp) return true;
  return a.turn == b.turn && a.thread != b.thread;
}

// A block of the device. A Memory of it is made by the first kernel that sees elements of its size.
struct Block {
  std::size_t bytes;
  std::map<std::size_t, Memory> memory;
};

std::map<const std::byte*, Block>& blocks() {
  static auto* all = new std::map<const std::byte*, Block>;  // outlives tensors freed at exit
  return *all;
}

struct Found {
  Block& block;
  std::size_t at;
};

Found block_of(const void* data, std::size_t bytes) {
  const auto* first = static_cast<const std::byte*>(data);
  auto found = blocks().upper_bound(first);
  if (found == blocks().begin()) throw Fault("a kernel is given an address of no block");
  auto& [start, block] = *--found;
  const auto at = static_cast<std::size_t>(first - start);
  if (at + bytes > block.bytes) throw Fault("a kernel is given bytes behind the end of a block");
  return {block, at};
}

}  // namespace

void Memory::check_race(const Moment& before, const Moment& present, const Where& where,
                        std::size_t element, const char* what) const {
  if (!unordered(before, present)) return;
  fault(where, "a race: thread ", present.thread, " of block ", present.block, " ", what,
        " element ", element, " of ", name(), ", thread ", before.thread, " of block ",
        before.block, " touches it in line ", before.line, ", and nothing orders the two");
}

void Memory::require_kept(const Where& where) const {
  if (given_back_)
    fault(where, "a recording works on memory that was given back while it was made");
}

void Memory::read(std::size_t element, const Where& where) {
  require_kept(where);
  Element& it = elements_[element];
  const Moment present = now(where);
  if (it.in_flight) {
    fault(where, "thread ", present.thread, " reads element ", element, " of ", name(),
          ", which an asynchronous copy has yet to bring; wait for it");
  }
  if (kind_ == Kind::shared && !it.written) {
    fault(where, "thread ", present.thread, " reads element ", element, " of ", name(),
          ", which nobody has written");
  }
  check_race(it.writer, present, where, element, "reads");
  if (unordered(it.reader, present)) it.other_reader = it.reader;
  it.reader = present;
}

void Memory::write(std::size_t element, const Where& where) {
  require_kept(where);
  Element& it = elements_[element];
  const Moment present = now(where);
  if (it.in_flight) {
    fault(where, "thread ", present.thread, " writes element ", element, " of ", name(),
          ", which an asynchronous copy has yet to bring; wait for it");
  }
  for (const Moment& before : {it.writer, it.reader, it.other_reader}) {
    check_race(before, present, where, element, "writes");
  }
  it.writer = present;
  it.written = true;
}

void Memory::begin_copy(std::size_t element, const Where& where) {
  write(element, where);
  elements_[element].in_flight = true;
}

void Memory::end_copy(std::size_t element, const Where& where) {
  elements_[element].in_flight = false;
  write(element, where);
}

void add_block(const std::byte* block, std::size_t bytes) { blocks()[block].bytes = bytes; }
void end_block(const std::byte* block) {
  for (auto& [element_size, memory] : blocks().find(block)->second.memory) memory.give_back();
}
std::size_t remove_block(const std::byte* block) {
  const auto found = blocks().find(block);
  const std::size_t bytes = found->second.bytes;
  blocks().erase(found);
  return bytes;
}

void check_inside(const void* data, std::size_t bytes) { block_of(data, bytes); }

Part memory_of(const void* data, std::size_t bytes, std::size_t element_size) {
  const auto [block, at] = block_of(data, bytes);
  auto& memory = block.memory;
  const auto made =
      memory.try_emplace(element_size, Memory::Kind::global, block.bytes / element_size);
  return {&made.first->second, at / element_size};
}

}  // namespace arbg::emulator
