// The sections of an AMBER prmtop file: named lists of numbers or words in fixed columns.
//
// Grammar: a line %VERSION, then for each section %FLAG NAME, %FORMAT(COUNT LETTER WIDTH[.DIGITS])
// and lines of items WIDTH columns wide; %COMMENT lines are skipped. Items are views into the text,
// which must outlive this object. Every function throws Error as PATH:LINE: what was expected and
// found; a list is never longer than the file that holds it.
// Source of the format: ambermd.org/FileFormats.php, "PARM parameter/topology file specification".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::md {

class PrmtopSections {
 public:
  PrmtopSections(std::string_view text, std::string path);

  bool has(std::string_view flag) const { return sections_.contains(flag); }
  std::vector<std::string> flags() const;

  // The items of a section that must be there and hold `count` of them; kAny: however many.
  static constexpr std::int64_t kAny = -1;
  std::vector<int> integers(std::string_view flag, std::int64_t count) const;
  std::vector<double> numbers(std::string_view flag, std::int64_t count) const;  // finite
  std::vector<std::string> words(std::string_view flag, std::int64_t count) const;

  // Throws Error as PATH:LINE: SECTION: parts, with the line of that item, unless the condition
  // holds.
  template <class... Parts>
  void check(bool condition, std::string_view flag, std::size_t item, const Parts&... parts) const {
    require(condition, path_, ":", line_of(flag, item), ": ", flag, ": ", parts...);
  }

 private:
  struct Section {
    int line = 0;           // of %FLAG
    char letter = 0;        // I, E or A; M: mixed, as in (i2,a78), an item a line
    std::size_t width = 0;  // columns of an item; 0 before %FORMAT
    std::vector<std::string_view> items;
    std::vector<int> lines;  // of the items
  };

  void read_format(std::string_view line, int line_number, Section& section) const;
  const Section& section(std::string_view flag, char letter, std::int64_t count) const;
  int line_of(std::string_view flag, std::size_t item) const;
  template <class Number>
  std::vector<Number> parse(std::string_view flag, char letter, std::int64_t count) const;

  std::string path_, last_;  // and the name of the last section in the file
  std::map<std::string, Section, std::less<>> sections_;
};

}  // namespace arbg::md
