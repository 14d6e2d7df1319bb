#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>

#include "metrics/pages/svg_frame.h"
#include "metrics/pages/svg_plot.h"
#include "tensor/base/error.h"

namespace arbg::metrics {

namespace {

constexpr double kMapSide = 324;
constexpr std::size_t kShades = 40;

using Colour = std::array<double, 3>;

// Viridis (van der Walt and Smith, 2015), from nine of its colours: dark for 0, bright for 1.
constexpr std::array<Colour, 9> kViridis{{{68, 1, 84},
                                          {71, 45, 123},
                                          {59, 82, 139},
                                          {44, 114, 142},
                                          {33, 145, 140},
                                          {40, 174, 128},
                                          {94, 201, 98},
                                          {173, 220, 48},
                                          {253, 231, 37}}};
// Purple and orange, which colour-blind readers tell apart (Brewer, colorbrewer2.org): purple for
// 0, nearly white for 1/2.
constexpr std::array<Colour, 9> kPurpleOrange{{{84, 39, 136},
                                               {128, 115, 172},
                                               {178, 171, 210},
                                               {216, 218, 235},
                                               {247, 247, 247},
                                               {254, 224, 182},
                                               {253, 184, 99},
                                               {224, 130, 20},
                                               {179, 88, 6}}};

std::string shade(double share, bool diverging) {
  const auto& stops = diverging ? kPurpleOrange : kViridis;
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
  const std::size_t k = std::min(static_cast<std::size_t>(at), stops.size() - 2);
  const double t = at - static_cast<double>(k);
  std::array<unsigned, 3> rgb;
  for (std::size_t c = 0; c < 3; ++c) {
    rgb[c] = static_cast<unsigned>(std::lround(stops[k][c] * (1 - t) + stops[k + 1][c] * t));
  }
  char colour[32];
  std::snprintf(colour, sizeof colour, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
  return colour;
}

std::size_t shade_index(double share) {
  const double scaled = std::clamp(share, 0.0, 1.0) * static_cast<double>(kShades);
  return std::min(static_cast<std::size_t>(scaled), kShades - 1);
}

std::string cell_path(std::size_t shade_number, bool diverging, const std::string& d) {
  const double middle = (static_cast<double>(shade_number) + 0.5) / static_cast<double>(kShades);
  return concat("<path class=\"cell\" fill=\"", shade(middle, diverging), "\" d=\"", d, "\"/>\n");
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
    svg += cell_path(k, map.diverging, paths[k]);
  }
  return svg;
}

std::string colour_bar(const Frame& f, const Scale& value, const HeatMap& map) {
  std::string svg;
  const double left = f.left + f.width + 14, wide = 12;
  const double step = f.height / static_cast<double>(kShades);
  for (std::size_t k = 0; k < kShades; ++k) {
    const double top = f.top + f.height - static_cast<double>(k + 1) * step;
    svg += cell_path(k, map.diverging,
                     concat("M", svg_point(left, top), "h", svg_number(wide), "v",
                            svg_number(step + 0.1), "h", svg_number(-wide), "z"));
  }
  for (const Tick& tick : value.ticks(5)) {
    svg += svg_text(left + wide + 5, f.top + (1 - value.position(tick.value)) * f.height + 4,
                    "tick", tick.label);
  }
  return svg + svg_upright_text(kDrawingWidth - 9, f.top + f.height / 2, map.value.label);
}

HeatMap over_phi_psi(std::string title, std::string description, const Histogram2D& histogram,
                     std::vector<double> values) {
  HeatMap map{std::move(title),  std::move(description), {}, {}, histogram.x_edges,
              histogram.y_edges, std::move(values),      {}};
  for (auto* edges : {&map.x_edges, &map.y_edges}) {
    for (double& e : *edges) e *= 180 / std::numbers::pi;
  }
  map.x = {"φ (degrees)", false, -180, 180, 90};
  map.y = {"ψ (degrees)", false, -180, 180, 90};
  return map;
}

}  // namespace

HeatMap ramachandran_map(std::string title, std::string description, const Histogram2D& histogram,
                         double highest) {
  HeatMap map =
      over_phi_psi(std::move(title), std::move(description), histogram, histogram.free_energy());
  map.value = {"free energy (kT)", false, 0, highest, 0};
  return map;
}

HeatMap ramachandran_difference(std::string title, std::string description,
                                const Histogram2D& samples, const Histogram2D& reference,
                                double least, double highest) {
  require(samples.x_edges == reference.x_edges && samples.y_edges == reference.y_edges,
          "two histograms that differ in their edges have no difference");
  std::vector<double> values(samples.mass.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double s = samples.mass[k], r = reference.mass[k];
    if (s > 0 && r > 0 && s >= least && r >= least)
      values[k] = std::clamp(std::log(r / s), -highest, highest);
  }
  HeatMap map = over_phi_psi(std::move(title), std::move(description), samples, std::move(values));
  map.value = {"samples less reference (kT)", false, -highest, highest, 0};
  map.diverging = true;
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
  return svg + colour_bar(f, value, map) + "</svg>\n";
}

}  // namespace arbg::metrics
