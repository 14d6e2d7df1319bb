// A plain-text table for the terminal: columns as wide as their widest cell, one rule under the
// header.
//
// Cells are UTF-8; every code point counts as one column. Rows shorter than the header are padded
// with empty cells. Throws Error for a row longer than the header.
#pragma once

#include <string>
#include <vector>

#include "metrics/format_number.h"

namespace arbg::metrics {

enum class Align { left, right };

class Table {
 public:
  // Columns without an alignment are right-aligned, except the first.
  explicit Table(std::vector<std::string> header, std::vector<Align> alignment = {});

  void add_row(std::vector<std::string> cells);
  std::string text() const;  // every line ends with a newline; no trailing blanks

  const std::vector<std::string>& header() const { return header_; }
  const std::vector<Align>& alignment() const { return alignment_; }
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }

 private:
  std::vector<std::string> header_;
  std::vector<Align> alignment_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace arbg::metrics
