#include "metrics/pages/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr const char* kGap = "  ";

std::size_t columns_wide(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                 const std::vector<Align>& alignment) {
  std::string result;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const std::string blanks(widths[k] - columns_wide(cells[k]), ' ');
    if (k > 0) result += kGap;
    result += alignment[k] == Align::left ? cells[k] + blanks : blanks + cells[k];
  }
  result.erase(result.find_last_not_of(' ') + 1);
  return result + "\n";
}

}  // namespace

Table::Table(std::vector<std::string> header, std::vector<Align> alignment)
    : header_(std::move(header)), alignment_(std::move(alignment)) {
  require(alignment_.size() <= header_.size(), "expected at most one alignment for each of ",
          header_.size(), " columns, found ", alignment_.size());
  for (std::size_t k = alignment_.size(); k < header_.size(); ++k) {
    alignment_.push_back(k == 0 ? Align::left : Align::right);
  }
}

void Table::add_row(std::vector<std::string> cells) {
  require(cells.size() <= header_.size(), "expected a table row of at most ", header_.size(),
          " cells, found ", cells.size());
  cells.resize(header_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header_) widths.push_back(columns_wide(cell));
  for (const auto& row : rows_) {
    for (std::size_t k = 0; k < row.size(); ++k)
      widths[k] = std::max(widths[k], columns_wide(row[k]));
  }
  std::vector<std::string> rules;
  for (const std::size_t width : widths) rules.emplace_back(width, '-');
  std::string result = line(header_, widths, alignment_) + line(rules, widths, alignment_);
  for (const auto& row : rows_) result += line(row, widths, alignment_);
  return result;
}

}  // namespace arbg::metrics
