#include "sampling/training/mixture_file.h"

#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/quoted.h"

namespace arbg::sampling {
namespace {

std::vector<std::string> fields_of(std::string line) {
  line.resize(std::min(line.size(), line.find('#')));
  std::istringstream words(line);
  std::vector<std::string> fields;
  for (std::string word; words >> word;) fields.push_back(word);
  return fields;
}

double parse_weight(const std::string& text, const std::string& where) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  require(error == std::errc{} && end == text.data() + text.size() && weight > 0 &&
              std::isfinite(weight),
          where, ": expected a weight above 0, found ", Quoted(text));
  return weight;
}

}  // namespace

std::vector<MixtureEntry> read_mixture_file(const std::filesystem::path& path) {
  return parse_mixture(read_file(path), path);
}

std::vector<MixtureEntry> parse_mixture(std::string_view text, const std::filesystem::path& name) {
  std::istringstream lines{std::string(text)};
  std::vector<MixtureEntry> entries;
  std::map<std::string, int> line_of;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = name.string() + ":" + std::to_string(++number);
    const auto fields = fields_of(line);
    if (fields.empty()) continue;
    require(fields.size() == 3 || fields.size() == 4, where,
            ": expected NAME TRAJECTORY TOPOLOGY [WEIGHT], found ", fields.size(), " fields");
    const auto [before, is_new] = line_of.emplace(fields[0], number);
    require(is_new, where, ": the molecule ", Quoted(fields[0]), " is on line ", before->second,
            " too");
    const auto folder = name.parent_path();
    MixtureEntry entry{fields[0], folder / fields[1], {}, 1, where};
    std::error_code no_such_path;
    if (std::filesystem::is_directory(entry.trajectory, no_such_path))
      entry.trajectory /= "positions.npy";
    if (fields[2] != "built") entry.topology = folder / fields[2];
    if (fields.size() == 4) entry.weight = parse_weight(fields[3], where);
    entries.push_back(std::move(entry));
  }
  require(!entries.empty(), name.string(),
          ": expected a line NAME TRAJECTORY TOPOLOGY [WEIGHT] for each molecule, found none");
  return entries;
}

}  // namespace arbg::sampling
