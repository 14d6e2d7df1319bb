#include "md/files/dcd.h"

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
      const auto [found, note] = read_dcd(kFolder + program + ".dcd", kAtoms);
      CHECK(note.empty());
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
    const auto found = read_dcd(folder / "x.dcd", 7).positions_nm;
    REQUIRE(found.size() == positions.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(std::abs(found[i] - positions[i]) <= 2e-7 * std::abs(positions[i]));
    write_dcd(folder / "empty.dcd", 7, {});
    CHECK(read_dcd(folder / "empty.dcd", 7).positions_nm.empty());
    positions[8] = std::numeric_limits<double>::quiet_NaN();
    CHECK(contains(error_message([&] { write_dcd(folder / "nan.dcd", 7, positions); }),
                   "frame 0, atom 2"));
    CHECK(!std::filesystem::exists(folder / "nan.dcd"));
  }

  TEST_CASE("either byte order is read") {
    const std::string bytes = read_file(kFolder + "openmm.dcd");
    CHECK(parse_dcd(big_endian(bytes), "x.dcd", kAtoms).positions_nm ==
          parse_dcd(bytes, "x.dcd", kAtoms).positions_nm);
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
    CHECK(message_for(with_word(bytes, 8, 0)).empty());
    CHECK(contains(message_for(with_word(bytes, 88, 80)), "has length 84 at its beginning and 80"));
    CHECK(contains(message_for("VELD"), "not a DCD file: it has 4 bytes"));
    std::string velocities = bytes;
    velocities.replace(4, 4, "VELD");
    CHECK(contains(message_for(velocities), "holds velocities"));
  }

  TEST_CASE("the frames are those that the file holds, whatever its header states") {
    const std::string bytes = read_file(kFolder + "openmm.dcd");
    const auto all = parse_dcd(bytes, "x.dcd", kAtoms).positions_nm;
    for (const std::uint32_t stated : {1u, 4u, 1000u}) {
      const auto [found, note] = parse_dcd(with_word(bytes, 8, stated), "x.dcd", kAtoms);
      CHECK(found == all);
      CHECK(note == "x.dcd: the header states " + std::to_string(stated) +
                        " frames, the file holds 3, which are taken");
    }
    CHECK(parse_dcd(with_word(bytes, 8, 0), "x.dcd", kAtoms).note.empty());
    const auto [twenty, note] =
        read_dcd(ARBG_GOLDEN_DIR "/cases/header-says-10-holds-20.dcd", kAtoms);
    CHECK(twenty.size() == 20 * 3 * kAtoms);
    CHECK(contains(note, "the header states 10 frames, the file holds 20, which are taken"));
  }

  TEST_CASE("every truncation is refused, or read up to the last whole frame with a note") {
    const std::string bytes = read_file(kFolder + "mdtraj.dcd");
    const auto all = parse_dcd(bytes, "x.dcd", kAtoms).positions_nm;
    constexpr std::size_t kFrame = 3 * (4 * kAtoms + 8) + 56;
    const std::size_t header = bytes.size() - 3 * kFrame;
    for (std::size_t size = 0; size < header + kFrame; ++size)
      CHECK(!message_for(bytes.substr(0, size)).empty());
    for (std::size_t size = header + kFrame; size < bytes.size(); ++size) {
      const auto [found, note] = parse_dcd(bytes.substr(0, size), "x.dcd", kAtoms);
      const std::size_t frames = (size - header) / kFrame, rest = (size - header) % kFrame;
      CHECK(std::equal(found.begin(), found.end(), all.begin(),
                       all.begin() + static_cast<std::ptrdiff_t>(frames * 3 * kAtoms)));
      CHECK(contains(note, "the header states 3 frames"));
      if (rest > 0)
        CHECK(contains(note, "; a last frame, of which only " + std::to_string(rest) + " bytes"));
    }
  }

  TEST_CASE("what stands behind the last frame and is none is refused with its place") {
    const std::string bytes = read_file(kFolder + "openmm.dcd");
    CHECK(contains(message_for(bytes + "trailing"),
                   "expected the end or another frame at byte 1140, behind frame 2, found 8"));
    CHECK(contains(message_for(bytes + bytes),
                   "expected 88 bytes of coordinates before byte 1232, found 84"));
    CHECK(contains(message_for(with_word(bytes, bytes.size() - 4, 7)), "has length 88 at its"));
  }
}

}  // namespace arbg::md
