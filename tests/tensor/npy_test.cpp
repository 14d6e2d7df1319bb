#include "tensor/base/npy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "temporary_folder.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

using namespace arbg;

namespace {

using Extents = std::vector<std::int64_t>;

// A version 1.0 file with the given dictionary and data, as NumPy would write it.
std::string npy_bytes(const std::string& dictionary, const std::string& data) {
  std::string header = dictionary + "\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

const char* const kTwoDoubles = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("frames read one by one are those of the whole file, whatever its number type") {
    const TemporaryFolder folder;
    const auto path = folder / "x.npy";
    const std::vector<double> numbers = {0.5, 1, 2, 3, 4, 5.25, 6, 7, 8, 9, 10, 11};
    const auto check = [&] {
      const NpyFrames frames(path);
      CHECK(frames.shape() == Extents{3, 2, 2});
      CHECK(frames.frames() == 3);
      for (const std::int64_t frame : {2, 0, 1}) {
        std::vector<double> read(4);
        frames.read(frame, read);
        CHECK(std::equal(read.begin(), read.end(), numbers.begin() + 4 * frame));
      }
    };
    write_npy(path, Array<double>{{3, 2, 2}, numbers});
    check();
    write_npy(path, Array<float>{{3, 2, 2}, {numbers.begin(), numbers.end()}});
    check();

    const NpyFrames frames(path);
    std::vector<double> four(4), five(5);
    CHECK_THROWS_AS(frames.read(3, four), Error);
    CHECK_THROWS_AS(frames.read(-1, four), Error);
    CHECK_THROWS_AS(frames.read(0, five), Error);
    const std::string bytes = read_file(path);
    write_file(path, bytes.substr(0, bytes.size() - 1));
    CHECK_THROWS_AS(NpyFrames{path}, Error);
    frames.read(1, four);
    CHECK_THROWS_AS(frames.read(2, four), Error);  // the file became shorter
    write_npy(path, Array<double>{{}, {1}});
    CHECK_THROWS_AS(NpyFrames{path}, Error);
  }

  TEST_CASE("arrays of every type and shape are read back as written") {
    const TemporaryFolder folder;
    const auto path = folder / "x.npy";
    const double huge = std::numeric_limits<double>::max(),
                 tiny = std::numeric_limits<double>::denorm_min();
    write_npy(path, Array<double>{{2, 3}, {0.1, -0.0, huge, tiny, INFINITY, 1e-300}});
    Array<double> read = read_npy(path);
    CHECK(read.shape == Extents{2, 3});
    CHECK(read.data == std::vector<double>{0.1, -0.0, huge, tiny, INFINITY, 1e-300});
    write_npy(path, Array<double>{{1}, {NAN}});
    CHECK(std::isnan(read_npy(path).data.at(0)));
    write_npy(path, Array<float>{{3, 1}, {0.1f, 2, 3}});
    read = read_npy(path);
    CHECK(read.shape == Extents{3, 1});
    CHECK(read.data == std::vector<double>{static_cast<double>(0.1f), 2, 3});
    write_npy(path, Array<std::int32_t>{{2}, {-7, 2147483647}});
    CHECK(read_npy(path).data == std::vector<double>{-7, 2147483647});
    write_npy(path, Array<double>{{}, {4.5}});
    CHECK(read_npy(path).shape.empty());
    CHECK(read_npy(path).data == std::vector<double>{4.5});
    write_npy(path, Array<double>{{0, 5, 3}, {}});
    CHECK(read_npy(path).shape == Extents{0, 5, 3});
  }

  TEST_CASE("written files have NumPy's header, padded to 64 bytes") {
    const TemporaryFolder folder;
    write_npy(folder / "x.npy", Array<float>{{2, 1}, {1, 2}});
    const std::string bytes = read_file(folder / "x.npy");
    CHECK(bytes.size() == 128 + 8);
    CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
    CHECK(bytes.substr(10, 59) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }");
    CHECK(bytes[127] == '\n');
  }

  TEST_CASE("what is not a plain array of numbers is refused, with the reason") {
    const TemporaryFolder folder;
    const auto path = folder / "bad.npy";
    const std::string two(16, '\0'), where = path.string() + ": ";
    const auto refused = [&](const std::string& bytes, const std::string& reason) {
      write_file(path, bytes);
      CHECK_THROWS_WITH_AS(read_npy(path), doctest::Contains((where + reason).c_str()), Error);
    };
    refused("", "not a .npy file");
    refused("PK\x03\x04 and so on", "not a .npy file");
    refused("CDF\x01 and so on",
            "not a .npy file (it does not begin with \\x93NUMPY); it is a NetCDF");
    refused(npy_bytes(kTwoDoubles, two).substr(0, 8), "truncated: the file has 8 bytes");
    refused(npy_bytes(kTwoDoubles, two).substr(0, 40), "truncated");
    refused(npy_bytes(kTwoDoubles, two.substr(1)),
            "truncated: the shape needs 2 numbers of 8 bytes, the file holds 15");
    refused(npy_bytes("{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }", two),
            "dtype '>f8'");
    refused(npy_bytes("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", two),
            "dtype '|O'");
    refused(npy_bytes("{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }", two),
            "column-major");
    refused(npy_bytes("{'descr': '<f8', 'shape': (2,), }", two), "the .npy header has no key");
    refused(npy_bytes("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", two),
            "the .npy header has a dtype that is not a plain number type");
    refused(npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': 2, }", two),
            "the .npy header has a shape that is not a tuple");
    refused(npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (2), }", two),
            "the .npy header has a shape that is not a tuple");
    refused(npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }", two),
            "the .npy header has a shape with something else than whole numbers from 0: '-2");
    refused(npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}", two),
            "the .npy header has a key that .npy files do not have: 'x'");
    refused(npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)", two),
            "the .npy header does not end with '}'");
    refused(npy_bytes(std::string(kTwoDoubles) + "}", two),
            "the .npy header goes on behind its dictionary");
    refused(
        npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 4000000000), }",
                  two),
        "the .npy header has a shape that is too large");
    std::string version = npy_bytes(kTwoDoubles, two);
    version[6] = 9;
    refused(version, ".npy format version 9");
    write_file(path, npy_bytes(kTwoDoubles, two));
    CHECK(read_npy(path).data == std::vector<double>{0, 0});
  }

  TEST_CASE("every header that NumPy reads is read, as it writes it or not") {
    const auto read = [](const std::string& dictionary) {
      return parse_npy(npy_bytes(dictionary, std::string(16, '\0')), "x.npy").shape;
    };
    CHECK(read(kTwoDoubles) == Extents{2});
    CHECK(read("{'shape': (2L,), 'fortran_order': False, 'descr': '<f8'}") == Extents{2});
    CHECK(read("{'shape': (2L, 1L), 'fortran_order': False, 'descr': '<f8'}") == Extents{2, 1});
    CHECK(read("{\"descr\": \"<f8\", \"fortran_order\": False, \"shape\": (2,)}") == Extents{2});
    CHECK(read("{u'descr': u'<f8', u'fortran_order': False, u'shape': (2,)}") == Extents{2});
    CHECK(read("{'descr':'<f8','fortran_order':False,'shape':(1,2)}") == Extents{1, 2});
    CHECK(read(" { 'descr' : '<f8' , 'fortran_order' : False , 'shape' : ( 1 , 2 , ) , } \n") ==
          Extents{1, 2});
    const auto golden = read_npy(ARBG_GOLDEN_DIR "/cases/python-2-header.npy");
    CHECK(golden.shape == Extents{3, 22, 3});
    CHECK(golden.data[0] == doctest::Approx(-0.2829).epsilon(1e-3));
  }

  TEST_CASE("every truncation of a good file is refused") {
    const TemporaryFolder folder;
    write_npy(folder / "x.npy", Array<double>{{2}, {1, 2}});
    const std::string bytes = read_file(folder / "x.npy");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      write_file(folder / "cut.npy", bytes.substr(0, size));
      CHECK_THROWS_AS(read_npy(folder / "cut.npy"), Error);
    }
  }

  TEST_CASE("a shape that does not fit the data is not written") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(write_npy(folder / "x.npy", Array<double>{{3}, {1, 2}}), Error);
    CHECK(!std::filesystem::exists(folder / "x.npy"));
  }

  TEST_CASE("an appended trajectory is a readable file after every sync") {
    const TemporaryFolder folder;
    const auto path = folder / "t.npy";
    NpyAppender appender(path, {2, 3}, 0);
    CHECK(read_npy(path).shape == Extents{0, 2, 3});
    std::vector<float> frames(12);
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i] = static_cast<float>(i);
    appender.append(frames);
    appender.sync();
    CHECK(appender.frames() == 2);
    const auto read = read_npy(path);
    CHECK(read.shape == Extents{2, 2, 3});
    CHECK(read.data == std::vector<double>(frames.begin(), frames.end()));
    CHECK_THROWS_AS(appender.append(std::span(frames).first(5)), Error);
  }

  TEST_CASE("a file whose run was killed before it could sync reads up to the last sync") {
    const TemporaryFolder folder;
    NpyAppender appender(folder / "t.npy", {2}, 0);
    appender.append(std::vector<float>{1, 2, 3, 4});
    appender.sync();
    appender.append(std::vector<float>{5, 6});
    std::filesystem::copy_file(folder / "t.npy", folder / "killed.npy");
    CHECK(std::filesystem::file_size(folder / "killed.npy") > 128 + 4 * sizeof(float));
    const auto read = read_npy(folder / "killed.npy");
    CHECK(read.shape == Extents{2, 2});
    CHECK(read.data == std::vector<double>{1, 2, 3, 4});
  }

  TEST_CASE("appending goes on after the frames that a checkpoint counts, and drops later ones") {
    const TemporaryFolder folder;
    const auto path = folder / "t.npy";
    const std::vector<float> ones(6, 1.0f), twos(6, 2.0f);
    {
      NpyAppender appender(path, {3}, 0);
      appender.append(ones);
      appender.sync();
    }
    {
      NpyAppender appender(path, {3}, 1);
      appender.append(twos);
      appender.sync();
    }
    CHECK(read_npy(path).data == std::vector<double>{1, 1, 1, 2, 2, 2, 2, 2, 2});
    CHECK_THROWS_AS(NpyAppender(path, {4}, 1), Error);
    CHECK_THROWS_AS(NpyAppender(path, {3}, 4), Error);
    CHECK_THROWS_AS(NpyAppender(folder / "missing.npy", {3}, 1), Error);
    CHECK(read_npy(path).shape == Extents{3, 3});
  }

  TEST_CASE(
      "a trajectory that another program shortens, lengthens or replaces gets no more frames") {
    const TemporaryFolder folder;
    const auto path = folder / "t.npy";
    const std::vector<float> frames(6, 1.0f);
    const auto changed = [&](const auto& change) {
      NpyAppender appender(path, {3}, 0);
      appender.append(frames);
      appender.sync();
      appender.append(frames);
      change();
      const auto says = doctest::Contains("another program has changed the file");
      CHECK_THROWS_WITH_AS(appender.append(frames), says, Error);
      CHECK_THROWS_WITH_AS(appender.sync(), says, Error);
    };
    changed([&] { const NpyAppender other(path, {3}, 1); });
    CHECK(read_npy(path).data == std::vector<double>{1, 1, 1});  // no hole
    changed([&] { std::filesystem::resize_file(path, std::filesystem::file_size(path) + 12); });
    changed([&] { std::filesystem::remove(path); });
  }

  TEST_CASE("what a larger trajectory left is gone before the first frame of a new one") {
    const TemporaryFolder folder;
    const auto path = folder / "t.npy";
    NpyAppender(path, {3}, 0).append(std::vector<float>(300, 1.0f));
    const NpyAppender appender(path, {2}, 0);
    CHECK(std::filesystem::file_size(path) == 128);
    CHECK(read_npy(path).shape == Extents{0, 2});
  }
}
