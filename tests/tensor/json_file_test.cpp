// JSON of files: what an error says about the place.
#include "tensor/base/json_file.h"

#include <doctest/doctest.h>

#include <vector>

#include "tensor/base/files.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg {

TEST_SUITE("fast") {
  TEST_CASE("a member of another type, or missing, is named") {
    const Json json = Json::parse(R"({"step": 3, "eps": null, "counts": [1, "x"]})", "json");
    CHECK(member(json, "step", &Json::integer) == 3);
    CHECK(error_message([&] { member(json, "eps", &Json::number); }) ==
          "\"eps\": expected a number in JSON, found null");
    CHECK(error_message([&] { member(json, "counts", numbers_of); }) ==
          "\"counts\": expected a number in JSON, found a string");
    CHECK(error_message([&] { member(json, "seed", &Json::natural); }) ==
          "JSON has no member \"seed\"");
  }

  TEST_CASE("lines come in turn until no more are wanted, errors with file and line") {
    const TemporaryFolder folder;
    const auto path = folder / "log.jsonl";
    write_file(path, "1\n2\n\"x\"\n4");  // the last line was never finished
    std::vector<double> numbers;
    read_json_lines(path, [&](const Json& line) {
      numbers.push_back(line.is_number() ? line.number() : 0);
      return true;
    });
    CHECK(numbers == std::vector<double>{1, 2, 0});
    const auto number = [](const Json& line) { return line.number() < 2; };
    CHECK(error_message([&] { read_json_lines(path, number); }).empty());
    const auto all = [](const Json& line) { return line.number() > 0; };
    CHECK(error_message([&] { read_json_lines(path, all); }) ==
          path.string() + ", line 3: expected a number in JSON, found a string");
    write_file(path, "1\n2,\n");
    CHECK(error_message([&] { read_json_lines(path, all); }).find("log.jsonl, line 2:1:2: ") !=
          std::string::npos);
  }
}

}  // namespace arbg
