#include "md/dcd.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "tensor/base/files.h"
#include "tensor/base/npy.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::md {

namespace {

const std::string kFolder = ARBG_GOLDEN_DIR "/trajectories/";
constexpr int kAtoms = 22;

std::string message_for(const std::string& bytes, int atoms = kAtoms) {
  return error_message([&] { parse_dcd(bytes, "x.dcd", atoms); });
}

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

// With another 32-bit word at a byte.
std::string with_word(std::string bytes, std::size_t at, std::uint32_t word) {
  REQUIRE(at + 4 <= bytes.size());
  std::memcpy(bytes.data() + at, &word, 4);
  return bytes;
}

// The same file as a big-endian machine writes it: all 32-bit words, but the four letters and the
// titles, turned round.
std::string big_endian(std::string bytes) {
  std::uint32_t title_bytes;
  std::memcpy(&title_bytes, bytes.data() + 92, 4);
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    if (at == 4 || (at >= 100 && at < 96 + title_bytes)) continue;
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + 4));
  }
  return bytes;
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("files of other programs hold the conformations they were given") {
    const auto expected =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    for (const char* program : {"openmm", "mdtraj", "mdanalysis"}) {
      CAPTURE(program);
      const auto found = read_dcd(kFolder + program + ".dcd", kAtoms);
      REQUIRE(found.size() == 3 * 3 * kAtoms);
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::abs(found[i] - expected[i]) <= 2e-7 * std::abs(expected[i]));
    }
  }
}

TEST_SUITE("fast") {
  TEST_CASE("a written trajectory reads back to float32 precision") {
    const TemporaryFolder folder;
    std::vector<double> positions(5 * 3 * 7);
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = std::sin(0.1 + double(i));
    write_dcd(folder / "x.dcd", 7, positions);
    const auto found = read_dcd(folder / "x.dcd", 7);
    REQUIRE(found.size() == positions.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(std::abs(found[i] - positions[i]) <= 2e-7 * std::abs(positions[i]));
    write_dcd(folder / "empty.dcd", 7, {});
    CHECK(read_dcd(folder / "empty.dcd", 7).empty());
    positions[8] = std::numeric_limits<double>::quiet_NaN();
    CHECK(contains(error_message([&] { write_dcd(folder / "nan.dcd", 7, positions); }),
                   "frame 0, atom 2"));
    CHECK(!std::filesystem::exists(folder / "nan.dcd"));
  }

  TEST_CASE("either byte order is read") {
    const std::string bytes = read_file(kFolder + "openmm.dcd");
    CHECK(parse_dcd(big_endian(bytes), "x.dcd", kAtoms) == parse_dcd(bytes, "x.dcd", kAtoms));
  }

  TEST_CASE("X-PLOR files keep part of a double where CHARMM's have flags") {
    std::string bytes = with_word(read_file(kFolder + "openmm.dcd"), 84, 0);
    bytes = with_word(bytes, 48, 0x3f50624d);
    CHECK(message_for(bytes).empty());
  }

  TEST_CASE("what is not supported is refused by name") {
    const std::string bytes = read_file(kFolder + "openmm.dcd");
    CHECK(message_for(bytes).empty());
    CHECK(contains(message_for(bytes, 23), "expected 23 atoms, found 22"));
    CHECK(contains(message_for(with_word(bytes, 40, 2)), "fixed atoms (2 here)"));
    CHECK(contains(message_for(with_word(bytes, 52, 1)), "fourth dimension"));
    CHECK(contains(message_for(with_word(bytes, 4, 0)), "64-bit record lengths"));
    CHECK(contains(message_for(with_word(bytes, 8, 4)), "the header states 4 frames"));
    CHECK(message_for(with_word(bytes, 8, 0)).empty());
    CHECK(contains(message_for(with_word(bytes, 88, 80)), "has length 84 at its begin and 80"));
    CHECK(contains(message_for("VELD"), "not a DCD file: it has 4 bytes"));
    std::string velocities = bytes;
    velocities.replace(4, 4, "VELD");
    CHECK(contains(message_for(velocities), "holds velocities"));
  }

  TEST_CASE("every truncation is refused") {
    const std::string bytes = read_file(kFolder + "mdtraj.dcd");
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK(!message_for(bytes.substr(0, size)).empty());
  }
}

}  // namespace arbg::md
