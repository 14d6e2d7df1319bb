#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "metrics/pages/svg_frame.h"
#include "metrics/pages/svg_plot.h"
#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr double kMapSide = 324;
constexpr std::size_t kShades = 40;

// Viridis (van der Walt and Smith, 2015), from nine of its colours: dark for 0, bright for 1.
std::string shade(double share) {
  constexpr std::array<std::array<double, 3>, 9> kStops{{{68, 1, 84},
                                                         {71, 45, 123},
                                                         {59, 82, 139},
                                                         {44, 114, 142},
                                                         {33, 145, 140},
                                                         {40, 174, 128},
                                                         {94, 201, 98},
                                                         {173, 220, 48},
                                                         {253, 231, 37}}};
  const double at = std::clamp(share, 0.0, 1.0) * (kStops.size() - 1);
  const std::size_t k = std::min(static_cast<std::size_t>(at), kStops.size() - 2);
  const double t = at - static_cast<double>(k);
  std::array<unsigned, 3> rgb;
  for (std::size_t c = 0; c < 3; ++c) {
    rgb[c] = static_cast<unsigned>(std::lround(kStops[k][c] * (1 - t) + kStops[k + 1][c] * t));
  }
  char colour[32];
  std::snprintf(colour, sizeof colour, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
  return colour;
}

std::size_t shade_index(double share) {
  const double scaled = std::clamp(share, 0.0, 1.0) * static_cast<double>(kShades);
  return std::min(static_cast<std::size_t>(scaled), kShades - 1);
}

std::string cell_path(std::size_t shade_number, const std::string& d) {
  const double middle = (static_cast<double>(shade_number) + 0.5) / static_cast<double>(kShades);
  return concat("<path class=\"cell\" fill=\"", shade(middle), "\" d=\"", d, "\"/>\n");
}

// One path a shade; neighbours of equal shade in a row share a rectangle.
std::string cells(const Frame& f, const HeatMap& map, const Scale& value) {
  const std::size_t nx = map.x_edges.size() - 1, ny = map.y_edges.size() - 1;
  std::vector<std::string> paths(kShades);
  const auto shade_at = [&](std::size_t ix, std::size_t iy) {
    const double v = map.values[iy * nx + ix];
    return value.shows(v) ? shade_index(value.position(v)) : kShades;
  };
  for (std::size_t iy = 0; iy < ny; ++iy) {
    const double top = f.down(map.y_edges[iy + 1]), bottom = f.down(map.y_edges[iy]);
    for (std::size_t ix = 0; ix < nx;) {
      const std::size_t k = shade_at(ix, iy);
      std::size_t end = ix + 1;
      while (end < nx && shade_at(end, iy) == k) ++end;
      if (k < kShades) {
        const double left = f.across(map.x_edges[ix]), right = f.across(map.x_edges[end]);
        paths[k] += concat("M", svg_point(left, top), "H", svg_number(right), "V",
                           svg_number(bottom), "H", svg_number(left), "z");
      }
      ix = end;
    }
  }
  std::string svg;
  for (std::size_t k = 0; k < kShades; ++k) {
    if (paths[k].empty()) continue;
    svg += cell_path(k, paths[k]);
  }
  return svg;
}

std::string colour_bar(const Frame& f, const Scale& value, const std::string& label) {
  std::string svg;
  const double left = f.left + f.width + 14, wide = 12;
  const double step = f.height / static_cast<double>(kShades);
  for (std::size_t k = 0; k < kShades; ++k) {
    const double top = f.top + f.height - static_cast<double>(k + 1) * step;
    svg += cell_path(k, concat("M", svg_point(left, top), "h", svg_number(wide), "v",
                               svg_number(step + 0.1), "h", svg_number(-wide), "z"));
  }
  for (const Tick& tick : value.ticks(5)) {
    svg += svg_text(left + wide + 5, f.top + (1 - value.position(tick.value)) * f.height + 4,
                    "tick", tick.label);
  }
  return svg + svg_upright_text(kDrawingWidth - 9, f.top + f.height / 2, label);
}

}  // namespace

HeatMap ramachandran(std::string title, std::string description, const Histogram2D& histogram,
                     double highest) {
  HeatMap map{std::move(title),  std::move(description),  {}, {}, histogram.x_edges,
              histogram.y_edges, histogram.free_energy(), {}};
  for (auto* edges : {&map.x_edges, &map.y_edges}) {
    for (double& e : *edges) e *= 180 / std::numbers::pi;
  }
  map.x = {"φ (degrees)", false, -180, 180, 90};
  map.y = {"ψ (degrees)", false, -180, 180, 90};
  map.value = {"free energy (kT)", false, 0, highest, 0};
  return map;
}

std::string to_svg(const HeatMap& map) {
  const bool matches = map.x_edges.size() >= 2 && map.y_edges.size() >= 2 &&
                       map.values.size() == (map.x_edges.size() - 1) * (map.y_edges.size() - 1);
  require(matches, "expected (edges - 1) times (edges - 1) values in heat map '", map.title,
          "', found ", map.values.size(), " for ", map.x_edges.size(), " and ", map.y_edges.size(),
          " edges");
  Range range;
  for (const double v : map.values) range.cover(v, map.value);
  const Scale value(map.value, range.low, range.high);
  const Frame f{kLeftMargin,
                12,
                kMapSide,
                kMapSide,
                Scale(map.x, map.x_edges.front(), map.x_edges.back()),
                Scale(map.y, map.y_edges.front(), map.y_edges.back())};
  std::string svg = open_svg(map.title, map.description, f.top + f.height + kBottomMargin);
  svg += concat("<rect class=\"empty\" x=\"", svg_number(f.left), "\" y=\"", svg_number(f.top),
                "\" width=\"", svg_number(f.width), "\" height=\"", svg_number(f.height), "\"/>\n");
  svg += open_data(f) + cells(f, map, value) + "</svg>\n" + svg_axes(f, map.x, map.y, false);
  return svg + colour_bar(f, value, map.value.label) + "</svg>\n";
}

}  // namespace arbg::metrics
