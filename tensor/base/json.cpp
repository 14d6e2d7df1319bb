#include "tensor/base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "tensor/base/error.h"
#include "tensor/base/quoted.h"

namespace arbg {
namespace {

constexpr int kDeepest = 200;  // nesting beyond this is an attack on the stack, not data
constexpr double kFirstInexact = 0x1.0p53;  // also what 2^53 + 1 is rounded to

class Parser {
 public:
  Parser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Json document() {
    Json value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) refuse("unexpected text after the value");
    return value;
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    const auto before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto line_start =
        before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    fail(name_, ":", line, ":", at_ - line_start + 1, ": ", what);
  }

  void skip_space() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }

  char peek() {
    skip_space();
    if (at_ == text_.size())
      refuse(text_.find_first_not_of(" \t\r\n") == std::string_view::npos
                 ? "expected JSON, found an empty file"
                 : "the text ends in the middle of a value");
    return text_[at_];
  }

  void expect(char c) {
    if (peek() != c) refuse(std::string("expected '") + c + "'");
    ++at_;
  }

  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json parse_value(int depth) {
    if (depth > kDeepest) refuse("nested too deeply");
    const char c = peek();
    if (c == '{') return parse_object(depth);
    if (c == '[') return parse_list(depth);
    if (c == '"') return Json(parse_string());
    if (take("true")) return Json(true);
    if (take("false")) return Json(false);
    if (take("null")) return Json();
    double number = 0;
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (parsed.ec != std::errc{} || !std::isfinite(number)) {
      std::ostringstream what;
      what << "expected a value, found "
           << Quoted(text_.substr(at_, text_.substr(at_).find_first_of(" \t\r\n,]}")));
      refuse(what.str());
    }
    at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
    return Json(number);
  }

  Json parse_object(int depth) {
    Json::Members members;
    std::set<std::string, std::less<>> keys;  // has() on a large object would take its square
    expect('{');
    if (peek() == '}') return ++at_, Json(std::move(members));
    while (true) {
      if (peek() != '"') refuse("expected a member name in quotes");
      std::string key = parse_string();
      if (!keys.insert(key).second) refuse("the member \"" + key + "\" stands twice");
      expect(':');
      members.emplace_back(std::move(key), parse_value(depth + 1));
      if (peek() == '}') return ++at_, Json(std::move(members));
      expect(',');
    }
  }

  Json parse_list(int depth) {
    Json list = Json::list();
    expect('[');
    if (peek() == ']') return ++at_, list;
    while (true) {
      list.push_back(parse_value(depth + 1));
      if (peek() == ']') return ++at_, list;
      expect(',');
    }
  }

  unsigned parse_hex4() {
    unsigned code = 0;
    if (at_ + 4 > text_.size()) refuse("a \\u escape needs four hexadecimal digits");
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, code, 16);
    if (parsed.ptr != text_.data() + at_ + 4) refuse("a \\u escape needs four hexadecimal digits");
    at_ += 4;
    return code;
  }

  void append_utf8(std::string& out, unsigned code) {
    const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
    if (code < 0x10000)
      return put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)),
        put(0x80 | (code & 0x3F));
  }

  std::string parse_string() {
    std::string out;
    ++at_;  // the opening quote
    while (true) {
      if (at_ == text_.size()) refuse("the text ends inside a string");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) refuse("a control character inside a string");
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) refuse("the text ends inside a string");
      const char escape = text_[at_++];
      constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
      if (const auto known = kNames.find(escape); known != std::string_view::npos) {
        out += kValues[known];
      } else if (escape == 'u') {
        unsigned code = parse_hex4();
        if (code >= 0xDC00 && code <= 0xDFFF) refuse("half of a surrogate pair");
        if (code >= 0xD800 && code < 0xDC00) {
          if (!take("\\u")) refuse("half of a surrogate pair");
          const unsigned low = parse_hex4();
          if (low < 0xDC00 || low > 0xDFFF) refuse("half of a surrogate pair");
          code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(out, code);
      } else {
        refuse("unknown escape in a string");
      }
    }
  }

  std::string_view text_, name_;
  std::size_t at_ = 0;
};

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\u00", out += kHex[c >> 4], out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const bool integral = value == std::floor(value) && std::abs(value) < kFirstInexact;
  const auto end =
      integral ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(value))
               : std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

