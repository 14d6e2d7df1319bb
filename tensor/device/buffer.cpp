#include "tensor/device/buffer.h"

#include <iomanip>
#include <sstream>

#include "tensor/base/error.h"
#include "tensor/device/runtime.h"

namespace arbg::tensor {

Runtime& runtime_of(Device device) {
  if (device.is_host()) return host_runtime();
#if defined(ARBG_CUDA)
  return cuda_runtime();
#else
  fail("this build has no cuda backend");
#endif
}

OutOfMemory out_of_memory(const std::string& device, std::size_t bytes, std::size_t left,
                          std::size_t all) {
  constexpr double kGiB = 1 << 30;
  const auto gib = [](std::size_t some) { return static_cast<double>(some) / kGiB; };
  std::ostringstream text;
  text << std::setprecision(3) << "out of memory on " << device << ": " << gib(bytes)
       << " GiB were asked for, and " << gib(left) << " of " << gib(all) << " GiB are left";
  return {text.str(), all};
}

Buffer::Buffer(std::size_t bytes, Device device)
    : device_(device), runtime_(runtime_of(device)), size_(bytes), address_(runtime_.take(bytes)) {}

Buffer::~Buffer() { runtime_.give_back(address_, size_); }

bool Buffer::on_host() const { return runtime_.on_host(); }

void Buffer::check_range(std::size_t at, std::size_t bytes) const {
  require(at <= size_ && bytes <= size_ - at, bytes, " bytes from byte ", at,
          " on are not inside a buffer of ", size_);
}

void Buffer::upload(std::span<const std::byte> from, std::size_t at) {
  check_range(at, from.size());
  if (!from.empty()) runtime_.upload(address_ + at, from);
}

void Buffer::download(std::size_t at, std::span<std::byte> to) const {
  check_range(at, to.size());
  if (!to.empty()) runtime_.download(address_ + at, to);
}

// The ranges may overlap.
void Buffer::copy_from(const Buffer& source, std::size_t source_at, std::size_t at,
                       std::size_t bytes) {
  check_range(at, bytes);
  source.check_range(source_at, bytes);
  if (bytes > 0) runtime_.copy(address_ + at, source.address_ + source_at, bytes);
}

void Buffer::fill(std::size_t at, std::size_t bytes, std::span<const std::byte> pattern) {
  check_range(at, bytes);
  require(
      (pattern.size() == 4 || pattern.size() == 8) && at % 4 == 0 && bytes % pattern.size() == 0,
      bytes, " bytes from byte ", at, " on cannot be filled with numbers of ", pattern.size());
  if (bytes > 0) runtime_.fill(address_ + at, bytes, pattern);
}

void Buffer::zero() {
  if (size_ > 0) runtime_.zero(address_, size_);
}

}  // namespace arbg::tensor
