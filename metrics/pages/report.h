// A report: one self-contained HTML page of text, numbers, tables and SVG plots.
//
// No fonts, images or scripts from elsewhere, and no scripts at all but for those of add_markup();
// it follows the reader's light or dark setting, fits a phone and prints. All text is escaped.
// Parts appear in the order in which they were added.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "metrics/pages/svg_plot.h"
#include "metrics/pages/table.h"

namespace arbg::metrics {

// A number to be seen first: "Effective sample size", "27.5 %", "raw weights, no trimming".
struct KeyNumber {
  std::string label, value, note;
};

using Figure = std::variant<Plot, HeatMap>;

class Report {
 public:
  // `subtitle` says what was run: molecule, temperature, date, command.
  explicit Report(std::string title, std::string subtitle = "");

  void add_heading(std::string_view text);
  void add_paragraph(std::string_view text);
  void add_key_numbers(const std::vector<KeyNumber>& numbers);
  // One of more than three columns, the last of them words, is stacked on a narrow screen: a row is
  // its first cell, a line of the others, and its last cell.
  void add_table(const Table& table, std::string_view caption = "");
  void add_plot(const Figure& figure) { add_plots({figure}); }
  void add_plots(const std::vector<Figure>& figures);  // side by side where the page is wide enough
  void add_small_plots(const std::vector<Figure>& figures);  // the same, three on a desktop
  // A piece of a page as it is: well-formed, its text escaped, nothing in it from outside.
  void add_markup(std::string_view html) { body_ += html; }
  void add_details(std::string_view summary,
                   std::string_view text);  // folded, in fixed-width letters

  std::string html() const;
  void save(const std::filesystem::path& path) const;  // throws Error naming the path

 private:
  void add_figures(const char* css_class, const std::vector<Figure>& figures);

  std::string title_, subtitle_, body_;
};

}  // namespace arbg::metrics
