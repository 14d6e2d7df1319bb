#include "memory.h"

#include <cstdlib>
#include <cstring>
#include <map>

#include "tensor/device/buffer.h"

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

// A buffer of the device. Its Memory is made by the first kernel that sees it.
struct Block {
  std::size_t bytes, element_size = 0;
  std::unique_ptr<Memory> memory;
};

std::map<const std::byte*, Block>& blocks() {
  static auto* all = new std::map<const std::byte*, Block>;  // outlives tensors freed at exit
  return *all;
}

}  // namespace

void Memory::check_race(const Moment& before, const Moment& present, const Where& where,
                        std::size_t element, const char* what) const {
  if (!unordered(before, present)) return;
  fault(where, "a race: thread ", present.thread, " of block ", present.block, " ", what,
        " element ", element, " of ", name(), ", thread ", before.thread, " of block ",
        before.block, " touches it in line ", before.line, ", and nothing orders the two");
}

void Memory::read(std::size_t element, const Where& where) {
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

Part memory_of(const void* data, std::size_t bytes, std::size_t element_size) {
  const auto* first = static_cast<const std::byte*>(data);
  auto found = blocks().upper_bound(first);
  if (found == blocks().begin()) throw Fault("a kernel is given an address of no buffer");
  auto& [start, block] = *--found;
  const auto at = static_cast<std::size_t>(first - start);
  if (at + bytes > block.bytes) throw Fault("a kernel is given bytes behind the end of a buffer");
  if (block.element_size != element_size) {
    block.memory = std::make_unique<Memory>(Memory::Kind::global, block.bytes / element_size);
    block.element_size = element_size;
  }
  return {block.memory.get(), at / element_size};
}

}  // namespace arbg::emulator

// The memory of the device, instead of device/buffer_host.cpp: the host's, filled with NaN. This
// object comes before the archives, whose member of the same names is then not pulled in.
namespace arbg::tensor {

Buffer::Buffer(std::size_t bytes, Device device)
    : device_(device),
      size_(bytes),
      capacity_(bytes > 0 ? bytes : 1),
      address_(static_cast<std::byte*>(std::malloc(capacity_))) {
  require(address_ != nullptr, "out of memory");
  std::memset(address_, 0xFF, bytes);
  emulator::blocks()[address_].bytes = bytes;
}

Buffer::~Buffer() {
  emulator::blocks().erase(address_);
  std::free(address_);
}

bool Buffer::on_host() const { return device_.is_host(); }

void Buffer::check_range(std::size_t at, std::size_t bytes) const {
  require(at <= size_ && bytes <= size_ - at, bytes, " bytes are not inside a buffer of ", size_);
}

void Buffer::upload(std::span<const std::byte> from, std::size_t at) {
  check_range(at, from.size());
  if (!from.empty()) std::memcpy(address_ + at, from.data(), from.size());
}

void Buffer::download(std::size_t at, std::span<std::byte> to) const {
  check_range(at, to.size());
  if (!to.empty()) std::memcpy(to.data(), address_ + at, to.size());
}

void Buffer::copy_from(const Buffer& source, std::size_t source_at, std::size_t at,
                       std::size_t bytes) {
  check_range(at, bytes);
  source.check_range(source_at, bytes);
  std::memmove(address_ + at, source.address_ + source_at, bytes);
}

void Buffer::zero() { std::memset(address_, 0, size_); }

}  // namespace arbg::tensor