void append_break(std::string& out, int indent, int depth) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent * depth), ' ');
}

void append_value(std::string& out, const Json& value, int indent, int depth) {
  if (value.is_object() || value.is_list()) {
    const bool object = value.is_object();
    bool first = true;
    const auto separate = [&] {
      if (!first) out += indent < 0 ? ", " : ",";
      first = false;
      append_break(out, indent, depth + 1);
    };
    out += object ? '{' : '[';
    if (object) {
      for (const auto& [key, member] : value.members()) {
        separate();
        append_quoted(out, key);
        out += ": ";
        append_value(out, member, indent, depth + 1);
      }
    } else {
      for (const auto& item : value.items()) {
        separate();
        append_value(out, item, indent, depth + 1);
      }
    }
    if (!first) append_break(out, indent, depth);
    out += object ? '}' : ']';
  } else if (value.is_string()) {
    append_quoted(out, value.string());
  } else if (value.is_number()) {
    append_number(out, value.number());
  } else if (value.is_null()) {
    out += "null";
  } else {
    out += value.boolean() ? "true" : "false";
  }
}

const char* kind(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  if (value.is_list()) return "a list";
  if (value.is_object()) return "an object";
  return "a boolean";
}

}  // namespace

Json::Json(std::int64_t value) : value_(static_cast<double>(value)) {
  require(std::abs(std::get<double>(value_)) < kFirstInexact, "the integer ", value,
          " is too large for a JSON number; it must be written as text");
}

Json Json::parse(std::string_view text, std::string_view name) {
  return Parser(text, name).document();
}

std::string Json::dump(int indent) const {
  std::string out;
  append_value(out, *this, indent, 0);
  return out;
}

bool Json::boolean() const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  fail("expected a boolean in JSON, found ", kind(*this));
}

double Json::number() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  fail("expected a number in JSON, found ", kind(*this));
}

std::int64_t Json::integer() const {
  const double value = number();
  require(value == std::floor(value) && std::abs(value) < kFirstInexact,
          "expected an integer below 2^53 in size in JSON, found ", value);
  return static_cast<std::int64_t>(value);
}

std::uint64_t Json::natural() const {
  if (is_number()) {
    const std::int64_t value = integer();
    require(value >= 0, "expected an integer from 0 in JSON, found ", value);
    return static_cast<std::uint64_t>(value);
  }
  const std::string& text = string();
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  require(parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size(),
          "expected an integer from 0 to 18446744073709551615 in JSON, found ", Quoted(text));
  return value;
}

const std::string& Json::string() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  fail("expected a string in JSON, found ", kind(*this));
}

const Json::List& Json::items() const {
  if (const auto* value = std::get_if<List>(&value_)) return *value;
  fail("expected a list in JSON, found ", kind(*this));
}

const Json::Members& Json::members() const {
  if (const auto* value = std::get_if<Members>(&value_)) return *value;
  fail("expected an object in JSON, found ", kind(*this));
}

bool Json::has(std::string_view key) const {
  return std::ranges::any_of(members(), [&](const auto& member) { return member.first == key; });
}

const Json& Json::at(std::string_view key) const {
  for (const auto& [name, value] : members()) {
    if (name == key) return value;
  }
  fail("JSON has no member \"", key, "\"");
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Members{};
  if (!is_object()) fail("expected an object in JSON, found ", kind(*this));
  auto& list = std::get<Members>(value_);
  for (auto& [name, value] : list) {
    if (name == key) return value;
  }
  return list.emplace_back(std::string(key), Json()).second;
}

void Json::push_back(Json value) {
  if (is_null()) value_ = List{};
  if (!is_list()) fail("expected a list in JSON, found ", kind(*this));
  std::get<List>(value_).push_back(std::move(value));
}

double number_or_nan(const Json& json) { return json.is_null() ? std::nan("") : json.number(); }

Json list_of(std::span<const double> numbers) {
  return Json(Json::List(numbers.begin(), numbers.end()));
}

std::vector<double> numbers_of(const Json& list) {
  std::vector<double> out;
  for (const Json& number : list.items()) out.push_back(number_or_nan(number));
  return out;
}

}  // namespace arbg
