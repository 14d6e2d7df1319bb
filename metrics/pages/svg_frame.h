// What every drawing shares: its size, the frame of its data, the axes around it, and small SVG
// pieces.
//
// One unit of the drawing is one CSS pixel at 480 pixels of width; phones show it at some 340.
#pragma once

#include <limits>
#include <string>

#include "metrics/pages/markup.h"
#include "metrics/pages/svg_axes.h"

namespace arbg::metrics {

inline constexpr double kDrawingWidth = 480, kLeftMargin = 72, kRightMargin = 22,
                        kBottomMargin = 46;

struct Frame {  // the rectangle of the data
  double left, top, width, height;
  Scale x, y;

  double across(double value) const { return x.position(value) * width; }
  double down(double value) const { return (1 - y.position(value)) * height; }
};

// The range of the values that an axis can show.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void cover(double value, const Axis& axis);
  void pad(double share, const Axis& axis);  // widens both ends by a share of the range
};

std::string svg_point(double x, double y);
std::string svg_line(double x1, double y1, double x2, double y2, const std::string& classes);
std::string svg_text(double x, double y, const char* classes, const std::string& content);
std::string svg_upright_text(double x, double y, const std::string& content);  // reads upwards

// The opening tag of a drawing, with its text for screen readers.
std::string open_svg(const std::string& title, const std::string& description, double height);

// The opening tag of an inner SVG, which cuts off what lies outside the frame.
std::string open_data(const Frame& frame);

// Ticks, labels and, if wanted, horizontal grid lines.
std::string svg_axes(const Frame& frame, const Axis& x, const Axis& y, bool grid);

}  // namespace arbg::metrics
