#include "tensor/base/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

#include "tensor/base/error.h"

using namespace arbg;

namespace {

constexpr std::int64_t kLargestInteger = (std::int64_t{1} << 53) - 1;

Json parsed(std::string_view text) { return Json::parse(text, "input"); }

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("values of every kind survive being written and parsed") {
    Json value = Json::object();
    value["text"] = "quotes \" backslash \\ line\n tab\t bell\a \xc3\xa9";
    value["number"] = 0.1;
    value["integer"] = kLargestInteger;
    value["negative"] = -1.5e-300;
    value["yes"] = true;
    value["nothing"] = Json();
    value["list"].push_back(1);
    value["list"].push_back("two");
    value["empty list"] = Json::list();
    value["empty object"] = Json::object();
    for (const int indent : {-1, 0, 2}) {
      const Json again = parsed(value.dump(indent));
      CHECK(again.dump() == value.dump());
      CHECK(again.at("text").string() == value.at("text").string());
      CHECK(again.at("number").number() == 0.1);
      CHECK(again.at("integer").integer() == kLargestInteger);
      CHECK(again.at("negative").number() == -1.5e-300);
      CHECK(again.at("yes").boolean());
      CHECK(again.at("nothing").is_null());
      CHECK(again.at("list").items().size() == 2);
    }
  }

  TEST_CASE("members keep their order and integers print without a fraction") {
    Json value;
    value["b"] = 3.0;
    value["a"] = 0.5;
    CHECK(value.dump() == "{\"b\": 3, \"a\": 0.5}");
    CHECK(value.dump(2) == "{\n  \"b\": 3,\n  \"a\": 0.5\n}");
  }

  TEST_CASE("integers that a double rounds are refused, never rounded") {
    static_assert(!std::is_constructible_v<Json, std::uint64_t>);
    for (const std::int64_t value : {kLargestInteger, -kLargestInteger})
      CHECK(parsed(Json(value).dump()).integer() == value);
    for (const std::int64_t value : {kLargestInteger + 1, kLargestInteger + 2, -kLargestInteger - 1,
                                     std::int64_t{INT64_MAX}, INT64_MIN})
      CHECK_THROWS_AS(Json{value}, Error);
    for (const char* text : {"9007199254740992", "9007199254740993", "-9007199254740993", "0.5"})
      CHECK_THROWS_AS(parsed(text).integer(), Error);
  }

  TEST_CASE("a natural number of 64 bits is text, and in older files a number") {
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1} << 53, UINT64_MAX})
      CHECK(parsed(Json(std::to_string(value)).dump()).natural() == value);
    CHECK(parsed("7").natural() == 7);
    CHECK_THROWS_WITH_AS(
        parsed("\"18446744073709551616\"").natural(),
        "expected an integer from 0 to 18446744073709551615 in JSON, found '18446744073709551616'",
        Error);
    for (const char* text :
         {"\"-1\"", "\"\"", "\"7 \"", "\"7.5\"", "-1", "1.5", "1.8446744073709552e19"})
      CHECK_THROWS_AS(parsed(text).natural(), Error);
  }

  TEST_CASE("NaN and infinity, which JSON lacks, are written as null") {
    Json list;
    list.push_back(NAN);
    list.push_back(INFINITY);
    CHECK(list.dump() == "[null, null]");
  }

  TEST_CASE("escapes become the characters they name") {
    CHECK(parsed(R"("\u0041\u00e9\u20ac\ud83d\ude00\/\b")").string() ==
          "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/\b");
  }

  TEST_CASE("what is not JSON is refused with line and column") {
    CHECK_THROWS_WITH_AS(parsed("{\n \"a\": 1,\n \"a\": 2}"),
                         "input:3:5: the member \"a\" stands twice", Error);
    CHECK_THROWS_WITH_AS(parsed(" \n"), "input:2:1: expected JSON, found an empty file", Error);
    CHECK_THROWS_WITH_AS(parsed("[1, nul, 2]"), "input:1:5: expected a value, found 'nul'", Error);
    CHECK_THROWS_WITH_AS(parsed("[1, 2"), "input:1:6: the text ends in the middle of a value",
                         Error);
    for (const char* text :
         {"", "{", "[1,]", "{\"a\" 1}", "{a: 1}", "tru", "nan", "1e999", "\"open", "\"\\x\"",
          "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u12\"", "[1] 2",
          "\"line\nbreak\"", "'single'"}) {
      CAPTURE(text);
      CHECK_THROWS_AS(parsed(text), Error);
    }
  }

  TEST_CASE("nesting is limited, not the stack") {
    CHECK_THROWS_AS(parsed(std::string(100000, '[')), Error);
    CHECK(parsed(std::string(100, '[') + std::string(100, ']')).is_list());
  }

  TEST_CASE("asking for the wrong kind says what it is") {
    const Json value = parsed(R"({"n": 1.5, "s": "x"})");
    CHECK_THROWS_WITH_AS(value.at("s").number(), "expected a number in JSON, found a string",
                         Error);
    CHECK_THROWS_WITH_AS(value.at("n").integer(),
                         "expected an integer below 2^53 in size in JSON, found 1.5", Error);
    CHECK_THROWS_WITH_AS(value.at("m"), "JSON has no member \"m\"", Error);
    CHECK_THROWS_AS(value.items(), Error);
    CHECK_THROWS_AS(value.at("s").members(), Error);
    CHECK(!value.has("m"));
  }
}
