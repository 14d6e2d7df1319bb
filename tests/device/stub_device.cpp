// The stub in place of tensor/device/buffer_host.cpp and tensor/base/backends_built.cpp, whose
// names it defines ahead of the libraries.
#include "tests/device/stub_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "tensor/base/error.h"
#include "tensor/device/buffer.h"

namespace arbg {

std::span<const Backend> backends_built() {
  static constexpr std::array kBuilt{Backend::reference, Backend::cpu, tensor::kStub};
  return kBuilt;
}

namespace tensor {
namespace {

constexpr std::size_t kPage = 4096, kMost = std::size_t{1} << 32;

class Memory {
 public:
  Memory()
      : start_(static_cast<std::byte*>(::mmap(
            nullptr, kMost, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    require(start_ != MAP_FAILED, "no address space for the memory of the stub");
  }

  std::byte* take(std::size_t capacity) {
    const std::lock_guard lock(mutex_);
    auto& blocks = free_[capacity];
    if (blocks.empty()) {
      require(used_ + capacity <= kMost, "the memory of the stub is full");
      blocks.push_back(start_ + used_);
      used_ += capacity;
      if (open_ > 0) protect(PROT_READ | PROT_WRITE);
    }
    auto* block = blocks.back();
    blocks.pop_back();
    return block;
  }

  void give_back(std::byte* block, std::size_t capacity) {
    const std::lock_guard lock(mutex_);
    free_[capacity].push_back(block);
  }

  void open(StubEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    if (open_++ == 0) protect(PROT_READ | PROT_WRITE);
  }

  void close() {
    const std::lock_guard lock(mutex_);
    if (--open_ == 0) protect(PROT_NONE);
  }

  bool is_open() {
    const std::lock_guard lock(mutex_);
    return open_ > 0;
  }

  std::vector<StubEvent> take_events() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  void protect(int access) {
    const std::size_t pages = (used_ + kPage - 1) / kPage * kPage;
    require(::mprotect(start_, pages, access) == 0, "the memory of the stub cannot be protected");
  }

  std::mutex mutex_;
  std::byte* start_;
  std::size_t used_ = 0;
  int open_ = 0;
  std::map<std::size_t, std::vector<std::byte*>> free_;
  std::vector<StubEvent> events_;
};

Memory& memory() {
  static Memory* const the_only = new Memory;  // outlives every tensor
  return *the_only;
}

// Runs work() while the memory is open, if it has a part in it.
template <class Work>
void carry(bool on_stub, StubEvent event, const Work& work) {
  if (on_stub) memory().open(event);
  work();
  if (on_stub) memory().close();
}

std::size_t rounded(std::size_t bytes) { return (bytes / 64 + 1) * 64; }

}  // namespace

std::vector<StubEvent> take_stub_events() { return memory().take_events(); }

std::size_t bytes_of(const std::vector<StubEvent>& events, StubEvent::Kind kind) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += event.kind == kind ? event.bytes : 0;
  return bytes;
}

StubKernel::StubKernel() { memory().open({StubEvent::kernel, 0}); }
StubKernel::~StubKernel() { memory().close(); }

Buffer::Buffer(std::size_t bytes, Device device)
    : device_(device), size_(bytes), capacity_(rounded(bytes)) {
  address_ = device.backend == kStub ? memory().take(capacity_)
                                     : static_cast<std::byte*>(std::aligned_alloc(64, capacity_));
}

Buffer::~Buffer() {
  if (device_.backend == kStub)
    memory().give_back(address_, capacity_);
  else
    std::free(address_);
}

bool Buffer::on_host() const { return device_.is_host() || memory().is_open(); }

void Buffer::check_range(std::size_t at, std::size_t bytes) const {
  require(at <= size_ && bytes <= size_ - at, bytes, " bytes from byte ", at,
          " on are not inside a buffer of ", size_);
}

void Buffer::upload(std::span<const std::byte> from, std::size_t at) {
  check_range(at, from.size());
  carry(device_.backend == kStub, {StubEvent::upload, from.size()},
        [&] { std::ranges::copy(from, address_ + at); });
}

void Buffer::download(std::size_t at, std::span<std::byte> to) const {
  check_range(at, to.size());
  carry(device_.backend == kStub, {StubEvent::download, to.size()},
        [&] { std::copy_n(address_ + at, to.size(), to.begin()); });
}

void Buffer::copy_from(const Buffer& source, std::size_t source_at, std::size_t at,
                       std::size_t bytes) {
  check_range(at, bytes);
  source.check_range(source_at, bytes);
  carry(device_.backend == kStub, {StubEvent::kernel, 0},
        [&] { std::memmove(address_ + at, source.address_ + source_at, bytes); });
}

void Buffer::zero() {
  carry(device_.backend == kStub, {StubEvent::kernel, 0}, [&] { std::memset(address_, 0, size_); });
}

}  // namespace tensor
}  // namespace arbg
