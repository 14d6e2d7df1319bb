// Long options for the sub-commands: declared in a table, parsed, checked, and printed as help.
//
// Every option is "--name VALUE" (or "--name=VALUE"), or a bare "--flag"; given again, it counts
// anew, and a list grows. Unknown options, missing values and numbers that are not numbers or out of
// range throw Error with the nearest known name or the expected form.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::apps {

struct Option {
  std::string name;        // without the dashes
  std::string value_name;  // "N", "FILE"; "LIST" if values add up, with commas; empty for a flag
  std::string fallback;    // value when not given, shown in the help; empty: none
  std::string help;
};

struct CommandSpec {
  std::string name, summary;  // one line, shown by `arbg --help`
  std::string positional;     // name of the one positional argument, or empty
  std::vector<Option> options;
  std::vector<std::string> examples;  // complete command lines
  std::vector<std::string>
      without{};  // of the options that all commands have, those that mean nothing here
  bool has_network = true;  // otherwise it computes with molecules alone, without products
};

inline constexpr std::int64_t kMostInteger = std::numeric_limits<std::int64_t>::max();

class Arguments {
 public:
  // Adds the options that all commands have (--seed, --threads, --backend, --json, --help) to the
  // table.
  Arguments(CommandSpec spec, const std::vector<std::string>& words);

  bool wants_help() const { return flag("help"); }
  std::string help() const;

  bool knows(std::string_view name) const;  // the command has such an option
  bool given(std::string_view name) const;  // on the command line, not by default
  bool flag(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::string required(std::string_view name) const;  // throws Error if not given or empty
  double number(std::string_view name) const;         // finite
  std::int64_t integer(std::string_view name, std::int64_t lowest,
                       std::int64_t highest = kMostInteger) const;
  std::uint64_t natural(std::string_view name) const;  // any of 64 bits without a sign
  double duration_s(std::string_view name) const;      // "90", "90s", "10m", "1.5h"; above 0
  const std::string& positional() const { return positional_; }

 private:
  const Option& find(std::string_view name) const;

  CommandSpec spec_;
  std::map<std::string, std::string, std::less<>> values_;
  std::string positional_;
};

// "3m 20s", "1h 05m", "45s", "0.4s".
std::string format_duration(double seconds);

}  // namespace arbg::apps
