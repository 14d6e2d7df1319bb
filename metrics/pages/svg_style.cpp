#include "metrics/pages/markup.h"
#include "metrics/pages/svg_plot.h"

namespace arbg::metrics {
namespace {

constexpr const char* kLight = R"(:root {
  --ink: #1c2430; --muted: #5b6675; --rule: #d9dee5; --paper: #ffffff; --panel: #f6f7f9; --accent: #0b5c8f;
  --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #b8578f; --s4: #c98a00; --s5: #3d9fd8; --s6: #7d8794;
}
)";

constexpr const char* kDark = R"(@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e6eaf0; --muted: #9aa6b5; --rule: #323b47; --paper: #12171e; --panel: #1a212a; --accent: #7cc4f2;
    --s0: #58b4ee; --s1: #ff8f4a; --s2: #3ccf9f; --s3: #e497c3; --s4: #f0bd45; --s5: #9bd8fa; --s6: #98a3b1;
  }
}
)";

constexpr const char* kRules =
    R"(svg.plot { display: block; width: 100%; height: auto; overflow: visible; font: 12.5px system-ui, sans-serif; }
svg.plot text { fill: var(--muted); font-variant-numeric: tabular-nums; }
svg.plot .label { fill: var(--ink); font-size: 13px; }
svg.plot .middle { text-anchor: middle; }
svg.plot .end { text-anchor: end; }
svg.plot .axis { stroke: var(--muted); stroke-width: 1; }
svg.plot .grid { stroke: var(--rule); stroke-width: 1; }
svg.plot .line { fill: none; stroke: var(--s); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
svg.plot .dashed { stroke-dasharray: 6 4; }
svg.plot .area { fill: var(--s); fill-opacity: .36; stroke: none; }
svg.plot .dots { stroke: var(--s); stroke-width: 4; stroke-linecap: round; stroke-opacity: .55; }
svg.plot .few { stroke-width: 7; stroke-opacity: .9; }
svg.plot .cell { shape-rendering: crispEdges; }
svg.plot .empty { fill: var(--panel); }
@media (max-width: 600px) { svg.plot { font-size: 14px; } svg.plot .label { font-size: 14.5px; } }
.s0 { --s: var(--s0) } .s1 { --s: var(--s1) } .s2 { --s: var(--s2) } .s3 { --s: var(--s3) }
.s4 { --s: var(--s4) } .s5 { --s: var(--s5) } .s6 { --s: var(--s6) }
)";

}  // namespace

std::string plot_style() { return std::string(kLight) + kDark + kRules; }

std::string svg_file(std::string drawing) {
  const auto end = drawing.find('>') + 1;
  drawing.insert(end, concat("\n<style>\n", kLight, kRules,
                             "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"));
  return drawing.insert(drawing.find(' '), " xmlns=\"http://www.w3.org/2000/svg\"");
}

}  // namespace arbg::metrics
