#include "nn/nearest_name.h"

#include <algorithm>
#include <numeric>

namespace arbg::nn {
namespace {

constexpr std::size_t kLongestName = 200;  // longer ones are hostile: comparing takes their product

// How many letters of a must be put in, left out or changed to make it b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances of a's first i letters to b's first j
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_hint(std::string_view name, const std::vector<std::string_view>& candidates) {
  if (name.size() > kLongestName) return "";
  std::string_view nearest;
  std::size_t smallest = name.size() / 2 + 1;
  for (const auto candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= smallest) continue;
    smallest = distance;
    nearest = candidate;
  }
  return nearest.empty() ? "" : "; the nearest name is \"" + std::string(nearest) + "\"";
}

}  // namespace arbg::nn
