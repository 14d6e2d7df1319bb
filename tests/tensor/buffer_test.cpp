// Blocks of bytes: what goes in comes out, and nothing reaches past the end.
#include "tensor/device/buffer.h"

#include <doctest/doctest.h>

#include <array>

#include "tensor/base/error.h"
#include "tests/backends.h"

namespace arbg::tensor {
namespace {

using Bytes = std::array<std::byte, 4>;
constexpr Bytes kFour{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

Bytes read(const Buffer& buffer, std::size_t at) {
  Bytes out;
  buffer.download(at, out);
  return out;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("bytes go in, come out and are copied between buffers, on every device") {
    for (const Backend backend : backends_here()) {
      Buffer a(10, {backend}), b(6, {backend});
      CHECK(a.size() == 10);
      CHECK(a.device() == Device{backend});
      a.zero();
      a.upload(kFour, 6);
      CHECK(read(a, 6) == kFour);
      CHECK(read(a, 2) == Bytes{});
      b.copy_from(a, 5, 1, 5);
      CHECK(read(b, 2) == kFour);
      a.copy_from(a, 6, 5, 4);  // overlapping
      CHECK(read(a, 5) == kFour);
    }
  }

  TEST_CASE("ranges that are not inside, and devices that are not built, are refused") {
    Buffer buffer(10, {});
    Bytes out;
    CHECK_THROWS_WITH_AS(buffer.upload(kFour, 7),
                         "4 bytes from byte 7 on are not inside a buffer of 10", Error);
    CHECK_THROWS_AS(buffer.download(11, out), Error);
    CHECK_THROWS_AS(buffer.copy_from(buffer, 8, 0, 3), Error);
    CHECK_THROWS_AS(buffer.copy_from(buffer, 0, 8, 3), Error);
    if (is_built(Backend::cuda)) return;
    CHECK_THROWS_WITH_AS(Buffer(1, {Backend::cuda}), "this build has no cuda backend", Error);
  }
}

}  // namespace arbg::tensor
