#include "apps/cli/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "tensor/base/available_cpus.h"
#include "tensor/base/error.h"
#include "tensor/base/nearest_name.h"
#include "tensor/base/quoted.h"

namespace arbg::apps {
namespace {

std::vector<Option> common_options(bool has_network) {
  std::vector<Option> options = {
      {"seed", "N", "1", "random seed; the same seed gives the same numbers"},
      {"threads", "N", std::to_string(available_cpus()),
       "number of threads; by default one for each CPU that affinity and quotas leave"},
      {"backend", "NAME", "cpu",
       "cpu (float32, fast), reference (plain double loops, slow), cuda (on a GPU), or auto (cuda "
       "if there is a GPU that works, else cpu)"}};
  if (has_network)
    options.push_back(
        {"products", "NAME", "float32",
         "precision of matrix products: float32; bf16, fast on a CPU with AMX and on a "
         "GPU; or tf32, on a GPU (sums are float32 always; demo trains in bf16 on a CPU with "
         "AMX)"});
  options.push_back({"json", "", "", "print the result as one JSON object on standard output"});
  options.push_back({"help", "", "", "show this help"});
  return options;
}

template <class T>
T parse_number(std::string_view text, std::string_view name, const char* kind) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    fail("--", name, " expects ", kind, ", got ", Quoted(text));
  }
  return value;
}

}  // namespace

Arguments::Arguments(CommandSpec spec, const std::vector<std::string>& words)
    : spec_(std::move(spec)) {
  for (const auto& option : common_options(spec_.has_network)) {
    // What has no backend has no products.
    const std::string needed = option.name == "products" ? "backend" : option.name;
    if (std::ranges::find(spec_.without, needed) == spec_.without.end())
      spec_.options.push_back(option);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-h") {
      values_["help"] = "yes";
      continue;
    }
    if (!word.starts_with("--")) {
      require(!spec_.positional.empty() && positional_.empty(), "unexpected argument '", word,
              "'; see arbg ", spec_.name, " --help");
      positional_ = word;
      continue;
    }
    const auto equals = word.find('=');
    const Option& option =
        find(std::string_view(word).substr(2, equals == std::string::npos ? equals : equals - 2));
    if (option.value_name.empty()) {
      require(equals == std::string::npos, "--", option.name, " takes no value");
      values_[option.name] = "yes";
    } else {
      require(
          equals != std::string::npos || (i + 1 < words.size() && !words[i + 1].starts_with("--")),
          "--", option.name, " needs a value: --", option.name, " ", option.value_name);
      const std::string given = equals != std::string::npos ? word.substr(equals + 1) : words[++i];
      std::string& value = values_[option.name];
      value = option.value_name == "LIST" && !value.empty() ? value + "," + given : given;
    }
  }
}

bool Arguments::knows(std::string_view name) const {
  return std::ranges::any_of(spec_.options,
                             [&](const Option& option) { return option.name == name; });
}

const Option& Arguments::find(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& option : spec_.options) {
    if (option.name == name) return option;
    names.push_back(option.name);
  }
  const std::string nearest(nearest_name(name, names));
  fail("there is no option --", name,
       nearest.empty() ? "; see arbg " + spec_.name + " --help"
                       : "; did you mean --" + nearest + "?");
}

bool Arguments::given(std::string_view name) const {
  find(name);
  return values_.find(name) != values_.end();
}

bool Arguments::flag(std::string_view name) const { return given(name); }

std::string Arguments::text(std::string_view name) const {
  const Option& option = find(name);
  const auto value = values_.find(name);
  return value != values_.end() ? value->second : option.fallback;
}

std::string Arguments::required(std::string_view name) const {
  const std::string value = text(name);
  require(!value.empty(), "--", name, " ", find(name).value_name, " is needed: ", find(name).help);
  return value;
}

double Arguments::number(std::string_view name) const {
  const double value = parse_number<double>(text(name), name, "a number");
  require(std::isfinite(value), "--", name, " expects a finite number");
  return value;
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t lowest,
                                std::int64_t highest) const {
  const auto value = parse_number<std::int64_t>(text(name), name, "a whole number");
  const std::string range = highest == kMostInteger ? " up" : " to " + std::to_string(highest);
  require(value >= lowest && value <= highest, "--", name, " expects a whole number from ", lowest,
          range, ", got ", value);
  return value;
}

std::uint64_t Arguments::natural(std::string_view name) const {
  return parse_number<std::uint64_t>(text(name), name,
                                     "a whole number from 0 to 18446744073709551615");
}

double Arguments::duration_s(std::string_view name) const {
  std::string value = text(name);
  double unit = 1;
  if (value.ends_with('s'))
    value.pop_back();
  else if (value.ends_with('m'))
    value.pop_back(), unit = 60;
  else if (value.ends_with('h'))
    value.pop_back(), unit = 3600;
  const double seconds =
      unit * parse_number<double>(value, name, "a duration such as 90s, 10m or 1.5h");
  require(std::isfinite(seconds) && seconds > 0, "--", name, " expects a duration above 0, got '",
          text(name), "'");
  return seconds;
}

namespace {

constexpr std::size_t kHelpColumn = 28, kHelpWidth = 100;

// Words from the column on where the last line of `out` ends, broken at blanks.
void add_wrapped(std::string& out, std::size_t column, const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool begins = column <= kHelpColumn;
    if (!begins && column + 1 + word.size() > kHelpWidth) {
      out += "\n" + std::string(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (out.back() != ' ') {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
}

}  // namespace

std::string Arguments::help() const {
  std::string out = "arbg " + spec_.name + " - " + spec_.summary + "\n\nUsage: arbg " + spec_.name;
  if (!spec_.positional.empty()) out += " " + spec_.positional;
  out += " [options]\n\nOptions:\n";
  for (const auto& option : spec_.options) {
    std::string left =
        "  --" + option.name + (option.value_name.empty() ? "" : " " + option.value_name);
    left.resize(std::max(left.size() + 2, kHelpColumn), ' ');
    out += left;
    add_wrapped(out, left.size(),
                option.help + (option.fallback.empty() ? "" : " [" + option.fallback + "]"));
    out += "\n";
  }
  if (!spec_.examples.empty()) out += "\nExamples:\n";
  for (const auto& example : spec_.examples) out += "  " + example + "\n";
  return out;
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(seconds, 0.0)));
  char text[32];
  if (seconds < 10)
    std::snprintf(text, sizeof text, "%.1fs", std::max(seconds, 0.0));
  else if (whole < 60)
    std::snprintf(text, sizeof text, "%llds", whole);
  else if (whole < 3600)
    std::snprintf(text, sizeof text, "%lldm %02llds", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%lldh %02lldm", whole / 3600, whole / 60 % 60);
  return text;
}

}  // namespace arbg::apps
