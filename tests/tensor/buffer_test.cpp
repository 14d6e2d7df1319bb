// Blocks of bytes: what goes in comes out, and nothing reaches past the end.
#include "tensor/device/buffer.h"

#include <doctest/doctest.h>

#include <array>

#include "tensor/base/error.h"
#include "tensor/device/repeated.h"
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

  TEST_CASE("a number is written again and again, on every device, and also in repeated work") {
    constexpr std::array<std::byte, 8> kEight{std::byte{1}, std::byte{2}, std::byte{3},
                                              std::byte{4}, std::byte{5}, std::byte{6},
                                              std::byte{7}, std::byte{8}};
    for (const Backend backend : backends_here()) {
      Buffer a(32, {backend});
      Repeated filled({backend}, [&] {
        a.zero();
        a.fill(4, 24, kEight);
        a.fill(16, 4, kFour);
      });
      for (int run = 0; run < 3; ++run) {
        a.upload(kFour, 0);
        filled.run();
        CHECK(read(a, 0) == Bytes{});
        CHECK(read(a, 4) == kFour);
        CHECK(read(a, 8) == Bytes{kEight[4], kEight[5], kEight[6], kEight[7]});
        CHECK(read(a, 16) == kFour);
        CHECK(read(a, 24) == Bytes{kEight[4], kEight[5], kEight[6], kEight[7]});
        CHECK(read(a, 28) == Bytes{});
      }
      CHECK_THROWS_AS(a.fill(28, 8, kEight), Error);
      CHECK_THROWS_WITH_AS(a.fill(0, 12, kEight),
                           "12 bytes from byte 0 on cannot be filled with numbers of 8", Error);
    }
  }

  TEST_CASE("repeated work is recorded after a run that came to its end, no sooner") {
    for (const Backend backend : backends_here()) {
      Buffer table(4, {backend}), a(4, {backend});
      int calls = 0;
      Repeated work({backend}, [&] {
        require(++calls > 1, "not yet");
        if (calls == 2) table.upload(kFour, 0);  // made once, which no recording may
        a.copy_from(table, 0, 0, 4);
      });
      CHECK_THROWS_WITH_AS(work.run(), "not yet", Error);
      for (int run = 0; run < 3; ++run) {
        a.zero();
        work.run();
        CHECK(read(a, 0) == kFour);
      }
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
