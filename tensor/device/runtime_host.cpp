// The host's memory, for the backends reference and cpu.
//
// Freed blocks wait in a pool of the thread that freed them, by size, and are handed out again to
// that thread, so a training step asks the system for nothing once it is warm. A pool keeps at most
// 1 GiB; under the address sanitizer it keeps nothing, so that every stray access is seen.
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/device/runtime.h"

namespace arbg::tensor {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif
#else
constexpr bool kPooled = true;
#endif

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMostPooledBytes = std::size_t{1} << 30;

// Sizes are rounded up to 1, 5/4, 6/4 or 7/4 of a power of two: at most a fifth of a block is
// unused.
std::size_t rounded(std::size_t bytes) {
  if (!kPooled) return bytes == 0 ? 1 : bytes;
  if (bytes <= 4 * kAlignment) return (bytes + kAlignment) / kAlignment * kAlignment;
  const std::size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

struct Pool {
  struct Bin {
    std::size_t capacity;
    std::vector<std::byte*> blocks;
  };
  std::vector<Bin> bins;
  std::size_t bytes = 0;

  ~Pool();

  Bin& bin_of(std::size_t capacity) {
    for (auto& bin : bins) {
      if (bin.capacity == capacity) return bin;
    }
    return bins.emplace_back(Bin{capacity, {}});
  }
};

// A tensor that outlives its thread's pool (a static one, at exit) frees its block directly.
thread_local bool pool_is_gone = false;
thread_local Pool pool;

Pool::~Pool() {
  pool_is_gone = true;
  for (auto& bin : bins) {
    for (auto* block : bin.blocks) std::free(block);
  }
}

std::byte* take_block(std::size_t capacity) {
  if (kPooled && !pool_is_gone) {
    auto& blocks = pool.bin_of(capacity).blocks;
    if (!blocks.empty()) {
      auto* block = blocks.back();
      blocks.pop_back();
      pool.bytes -= capacity;
      return block;
    }
  }
  void* block = nullptr;
  require(::posix_memalign(&block, kAlignment, capacity) == 0, "out of memory: a tensor needs ",
          capacity, " bytes; use a smaller batch");
  return static_cast<std::byte*>(block);
}

void give_back_block(std::byte* block, std::size_t capacity) {
  if (!kPooled || pool_is_gone || pool.bytes + capacity > kMostPooledBytes) {
    std::free(block);
    return;
  }
  pool.bin_of(capacity).blocks.push_back(block);
  pool.bytes += capacity;
}

class HostRuntime final : public Runtime {
 public:
  std::byte* take(std::size_t bytes) override { return take_block(rounded(bytes)); }
  void give_back(std::byte* block, std::size_t bytes) override {
    give_back_block(block, rounded(bytes));
  }
  void upload(std::byte* to, std::span<const std::byte> from) override {
    std::memcpy(to, from.data(), from.size());
  }
  void download(const std::byte* from, std::span<std::byte> to) override {
    std::memcpy(to.data(), from, to.size());
  }
  void copy(std::byte* to, const std::byte* from, std::size_t bytes) override {
    std::memmove(to, from, bytes);
  }
  void zero(std::byte* at, std::size_t bytes) override { std::memset(at, 0, bytes); }
  void fill(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern) override {
    fill_on_host(at, bytes, pattern);
  }
  bool on_host() const override { return true; }
  std::string name() const override { return "the host"; }
  std::size_t bytes() const override {
    return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }
  std::unique_ptr<Recording> record(const std::function<void()>&) override { return nullptr; }
};

}  // namespace

// What is there is copied behind itself, twice as much each time.
void fill_on_host(std::byte* at, std::size_t bytes, std::span<const std::byte> pattern) {
  std::size_t done = std::min(bytes, pattern.size());
  std::memcpy(at, pattern.data(), done);
  while (done < bytes) {
    const std::size_t more = std::min(done, bytes - done);
    std::memcpy(at + done, at, more);
    done += more;
  }
}

Runtime& host_runtime() {
  static HostRuntime* const the_only = new HostRuntime;  // outlives every tensor
  return *the_only;
}

}  // namespace arbg::tensor
