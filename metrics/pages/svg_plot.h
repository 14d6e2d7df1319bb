// Plots as inline SVG: lines, steps, areas and points with axes and a legend, and heat maps.
//
// The SVG has no scripts and no ids, its colours come from the style sheet of plot_style(), which
// follows the reader's light or dark setting; series colours can be told apart by colour-blind
// readers (Okabe and Ito, "Color universal design", 2008). Texts are escaped. NaN and infinite
// values are left out: they break a line, and leave a cell of a heat map empty. Throws Error if
// sizes do not match.
#pragma once

#include <string>
#include <vector>

#include "metrics/pages/svg_axes.h"
#include "metrics/statistics/histogram.h"

namespace arbg::metrics {

enum class Mark { line, dashed, step, area, points };

struct Series {
  std::string name;  // for the legend; empty: not in it
  std::vector<double> x,
      y;  // of equal size; for step and area x holds the edges, one more than y
  Mark mark = Mark::line;
  int colour = -1;  // 0 to 6, -1: the next one. 6 is grey, for references
};

struct Plot {
  std::string title;
  std::string description;  // one sentence on how to read it: caption and screen-reader text
  Axis x = {}, y = {};
  std::vector<Series> series = {};
};

struct HeatMap {
  std::string title, description;
  Axis x, y;
  std::vector<double> x_edges, y_edges;  // [nx + 1], [ny + 1]
  std::vector<double> values;            // [ny, nx] row-major
  Axis value;                            // of the colour bar
  bool diverging = false;                // two colours, of either side of the middle of `value`
};

// Series from a histogram: its density over its edges.
Series histogram_series(std::string name, const Histogram& histogram, Mark mark = Mark::step);

// The free energy -log(density) in kT of a histogram of (phi, psi) in radians, drawn in degrees, up
// to `highest` kT, which shows every colour; sparser cells share the last colour, empty ones have
// none.
HeatMap ramachandran_map(std::string title, std::string description, const Histogram2D& histogram,
                         double highest = 8);

// Where one ensemble has less of (phi, psi) than a reference, and where it has more: -log(mass of
// `samples` / mass of `reference`) in kT, up to `highest` either way. Cells of the same edges in
// which either has a mass below `least` are left empty. Throws Error if the edges differ.
HeatMap ramachandran_difference(std::string title, std::string description,
                                const Histogram2D& samples, const Histogram2D& reference,
                                double least, double highest = 2);

// Lines of more than some thousand points are thinned to the extremes of each pixel column, clouds
// of points to an even selection.
std::string to_svg(const Plot& plot);
std::string to_svg(const HeatMap& map);

// The CSS that every page with plots needs once.
std::string plot_style();

// A drawing of to_svg() as a file of its own, with its style in light colours, on white. It needs a
// program that knows CSS variables: any browser.
std::string svg_file(std::string drawing);

}  // namespace arbg::metrics
