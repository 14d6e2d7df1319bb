// The host's memory, for the backends reference and cpu.
#include <bit>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/device/buffer.h"

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

}  // namespace

Buffer::Buffer(std::size_t bytes, Device device)
    : device_(device), size_(bytes), capacity_(rounded(bytes)) {
  require(device.is_host(), "this build has no cuda backend");
  address_ = take_block(capacity_);
}

Buffer::~Buffer() { give_back_block(address_, capacity_); }

bool Buffer::on_host() const { return device_.is_host(); }

void Buffer::check_range(std::size_t at, std::size_t bytes) const {
  require(at <= size_ && bytes <= size_ - at, bytes, " bytes from byte ", at,
          " on are not inside a buffer of ", size_);
}

void Buffer::upload(std::span<const std::byte> from, std::size_t at) {
  check_range(at, from.size());
  if (!from.empty()) std::memcpy(address_ + at, from.data(), from.size());
}

void Buffer::download(std::size_t at, std::span<std::byte> to) const {
  check_range(at, to.size());
  if (!to.empty()) std::memcpy(to.data(), address_ + at, to.size());
}

// The ranges may overlap.
void Buffer::copy_from(const Buffer& source, std::size_t source_at, std::size_t at,
                       std::size_t bytes) {
  check_range(at, bytes);
  source.check_range(source_at, bytes);
  std::memmove(address_ + at, source.address_ + source_at, bytes);
}

void Buffer::zero() { std::memset(address_, 0, size_); }

}  // namespace arbg::tensor
