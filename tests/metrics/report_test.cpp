// Reports, plots and tables: well-formed for any text and any number.
#include "metrics/pages/report.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "metrics/pages/markup.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/random.h"

using namespace arbg;
using namespace arbg::metrics;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

// Every tag is closed in order, apart from HTML's void elements; nothing printed is NaN or
// infinite.
void check_markup(const std::string& markup) {
  std::vector<std::string> open;
  for (std::size_t at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1)) {
    const std::size_t end = markup.find('>', at);
    REQUIRE(end != std::string::npos);
    const std::string tag = markup.substr(at + 1, end - at - 1);
    const std::string name =
        tag.substr(tag[0] == '/', tag.find_first_of(" />", 1) - (tag[0] == '/'));
    if (tag[0] == '!' || name == "meta" || tag.back() == '/') continue;
    if (tag[0] == '/') {
      REQUIRE_FALSE(open.empty());
      CHECK(open.back() == tag.substr(1));
      open.pop_back();
    } else {
      open.push_back(name);
    }
  }
  CHECK(open.empty());
  const std::string body = markup.substr(std::min(markup.find("</style>"), markup.size() - 1));
  for (const char* bad : {"nan", "inf\"", "inf ", "-inf"}) CHECK(count(body, bad) == 0);
}

std::vector<std::string> labels(const Scale& scale) {
  std::vector<std::string> result;
  for (const Tick& tick : scale.ticks(5)) result.push_back(tick.label);
  return result;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("text is escaped and malformed bytes are replaced") {
  CHECK(escape_markup("a < b & \"c\" > 'd'") == "a &lt; b &amp; &quot;c&quot; &gt; &#39;d&#39;");
  CHECK(escape_markup("φ, Å, 😀") == "φ, Å, 😀");
  CHECK(escape_markup("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong
  CHECK(escape_markup("\xED\xA0\x80").find('\xED') == std::string::npos);  // a surrogate
  CHECK(escape_markup("ends in \xE2\x82") == "ends in \xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(escape_markup(std::string_view("a\0b\x1B", 4)) ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
}

TEST_CASE("ticks are round numbers inside the range") {
  CHECK(labels(Scale({}, 0, 1)) ==
        std::vector<std::string>{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels(Scale({"", false, -180, 180, 90}, 0, 0)) ==
        std::vector<std::string>{"−180", "−90", "0", "90", "180"});
  CHECK(labels(Scale({}, 0, 20000)).back() ==
        "20\xE2\x80\xAF"
        "000");
  CHECK(labels(Scale({}, 0, 3e8)).back() == "3×10⁸");
  CHECK(labels(Scale({"", true}, 0.01, 100)) ==
        std::vector<std::string>{"0.01", "0.1", "1", "10", "100"});
  CHECK(labels(Scale({"", true}, 0.02, 1)) ==
        std::vector<std::string>{"0.02", "0.05", "0.1", "0.2", "0.5", "1"});
  CHECK(labels(Scale({"", true}, 1e-12, 1e3)).front() == "10⁻¹²");
}

TEST_CASE("a scale is usable for any range") {
  for (const bool logarithmic : {false, true}) {
    for (const double low : {-kInfinity, -1e308, -1.0, 0.0, 1e-300, 1.0, 1e308, kInfinity, kNaN}) {
      for (const double high : {-1e308, 0.0, 1.0, 1.0 + 1e-15, 1e308, kInfinity, kNaN}) {
        CAPTURE(logarithmic);
        CAPTURE(low);
        CAPTURE(high);
        const Scale scale({"", logarithmic}, low, high);
        CHECK(scale.low() < scale.high());
        CHECK(scale.position(scale.low()) == doctest::Approx(0));
        CHECK(scale.position(scale.high()) == doctest::Approx(1));
        const auto ticks = scale.ticks(5);
        CHECK(ticks.size() >= 1);
        CHECK(ticks.size() <= 60);
        for (const Tick& tick : ticks) CHECK(std::isfinite(tick.value));
      }
    }
  }
}

TEST_CASE("a plot leaves out what is not finite and stays well-formed") {
  const std::vector<double> x{0, 1, 2, 3, 4}, y{1, kNaN, 3, kInfinity, -2}, edges{0, 1, 2, 3, 4, 5};
  for (const Mark mark : {Mark::line, Mark::dashed, Mark::step, Mark::area, Mark::points}) {
    for (const bool logarithmic : {false, true}) {
      const bool bins = mark == Mark::step || mark == Mark::area;
      const Plot plot{"A < B",
                      "d",
                      {"x & y", logarithmic},
                      {"y", logarithmic},
                      {{"<s>", bins ? edges : x, y, mark}}};
      const std::string svg = to_svg(plot);
      check_markup(svg);
      CHECK(count(svg, "A &lt; B") == 1);
      CHECK(count(svg, "&lt;s&gt;") == 1);
    }
  }
}

TEST_CASE("a line is broken where a value is missing, and a lone point is a dot") {
  const Plot plot{"t", "", {}, {}, {{"", {0, 1, 2, 3, 4}, {1, 2, kNaN, 4, kNaN}}}};
  const std::string svg = to_svg(plot);
  const std::size_t at = svg.find("class=\"line s0\"");
  REQUIRE(at != std::string::npos);
  const std::string path = svg.substr(at, svg.find("/>", at) - at);
  CHECK(count(path, "M") == 2);
  CHECK(count(path, "L") == 1);
}

TEST_CASE("plots without data say so") {
  const Plot nothing{"t", "", {"x"}, {"y"}, {}};
  CHECK(count(to_svg(nothing), "no data") == 1);
  const Plot only_nan{"t", "", {"x"}, {"y"}, {{"s", {kNaN}, {kNaN}}}};
  CHECK(count(to_svg(only_nan), "no data") == 1);
  check_markup(to_svg(only_nan));
}

TEST_CASE("a long line is thinned but keeps its extremes") {
  Series series{"noise", {}, {}};
  for (int i = 0; i < 200000; ++i) {
    series.x.push_back(i);
    series.y.push_back(Random(1, 1).uniform(static_cast<std::uint64_t>(i)));
  }
  series.y[123456] = 50;
  const Plot plot{"t", "", {}, {"", false, 0, 50}, {series}};
  const std::string svg = to_svg(plot);
  CHECK(svg.size() < 30000);
  // The plot is 236 units high and the value is at its top.
  CHECK(count(svg, " 0L") == 1);
}

TEST_CASE("a heat map draws finite cells only and keeps them on the scale") {
  HeatMap map{
      "m", "d", {"x"}, {"y"}, {0, 1, 2}, {0, 1, 2}, {1, kNaN, kInfinity, 99}, {"v", false, 0, 8}};
  const std::string svg = to_svg(map);
  check_markup(svg);
  const std::size_t bar = 40;  // shades of the colour bar
  CHECK(count(svg, "class=\"cell\"") == bar + 2);
  map.values.assign(4, kNaN);
  CHECK(count(to_svg(map), "class=\"cell\"") == bar);
  map.values.pop_back();
  CHECK_THROWS_AS(to_svg(map), Error);
}

TEST_CASE("a difference of two maps is of cells where both have enough") {
  const auto halves = uniform_edges(-M_PI, M_PI, 2);
  const auto map_of = [&](std::vector<double> mass) {
    Histogram2D out;
    out.x_edges = out.y_edges = halves;
    out.mass = std::move(mass);
    return out;
  };
  const auto map = ramachandran_difference("t", "d", map_of({0.1, 0.4, 0.5, 0.0}),
                                           map_of({0.2, 0.4, 0.005, 0.395}), 0.01);
  CHECK(map.diverging);
  CHECK(map.values[0] == doctest::Approx(std::log(2.0)));  // fewer samples: higher free energy
  CHECK(map.values[1] == 0);
  CHECK(std::isnan(map.values[2]));
  CHECK(std::isnan(map.values[3]));
  const std::string svg = to_svg(map);
  check_markup(svg);
  auto one_colour = map;
  one_colour.diverging = false;
  CHECK(to_svg(one_colour) != svg);
  auto other = map_of({0.25, 0.25, 0.25, 0.25});
  other.x_edges[1] = 0.1;
  CHECK_THROWS_AS(ramachandran_difference("t", "d", other, map_of({1, 0, 0, 0}), 0), Error);
}

TEST_CASE("series of the wrong size or colour are refused") {
  CHECK_THROWS_AS(to_svg(Plot{"t", "", {}, {}, {{"s", {1, 2}, {1}}}}), Error);
  CHECK_THROWS_AS(to_svg(Plot{"t", "", {}, {}, {{"s", {1, 2}, {1, 2}, Mark::step}}}), Error);
  CHECK_THROWS_AS(to_svg(Plot{"t", "", {}, {}, {{"s", {1}, {1}, Mark::line, 7}}}), Error);
}

TEST_CASE("a report is one well-formed page that needs nothing else") {
  Report report("A & B", "<run>");
  report.add_heading("Energies > 0");
  report.add_paragraph("Text with <tags>.");
  report.add_key_numbers({{"ESS", "27.5 %", "raw"}, {"k", "0.6", ""}});
  Table table({"quantity", "value"});
  table.add_row({"<E-W2>", "0.2"});
  report.add_table(table, "Distances & floors");
  const std::vector<double> angles{-3, -1, 1, 3};
  const auto quarter = uniform_edges(-M_PI, M_PI, 4);
  report.add_plots(
      {ramachandran_map("R", "d", make_histogram_2d(angles, angles, {}, quarter, quarter)),
       Plot{"P", "d", {}, {}, {histogram_series("h", make_histogram(angles, {}, quarter))}}});
  report.add_details("Configuration", "{\"a\": \"</pre><script>\"}");
  const std::string html = report.html();
  check_markup(html);
  for (const char* outside : {"<script", "<link", "<img", "http://", "https://", "url("})
    CHECK(count(html, outside) == 0);
  CHECK(count(html, "<run>") == 0);
  CHECK(count(html, "&lt;E-W2&gt;") == 1);
  CHECK(count(html, "<svg class=\"plot\"") == 2);
  CHECK(count(html, "role=\"img\" aria-label=\"R. d\"") == 1);

  const auto path = std::filesystem::temp_directory_path() / "arbg_report_test.html";
  report.save(path);
  CHECK(read_file(path) == html);
  std::filesystem::remove(path);
}

TEST_CASE("a drawing in a file of its own is whole, has its style and no dark one") {
  Plot plot;
  plot.title = "a < b";
  plot.series = {{"one", {0, 1}, {0, 1}}};
  const std::string file = svg_file(to_svg(plot));
  check_markup(file);
  CHECK(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox="));
  CHECK(count(file, "<style>") == 1);
  CHECK(count(file, "--s0: #0072b2") == 1);
  CHECK(count(file, "prefers-color-scheme") == 0);
  CHECK(count(plot_style(), "prefers-color-scheme") == 1);
  CHECK(file.ends_with("</svg>\n"));
}

TEST_CASE("only wide tables that end in words are stacked on a narrow screen") {
  const std::vector<Align> words(4, Align::left);
  Report numbers("n", ""), narrow("w", ""), wide("w", "");
  numbers.add_table(Table({"a", "b", "c", "d"}));
  narrow.add_table(Table({"a", "b", "c"}, {Align::left, Align::left, Align::left}));
  wide.add_table(Table({"a", "b", "c", "d"}, words));
  CHECK(count(numbers.html(), "<table class=\"stacked\">") == 0);
  CHECK(count(narrow.html(), "<table class=\"stacked\">") == 0);
  CHECK(count(wide.html(), "<table class=\"stacked\">") == 1);
}

TEST_SUITE_END();
