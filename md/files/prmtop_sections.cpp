#include "md/files/prmtop_sections.h"

#include <charconv>
#include <cmath>
#include <sstream>
#include <type_traits>

#include "md/files/trimmed.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/quoted.h"

namespace arbg::md {

namespace {

constexpr std::size_t kLineWidth = 80;
constexpr std::string_view kBlanks = " \t";

std::size_t leading_number(std::string_view& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// The old format has a title, and then twelve counts on the second line.
bool is_older_than_amber_7(std::string_view text) {
  std::istringstream counts(std::string(text.substr(std::min(text.find('\n'), text.size()), 200)));
  int value = 0;
  for (int i = 0; i < 12; ++i) {
    if (!(counts >> value)) return false;
  }
  return true;
}

void check_beginning(std::string_view text, const std::string& path) {
  require(text.find_first_not_of(" \t\r\n") != std::string_view::npos, path,
          ": the file is empty; expected an AMBER prmtop file");
  if (text.starts_with("%VERSION")) return;
  require(!is_older_than_amber_7(text), path,
          ":1: expected an AMBER prmtop file, which begins with %VERSION; this one is older than "
          "AMBER 7, write it again with ParmEd");
  fail(path, ":1: expected an AMBER prmtop file, which begins with %VERSION, found ",
       Quoted(text.substr(0, std::min(text.find('\n'), std::size_t{80}))), said_kind(text));
}

const char* name_of_letter(char letter) {
  return letter == 'I' ? "whole numbers" : letter == 'E' ? "numbers" : "words";
}

}  // namespace

PrmtopSections::PrmtopSections(std::string_view text, std::string path) : path_(std::move(path)) {
  check_beginning(text, path_);
  Section* current = nullptr;
  int line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.starts_with("%FLAG")) {
      const std::string flag(trimmed(line.substr(5), kBlanks));
      const auto [place, added] = sections_.try_emplace(flag);
      require(added && !flag.empty(), path_, ":", line_number,
              ": expected a section with a name of its own, found ", Quoted(line));
      current = &place->second;
      current->line = line_number;
      last_ = flag;
    } else if (line.starts_with("%FORMAT")) {
      require(current && current->width == 0, path_, ":", line_number,
              ": expected %FORMAT once after each %FLAG");
      read_format(line.substr(7), line_number, *current);
    } else if (line.starts_with('%')) {
      require(line.starts_with("%VERSION") || line.starts_with("%COMMENT"), path_, ":", line_number,
              ": expected %FLAG, %FORMAT or %COMMENT, found ", Quoted(line));
    } else if (!line.empty()) {
      require(current && current->width > 0, path_, ":", line_number,
              ": expected %FLAG and %FORMAT before the data");
      for (std::size_t at = 0; at < line.size(); at += current->width) {
        current->items.push_back(trimmed(line.substr(at, current->width), kBlanks));
        current->lines.push_back(line_number);
      }
    }
  }
}

void PrmtopSections::read_format(std::string_view line, int line_number, Section& section) const {
  std::string_view text = trimmed(line, kBlanks);
  const bool bracketed = text.starts_with('(') && text.ends_with(')') && text.size() > 2;
  if (bracketed && text.find(',') != std::string_view::npos) {  // of CHAMBER's FORCE_FIELD_TYPE
    section.letter = 'M';
    section.width = kLineWidth;
    return;
  }
  if (bracketed) text = text.substr(1, text.size() - 2);
  leading_number(text);  // items in a line: the line's own length says it too
  const char letter = text.empty() ? '?' : static_cast<char>(text.front() & ~0x20);
  if (!text.empty()) text.remove_prefix(1);
  section.letter = letter == 'F' || letter == 'G' || letter == 'D' ? 'E' : letter;
  section.width = leading_number(text);
  const bool known = section.letter == 'I' || section.letter == 'E' || section.letter == 'A';
  const bool digits = text.empty() || (text.front() == '.' && section.letter == 'E');
  require(bracketed && known && section.width > 0 && digits, path_, ":", line_number,
          ": expected a format such as (10I8), (5E16.8) or (20a4), found ", Quoted(line));
}

std::vector<std::string> PrmtopSections::flags() const {
  std::vector<std::string> result;
  for (const auto& [flag, section] : sections_) result.push_back(flag);
  return result;
}

const PrmtopSections::Section& PrmtopSections::section(std::string_view flag, char letter,
                                                       std::int64_t count) const {
  const auto found = sections_.find(flag);
  require(found != sections_.end(), path_, ": the section %FLAG ", flag,
          " is missing; the last one in the file is ",
          last_.empty() ? "%VERSION" : "%FLAG " + last_);
  const Section& section = found->second;
  check(section.letter == letter, flag, 0, "expected ", name_of_letter(letter), ", the format is ",
        section.letter);
  check(count == kAny || static_cast<std::int64_t>(section.items.size()) == count, flag, 0,
        "expected ", count, " items as the POINTERS say, found ", section.items.size(),
        flag == last_ ? "; this is the last section, is the file cut short?" : "");
  return section;
}

int PrmtopSections::line_of(std::string_view flag, std::size_t item) const {
  const auto found = sections_.find(flag);
  if (found == sections_.end()) return 1;
  const Section& section = found->second;
  return item < section.lines.size() ? section.lines[item] : section.line;
}

template <class Number>
std::vector<Number> PrmtopSections::parse(std::string_view flag, char letter,
                                          std::int64_t count) const {
  const Section& from = section(flag, letter, count);
  std::vector<Number> numbers(from.items.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string_view text = from.items[i];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
    bool good = error == std::errc() && end == text.data() + text.size();
    if constexpr (std::is_floating_point_v<Number>) good = good && std::isfinite(numbers[i]);
    check(good, flag, i, "expected ",
          std::is_integral_v<Number> ? "a whole number" : "a finite number", ", found ",
          Quoted(text));
  }
  return numbers;
}

std::vector<int> PrmtopSections::integers(std::string_view flag, std::int64_t count) const {
  return parse<int>(flag, 'I', count);
}

std::vector<double> PrmtopSections::numbers(std::string_view flag, std::int64_t count) const {
  return parse<double>(flag, 'E', count);
}

std::vector<std::string> PrmtopSections::words(std::string_view flag, std::int64_t count) const {
  const Section& from = section(flag, 'A', count);
  return {from.items.begin(), from.items.end()};
}

}  // namespace arbg::md
