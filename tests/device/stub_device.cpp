// The stub as the runtime of a device.
#include "tests/device/stub_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "tensor/base/error.h"
#include "tensor/device/runtime.h"

namespace arbg {
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

std::size_t rounded(std::size_t bytes) { return (bytes / 64 + 1) * 64; }

class StubRuntime final : public Runtime {
 public:
  std::byte* take(std::size_t bytes) override { return memory().take(rounded(bytes)); }
  void give_back(std::byte* block, std::size_t bytes) override {
    memory().give_back(block, rounded(bytes));
  }
  void upload(std::byte* to, std::span<const std::byte> from) override {
    carry({StubEvent::upload, from.size()}, [&] { std::ranges::copy(from, to); });
  }
  void download(const std::byte* from, std::span<std::byte> to) override {
    carry({StubEvent::download, to.size()}, [&] { std::copy_n(from, to.size(), to.begin()); });
  }
  void copy(std::byte* to, const std::byte* from, std::size_t bytes) override {
    carry({StubEvent::kernel, 0}, [&] { std::memmove(to, from, bytes); });
  }
  void zero(std::byte* at, std::size_t bytes) override {
    carry({StubEvent::kernel, 0}, [&] { std::memset(at, 0, bytes); });
  }
  void fill(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern) override {
    carry({StubEvent::kernel, 0}, [&] { fill_on_host(at, bytes, pattern); });
  }
  bool on_host() const override { return memory().is_open(); }
  std::string name() const override { return "a stub of a device"; }
  std::size_t bytes() const override { return kMost; }
  std::unique_ptr<Recording> record(const std::function<void()>&) override { return nullptr; }

 private:
  // Runs work() while the memory is open.
  template <class Work>
  static void carry(StubEvent event, const Work& work) {
    memory().open(event);
    work();
    memory().close();
  }
};

}  // namespace

std::vector<StubEvent> take_stub_events() { return memory().take_events(); }

std::size_t bytes_of(const std::vector<StubEvent>& events, StubEvent::Kind kind) {
  std::size_t bytes = 0;
  for (const auto& event : events) bytes += event.kind == kind ? event.bytes : 0;
  return bytes;
}

StubKernel::StubKernel() { memory().open({StubEvent::kernel, 0}); }
StubKernel::~StubKernel() { memory().close(); }

Runtime& cuda_runtime() {
  static auto* const the_only = new StubRuntime;  // outlives every tensor
  return *the_only;
}

}  // namespace tensor
}  // namespace arbg
