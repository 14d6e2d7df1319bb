#include "metrics/pages/svg_plot.h"

#include <algorithm>
#include <cmath>

#include "metrics/pages/svg_frame.h"
#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr double kPlotHeight = 236;
constexpr double kLegendRow = 20, kCharacter = 7.3;  // the mean width of a letter at 14 pixels
constexpr int kColours = 7;
constexpr std::size_t kMostLinePoints = 3000, kMostDots = 3000, kPixelColumns = 400;
constexpr std::size_t kFewDots = 100;  // and fewer are drawn large

bool is_histogram(const Series& s) { return s.mark == Mark::step || s.mark == Mark::area; }

void check_sizes(const Plot& plot) {
  for (const Series& s : plot.series) {
    const std::size_t expected = s.y.size() + (is_histogram(s) ? 1 : 0);
    require(s.x.size() == expected, "expected ", expected, " x values for the ", s.y.size(),
            " y values of series '", s.name, "' in plot '", plot.title, "', found ", s.x.size());
    require(s.colour >= -1 && s.colour < kColours, "expected a colour from -1 to ", kColours - 1,
            " for series '", s.name, "', found ", s.colour);
  }
}

Frame frame_of(const Plot& plot, double top) {
  Range x, y;
  bool points = false, from_zero = false;
  for (const Series& s : plot.series) {
    for (const double v : s.x) x.cover(v, plot.x);
    for (const double v : s.y) y.cover(v, plot.y);
    points |= s.mark == Mark::points;
    from_zero |= is_histogram(s) && !plot.y.logarithmic;
  }
  if (points) x.pad(0.03, plot.x);
  y.pad(0.05, plot.y);
  if (from_zero && y.low <= y.high) y.low = 0;
  return {kLeftMargin,
          top,
          kDrawingWidth - kLeftMargin - kRightMargin,
          kPlotHeight,
          Scale(plot.x, x.low, x.high),
          Scale(plot.y, y.low, y.high)};
}

// Of each run of points as wide as a pixel column, the lowest and the highest, in their order; a
// run of NaN alone leaves one, which breaks the line.
std::vector<std::size_t> thinned(const Series& s) {
  std::vector<std::size_t> kept;
  const std::size_t n = s.y.size();
  if (n <= kMostLinePoints) {
    for (std::size_t i = 0; i < n; ++i) kept.push_back(i);
    return kept;
  }
  for (std::size_t column = 0; column < kPixelColumns; ++column) {
    const std::size_t begin = column * n / kPixelColumns, end = (column + 1) * n / kPixelColumns;
    std::size_t lowest = begin, highest = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isnan(s.y[i])) continue;
      if (std::isnan(s.y[lowest])) lowest = highest = i;
      if (s.y[i] < s.y[lowest]) lowest = i;
      if (s.y[i] > s.y[highest]) highest = i;
    }
    kept.push_back(std::min(lowest, highest));
    if (lowest != highest) kept.push_back(std::max(lowest, highest));
  }
  return kept;
}

std::string line_path(const Frame& f, const Series& s) {
  std::string d;
  bool pen_down = false;
  for (const std::size_t i : thinned(s)) {
    if (!f.x.shows(s.x[i]) || !f.y.shows(s.y[i])) {
      pen_down = false;
      continue;
    }
    const std::string point = svg_point(f.across(s.x[i]), f.down(s.y[i]));
    d += pen_down ? concat("L", point) : concat("M", point, "h0");  // h0: a lone point is a dot
    pen_down = true;
  }
  return d;
}

// The outline of the bins, down to the bottom at both ends and where a bin cannot be shown.
std::string histogram_path(const Frame& f, const Series& s) {
  const std::string bottom = concat("V", svg_number(f.height));
  std::string d;
  bool pen_down = false;
  for (std::size_t k = 0; k < s.y.size(); ++k) {
    if (!f.x.shows(s.x[k]) || !f.x.shows(s.x[k + 1]) || !f.y.shows(s.y[k])) {
      if (pen_down) d += bottom;
      pen_down = false;
      continue;
    }
    if (!pen_down) d += concat("M", svg_point(f.across(s.x[k]), f.height));
    d += concat("V", svg_number(f.down(s.y[k])), "H", svg_number(f.across(s.x[k + 1])));
    pen_down = true;
  }
  return pen_down ? d + bottom : d;
}

