#include "tensor/base/npz.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"
#include "tensor/base/inflate.h"

using namespace arbg;

namespace {

const std::string kFolder = ARBG_GOLDEN_DIR "/trajectories/";
using namespace std::string_literals;

std::string message_for(const std::string& bytes, const std::string& array = "positions") {
  try {
    parse_npz(bytes, array, "x.npz");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  INFO("message: " << text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("golden") {
  TEST_CASE("archives of savez and savez_compressed hold the arrays they were given") {
    const auto expected =
        read_npy(ARBG_GOLDEN_DIR "/energies/amber99sbildn-obc2/Ace-A-Nme/positions.npy").data;
    for (const char* file : {"savez.npz", "savez_compressed.npz"}) {
      CAPTURE(file);
      CHECK(npz_arrays(read_file(kFolder + file), file) ==
            std::vector<std::string>{"positions", "time"});
      const auto found = read_npz(kFolder + file, "positions");
      CHECK(found.shape == std::vector<std::int64_t>{3, 22, 3});
      REQUIRE(found.data.size() == 3 * 22 * 3);
      for (std::size_t i = 0; i < found.data.size(); ++i)
        CHECK(found.data[i] == static_cast<double>(static_cast<float>(expected[i])));
      CHECK(read_npz(kFolder + file, "time").data == std::vector<double>{0, 1, 2});
    }
  }
}

TEST_SUITE("fast") {
  TEST_CASE("an archive without the array is refused with the names of those it has") {
    CHECK(contains(message_for(read_file(kFolder + "savez.npz"), "xyz"),
                   "x.npz: expected an array named xyz, found 'positions', 'time'"));
    CHECK(contains(message_for("PK\x05\x06"s + std::string(18, '\0')), "found no array"));
  }

  TEST_CASE("what is no whole archive is refused with the reason") {
    const std::string stored = read_file(kFolder + "savez.npz"),
                      deflated = read_file(kFolder + "savez_compressed.npz");
    CHECK(contains(message_for("\x89HDF\r\n\x1a\n"),
                   "not a .npz file (it does not begin with PK); "
                   "it is an HDF5 file"));
    CHECK(contains(message_for(stored.substr(0, stored.size() - 30)), "truncated"));
    std::string damaged = stored;
    damaged[400] ^= 1;
    CHECK(contains(message_for(damaged), "x.npz:positions.npy: damaged: its checksum"));
    // In the list at the end: flags 8 and the method 10 bytes behind its mark.
    const auto entry = stored.find("PK\x01\x02");
    damaged = stored;
    damaged[entry + 8] ^= 1;
    CHECK(contains(message_for(damaged), "encrypted"));
    damaged = stored;
    damaged[entry + 10] = 12;
    CHECK(contains(message_for(damaged), "compressed by method 12"));
    damaged = stored;
    damaged[stored.rfind("PK\x05\x06") + 4] = 1;
    CHECK(contains(message_for(damaged), "x.npz: archives in several parts"));
    damaged = deflated;
    damaged[deflated.find("PK\x01\x02") + 27] = 127;  // two thousand million bytes
    CHECK(contains(message_for(damaged), "bytes cannot stand for"));
    for (std::size_t size = 0; size < deflated.size(); ++size)
      CHECK(!message_for(deflated.substr(0, size)).empty());
  }

  // Streams of zlib, made by its three ways.
  TEST_CASE("deflated bytes become what they were") {
    const std::string text = "to be or not to be";
    const std::string fixed("\x2b\xc9\x57\x48\x4a\x55\xc8\x2f\x52\xc8\xcb\x2f\x51\x28\x01\x71\0",
                            17);
    CHECK(inflate(fixed, text.size(), "x") == text);
    CHECK(inflate("\x01\x03\0\xfc\xff"s + "abc", 3, "x") == "abc");
    // A stretch that overlaps what it is copied from, from the very first byte on.
    CHECK(inflate(std::string("\x4b\x4c\x44\x00\x00", 5), 12, "x") == "aaaaaaaaaaaa");
    std::map<std::string, std::string> inflated;
    for (const char* way : {"fixed", "stored", "dynamic", "far"}) {
      CAPTURE(way);
      const std::string file =
          read_file(std::string(ARBG_GOLDEN_DIR "/../fuzz/corpus/inflate/") + way);
      const std::size_t size = static_cast<unsigned char>(file[0]) +
                               std::size_t{static_cast<unsigned char>(file[1])} * 256;
      const std::string packed = file.substr(2);
      inflated[way] = inflate(packed, size, "x");
      CHECK(inflated[way].size() == size);
      CHECK_THROWS_AS(inflate(packed, size - 1, "x"), Error);
      CHECK_THROWS_AS(inflate(packed, size + 1, "x"), Error);
      CHECK_THROWS_AS(inflate(packed.substr(0, packed.size() - 2), size, "x"), Error);
    }
    const std::string question = "to be or not to be, that is the question; ";
    CHECK(inflated["fixed"] == question + question + question);
    CHECK(inflated["stored"] == (question + question).substr(0, 60));
    CHECK(inflated["dynamic"].substr(0, 5).find_first_not_of("abcd\n") == std::string::npos);
    CHECK(inflated["far"] == inflated["dynamic"] + std::string(20000, '\0') + inflated["dynamic"]);
    CHECK_THROWS_WITH_AS(inflate("\x01\x03\0\xfc\xfe"s + "abc", 3, "x"),
                         doctest::Contains("length is not said twice"), Error);
    CHECK_THROWS_WITH_AS(inflate("\x07", 3, "x"), doctest::Contains("unknown kind"), Error);
    CHECK_THROWS_WITH_AS(inflate(fixed, std::size_t{1} << 40, "x"),
                         doctest::Contains("17 bytes cannot stand for"), Error);
  }

  TEST_CASE("a file is called what its first bytes say") {
    CHECK(kind_of_file("CDF\x02...") == "a NetCDF file (AMBER's .nc)");
    CHECK(kind_of_file("\0\0\x07\xcb..."s) == "a GROMACS .xtc trajectory");
    CHECK(kind_of_file("\0\0\x07\xc9..."s) == "a GROMACS .trr trajectory");
    CHECK(said_kind("\x1f\x8b\x08") == "; it is compressed by gzip: unpack it first");
    CHECK(kind_of_file("\x93NUMPY\x01") == "a .npy array");
    CHECK(said_kind("version https://git-lfs.github.com/spec/v1\noid sha256:0\n") ==
          "; it is a pointer of Git LFS: fetch the file itself by git lfs pull");
    CHECK(said_kind("<!DOCTYPE html><html>") == "; it is a web page");
    CHECK(said_kind("\0\0"s).empty());
    CHECK(said_kind("").empty());
  }
}
