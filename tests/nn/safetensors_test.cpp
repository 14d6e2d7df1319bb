// Files come back as they went in; hostile files are refused with the name of what is wrong, never
// a crash.
#include "nn/files/safetensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/random.h"

namespace arbg::nn {
namespace {

std::string with_length(std::string_view header, std::string_view data) {
  const std::uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  return bytes.append(header).append(data);
}

std::string complaint(const std::string& bytes) {
  try {
    Safetensors::parse(bytes, "test.safetensors");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_SUITE("fast") {
  TEST_CASE("tensors and metadata come back bit for bit") {
    const auto path = std::filesystem::temp_directory_path() /
                      ("arbg_safetensors_test_" + std::to_string(::getpid()));
    const std::vector<double> numbers = {
        1.0 / 3, -0.0, 5e-324, std::numeric_limits<double>::infinity(), 1e300, 2};
    const std::vector<double> small = {1.5f, 0.1f, -3e-38f};
    const std::vector<std::int32_t> indices = {-7, 2147483647};
    write_safetensors(path,
                      {{"a", Tensor::from_values(numbers, {2, 3}, Backend::reference)},
                       {"b \"quoted\"", Tensor::from_values(small, {3}, Backend::cpu)},
                       {"empty", Tensor::zeros({0, 4}, DType::f32, Backend::cpu)},
                       {"i", Tensor::from_indices(indices, {2, 1}, Backend::cpu)}},
                      {{"text", "{\"x\": [1, 2]}\n"}});
    const auto file = Safetensors::read(path);
    write_safetensors(path, {}, {});  // a new file of that name: the old one is read to its end
    std::filesystem::remove(path);
    REQUIRE(file.entries().size() == 4);
    CHECK(std::memcmp(file.values("a").data(), numbers.data(), sizeof(double) * numbers.size()) ==
          0);
    CHECK(file.entry("b \"quoted\"").dtype == "F32");
    CHECK(file.values("b \"quoted\"") == small);
    CHECK(file.tensor("empty", Backend::reference).shape() == Shape{0, 4});
    CHECK(file.tensor("i", Backend::reference).indices() == indices);
    CHECK(file.tensor("a", Backend::reference).shape() == Shape{2, 3});
    CHECK(*file.metadata("text") == "{\"x\": [1, 2]}\n");
    CHECK(file.metadata("other") == nullptr);
    CHECK_THROWS_AS(file.values("c"), Error);
  }

  TEST_CASE("bfloat16 and int64 are read") {
    const std::string data("\x80\x3f\x20\xc0\xff\xff\xff\xff\xff\xff\xff\xff", 12);  // 1, -2.5; -1
    const auto file =
        Safetensors::parse(with_length(R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
                                       R"("i":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}})",
                                       data),
                           "test");
    CHECK(file.values("b") == std::vector{1.0, -2.5});
    CHECK(file.tensor("i", Backend::cpu).indices() == std::vector{-1});
  }

  TEST_CASE("a hostile file is refused, and the message says what is wrong") {
    const auto tensor = [](std::string_view dtype, std::string_view shape,
                           std::string_view offsets) {
      return "{\"w\":{\"dtype\":\"" + std::string(dtype) + "\",\"shape\":" + std::string(shape) +
             ",\"data_offsets\":" + std::string(offsets) + "}}";
    };
    const std::string eight(8, 'x');
    const std::pair<std::string, const char*> files[] = {
        {"", "not a safetensors file"},
        {"1234567", "not a safetensors file"},
        {std::string(8, '\xff') + "{}", "header claims"},
        {with_length("{}", "").substr(0, 9), "header claims"},
        {with_length("[]", ""), "expected an object"},
        {with_length("{\"w\":1}", ""), "w: expected an object"},
        {with_length(tensor("F32", "[2]", "[0,8]"), "1234"), "do not fit"},
        {with_length(tensor("F32", "[2]", "[0,8]"), eight + "1"), "the tensors end at data byte 8"},
        {with_length(tensor("F32", "[2]", "[4,8]"), eight), "needs 8 bytes"},
        {with_length(tensor("F32", "[1]", "[4,8]"), eight), "hole"},
        {with_length(tensor("F32", "[2]", "[8,0]"), eight), "do not fit"},
        {with_length(tensor("F32", "[-2]", "[0,8]"), eight), "negative or too large"},
        {with_length(tensor("F32", "[4294967296,4294967296]", "[0,8]"), eight),
         "negative or too large"},
        {with_length(tensor("F32", "[1.5]", "[0,8]"), eight), "expected an integer"},
        {with_length(tensor("F32", "[2]", "[0,8,9]"), eight), "expected 2"},
        {with_length(tensor("F8_E4M3", "[8]", "[0,8]"), eight), "F8_E4M3 is not supported"},
        {with_length("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                     "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                     eight),
         "overlap"},
        {with_length("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                     eight),
         "stands twice"},
        {with_length("{\"__metadata__\":{\"a\":1}}", ""), "expected a string"}};
    for (const auto& file : files) {
      const auto& [bytes, expected] = file;
      CAPTURE(file.first);
      const std::string message = complaint(bytes);
      CAPTURE(message);
      CHECK(message.find(expected) != std::string::npos);
      CHECK(message.find("test.safetensors") != std::string::npos);
    }
  }

  TEST_CASE("a damaged file is refused or read, whatever byte is damaged; it never crashes") {
    const std::string good = with_length(
        R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"a":"b"}})",
        "12345678");
    CHECK(complaint(good).empty());
    int refused = 0;
    for (std::size_t at = 0; at < good.size(); ++at) {
      CHECK_FALSE(complaint(good.substr(0, at)).empty());  // every truncation is noticed
      for (const char damage : {'\0', '\xff', '9', '"', '{'}) {
        std::string bad = good;
        bad[at] = damage;
        refused += complaint(bad).empty() ? 0 : 1;
      }
    }
    CHECK(refused > 300);
  }
}

}  // namespace
}  // namespace arbg::nn