// Dots are lines of no length with round ends: one short path instead of thousands of circles.
std::string dots_path(const Frame& f, const Series& s) {
  std::string d;
  const std::size_t stride = (s.y.size() + kMostDots - 1) / kMostDots;
  for (std::size_t i = 0; i < s.y.size(); i += stride) {
    if (!f.x.shows(s.x[i]) || !f.y.shows(s.y[i])) continue;
    d += concat("M", svg_point(f.across(s.x[i]), f.down(s.y[i])), "h0");
  }
  return d;
}

std::string classes_of(const Series& s, int colour) {
  constexpr const char* kMarks[] = {"line", "line dashed", "line", "area", "dots"};
  const bool few = s.mark == Mark::points && s.y.size() <= kFewDots;
  return concat(kMarks[static_cast<int>(s.mark)], few ? " few s" : " s", std::to_string(colour));
}

std::string series_path(const Frame& f, const Series& s, int colour) {
  const std::string d = is_histogram(s)          ? histogram_path(f, s)
                        : s.mark == Mark::points ? dots_path(f, s)
                                                 : line_path(f, s);
  if (d.empty()) return "";
  return concat("<path class=\"", classes_of(s, colour), "\" d=\"", d, "\"/>\n");
}

std::vector<int> colours_of(const Plot& plot) {
  std::vector<int> colours;
  int next = 0;
  for (const Series& s : plot.series) {
    colours.push_back(s.colour >= 0 ? s.colour : next++ % kColours);
  }
  return colours;
}

// Swatches and names from left to right, in as many rows as they need; `height` is what they take.
std::string legend(const Plot& plot, const std::vector<int>& colours, double& height) {
  std::string svg;
  double x = kLeftMargin, y = 14;
  for (std::size_t k = 0; k < plot.series.size(); ++k) {
    const Series& s = plot.series[k];
    if (s.name.empty()) continue;
    const double wide = 30 + kCharacter * static_cast<double>(s.name.size()) + 12;
    if (x > kLeftMargin && x + wide > kDrawingWidth) {
      x = kLeftMargin;
      y += kLegendRow;
    }
    const std::string classes = classes_of(s, colours[k]);
    if (s.mark == Mark::area) {
      svg +=
          concat("<path class=\"", classes, "\" d=\"M", svg_point(x, y - 9), "h20v10h-20z\"/>\n");
    } else if (s.mark == Mark::points) {
      svg += concat("<path class=\"", classes, "\" d=\"M", svg_point(x + 10, y - 4), "h0\"/>\n");
    } else {
      svg += svg_line(x, y - 4, x + 20, y - 4, classes);
    }
    svg += svg_text(x + 26, y, "tick", s.name);
    x += wide;
  }
  height = svg.empty() ? 10 : y + 12;
  return svg;
}

}  // namespace

Series histogram_series(std::string name, const Histogram& histogram, Mark mark) {
  return {std::move(name), histogram.edges, histogram.density(), mark, -1};
}

std::string to_svg(const Plot& plot) {
  check_sizes(plot);
  const std::vector<int> colours = colours_of(plot);
  double top = 0;
  const std::string names = legend(plot, colours, top);
  const Frame f = frame_of(plot, top);
  std::string paths;
  for (std::size_t k = 0; k < plot.series.size(); ++k) {
    paths += series_path(f, plot.series[k], colours[k]);
  }
  std::string svg = open_svg(plot.title, plot.description, f.top + f.height + kBottomMargin);
  svg += names + svg_axes(f, plot.x, plot.y, true) + open_data(f) + paths + "</svg>\n";
  if (paths.empty()) {
    svg += svg_text(f.left + f.width / 2, f.top + f.height / 2, "label middle", "no data");
  }
  return svg + "</svg>\n";
}

}  // namespace arbg::metrics
