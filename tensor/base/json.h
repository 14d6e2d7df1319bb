// JSON values: parsed, built and written. Objects keep the order in which members were added.
//
// Numbers are doubles. Integers below 2^53 in size are exact and print without a fraction; larger
// ones are refused, never rounded. So what may be any 64-bit integer, as a seed, is text:
// json["seed"] = std::to_string(seed), read by at("seed").natural(). NaN and infinity, which JSON
// lacks, are written as null.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace arbg {

class Json {
 public:
  using List = std::vector<Json>;
  using Members = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  Json(bool value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(int value) : value_(static_cast<double>(value)) {}
  Json(std::int64_t value);  // throws Error for one that a double would round
  Json(std::uint64_t value) = delete;
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(List value) : value_(std::move(value)) {}
  explicit Json(Members value) : value_(std::move(value)) {}

  static Json object() { return Json(Members{}); }
  static Json list() { return Json(List{}); }

  // Throws Error with `name` (the file, say), line and column of the first thing that is not JSON.
  static Json parse(std::string_view text, std::string_view name);

  // indent < 0: one line; otherwise that many spaces a level.
  std::string dump(int indent = -1) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_number() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_object() const { return std::holds_alternative<Members>(value_); }

  // The value as a type; throws Error saying what it is instead.
  bool boolean() const;
  double number() const;
  std::int64_t integer() const;   // a number below 2^53 in size
  std::uint64_t natural() const;  // from 0 to 2^64 - 1, as text, or as a number below 2^53
  const std::string& string() const;
  const List& items() const;
  const Members& members() const;

  bool has(std::string_view key) const;
  const Json& at(std::string_view key) const;  // throws Error naming the missing key
  Json& operator[](
      std::string_view key);   // adds the member if it is missing (to null: makes it an object)
  void push_back(Json value);  // to null: makes it a list

 private:
  std::variant<std::monostate, bool, double, std::string, List, Members> value_;
};

// JSON has null for NaN and infinity; back comes NaN.
double number_or_nan(const Json& json);
Json list_of(std::span<const double> numbers);
std::vector<double> numbers_of(const Json& list);

}  // namespace arbg
