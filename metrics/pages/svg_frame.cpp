#include "metrics/pages/svg_frame.h"

#include <algorithm>
#include <cmath>

namespace arbg::metrics {

void Range::cover(double value, const Axis& axis) {
  if (!std::isfinite(value) || (axis.logarithmic && value <= 0)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

void Range::pad(double share, const Axis& axis) {
  if (low > high) return;
  if (axis.logarithmic) {
    const double factor = std::pow(high / low, share);
    low /= factor;
    high *= factor;
  } else {
    const double margin = share * (high - low);
    low -= margin;
    high += margin;
  }
}

std::string svg_point(double x, double y) { return svg_number(x) + " " + svg_number(y); }

std::string svg_line(double x1, double y1, double x2, double y2, const std::string& classes) {
  return "<path class=\"" + classes + "\" d=\"M" + svg_point(x1, y1) + "L" + svg_point(x2, y2) +
         "\"/>\n";
}

std::string svg_text(double x, double y, const char* classes, const std::string& content) {
  return "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" class=\"" + classes +
         "\">" + escape_markup(content) + "</text>\n";
}

std::string svg_upright_text(double x, double y, const std::string& content) {
  return "<text transform=\"translate(" + svg_point(x, y) +
         ") rotate(-90)\" class=\"label middle\">" + escape_markup(content) + "</text>\n";
}

std::string open_svg(const std::string& title, const std::string& description, double height) {
  const std::string label = description.empty() ? title : title + ". " + description;
  return "<svg class=\"plot\" viewBox=\"0 0 " + svg_point(kDrawingWidth, height) +
         "\" role=\"img\" aria-label=\"" + escape_markup(label) + "\">\n";
}

std::string open_data(const Frame& f) {
  return "<svg x=\"" + svg_number(f.left) + "\" y=\"" + svg_number(f.top) + "\" width=\"" +
         svg_number(f.width) + "\" height=\"" + svg_number(f.height) + "\">\n";
}

std::string svg_axes(const Frame& f, const Axis& x, const Axis& y, bool grid) {
  std::string svg;
  const double bottom = f.top + f.height;
  for (const Tick& tick : f.x.ticks(5)) {
    const double px = f.left + f.across(tick.value);
    svg += svg_line(px, bottom, px, bottom + 4, "axis");
    svg += svg_text(px, bottom + 18, "tick middle", tick.label);
  }
  for (const Tick& tick : f.y.ticks(5)) {
    const double py = f.top + f.down(tick.value);
    if (grid) svg += svg_line(f.left, py, f.left + f.width, py, "grid");
    svg += svg_text(f.left - 8, py + 4, "tick end", tick.label);
  }
  svg += svg_line(f.left, bottom, f.left + f.width, bottom, "axis");
  svg += svg_text(f.left + f.width / 2, bottom + 38, "label middle", x.label);
  return svg + svg_upright_text(13, f.top + f.height / 2, y.label);
}

}  // namespace arbg::metrics
