#include "metrics/pages/report.h"

#include "metrics/pages/markup.h"
#include "tensor/base/files.h"

namespace arbg::metrics {

namespace {

constexpr const char* kStyle = R"(
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .6rem; padding-top: 1.1rem; border-top: 1px solid var(--rule); }
p { max-width: 44rem; margin: .6rem 0; }
.subtitle { color: var(--muted); margin: 0 0 1.5rem; }
.numbers { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.numbers div { flex: 1 1 10rem; background: var(--panel); border-radius: 8px; padding: .8rem 1rem .9rem; }
.numbers dt { color: var(--muted); font-size: .85rem; }
.numbers dd { margin: 0; }
.numbers .value { font-size: 1.45rem; font-weight: 600; white-space: nowrap; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.numbers .note { color: var(--muted); font-size: .85rem; line-height: 1.35; }
.scroll { overflow-x: auto; margin: 1.1rem 0; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 4px; }
table { border-collapse: collapse; min-width: min(100%, 34rem); font-variant-numeric: tabular-nums; font-size: .95rem; }
caption { text-align: left; color: var(--muted); font-size: .9rem; padding-bottom: .4rem; }
th, td { padding: .38rem .9rem; text-align: left; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { padding-left: 0; }
th { font-weight: 600; border-bottom: 2px solid var(--muted); vertical-align: bottom; }
.r { text-align: right; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem 2rem; margin: 1.25rem 0; }
.figures.small { grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1.5rem 1.25rem; }
figure { margin: 0; max-width: 40rem; }
figcaption { margin-bottom: .5rem; line-height: 1.4; }
figcaption b { display: block; font-weight: 600; }
figcaption span { color: var(--muted); font-size: .9rem; }
details { margin: 1rem 0; }
summary { cursor: pointer; color: var(--accent); }
pre { overflow-x: auto; background: var(--panel); border-radius: 8px; padding: .9rem 1rem; font-size: .85rem; line-height: 1.45; }
@media (max-width: 600px) {
  th, td { padding: .38rem .5rem; }
  .stacked, .stacked caption, .stacked thead, .stacked tbody { display: block; min-width: 0; }
  .stacked tr { display: flex; flex-wrap: wrap; column-gap: 1rem; padding: .38rem 0; border-bottom: 1px solid var(--rule); }
  .stacked thead tr { border-bottom: 2px solid var(--muted); }
  .stacked th, .stacked td { flex: 1; padding: 0; border: 0; text-align: left; }
  .stacked :is(th, td):is(:first-child, :last-child) { flex-basis: 100%; }
  .stacked td:last-child { color: var(--muted); font-size: .9rem; }
}
@media print {
  html, body { font-size: 11.5px; }
  main { max-width: none; padding: 0; }
  h2 { margin-top: 1.6rem; }
  h2, h2 + p { break-after: avoid; }
  figure, p, tr, .numbers div { break-inside: avoid; }
  .scroll { overflow: visible; break-inside: avoid; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  .figures.small { grid-template-columns: repeat(3, 1fr); }
}
)";

std::string cell(const char* tag, const std::string& text, Align align) {
  const std::string open = std::string(tag) +
                           (tag == std::string_view("th") ? " scope=\"col\"" : "") +
                           (align == Align::right ? " class=\"r\"" : "");
  return "<" + open + ">" + escape_markup(text) + "</" + tag + ">";
}

std::string row(const char* tag, const std::vector<std::string>& cells,
                const std::vector<Align>& alignment) {
  std::string html = "<tr>";
  for (std::size_t k = 0; k < cells.size(); ++k) html += cell(tag, cells[k], alignment[k]);
  return html + "</tr>\n";
}

}  // namespace

Report::Report(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Report::add_heading(std::string_view text) {
  body_ += "<h2>" + escape_markup(text) + "</h2>\n";
}

void Report::add_paragraph(std::string_view text) {
  body_ += "<p>" + escape_markup(text) + "</p>\n";
}

void Report::add_key_numbers(const std::vector<KeyNumber>& numbers) {
  body_ += "<dl class=\"numbers\">\n";
  for (const KeyNumber& n : numbers) {
    body_ += "<div><dt>" + escape_markup(n.label) + "</dt><dd class=\"value\">" +
             escape_markup(n.value) + "</dd>";
    if (!n.note.empty()) body_ += "<dd class=\"note\">" + escape_markup(n.note) + "</dd>";
    body_ += "</div>\n";
  }
  body_ += "</dl>\n";
}

void Report::add_table(const Table& table, std::string_view caption) {
  const bool wide = table.header().size() > 3 && table.alignment().back() == Align::left;
  // What scrolls can be reached and named without a mouse.
  body_ += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" +
           escape_markup(caption.empty() ? "Table: " + table.header()[0] : std::string(caption)) +
           "\"><table" + (wide ? " class=\"stacked\"" : "") + ">\n";
  if (!caption.empty()) body_ += "<caption>" + escape_markup(caption) + "</caption>\n";
  body_ += "<thead>" + row("th", table.header(), table.alignment()) + "</thead>\n<tbody>\n";
  for (const auto& cells : table.rows()) body_ += row("td", cells, table.alignment());
  body_ += "</tbody></table></div>\n";
}

void Report::add_plots(const std::vector<Figure>& figures) { add_figures("figures", figures); }

void Report::add_small_plots(const std::vector<Figure>& figures) {
  add_figures("figures small", figures);
}

void Report::add_figures(const char* css_class, const std::vector<Figure>& figures) {
  body_ += concat("<div class=\"", css_class, "\">\n");
  for (const Figure& figure : figures) {
    std::visit(
        [&](const auto& f) {
          body_ += "<figure><figcaption><b>" + escape_markup(f.title) + "</b>";
          if (!f.description.empty()) body_ += "<span>" + escape_markup(f.description) + "</span>";
          body_ += "</figcaption>\n" + to_svg(f) + "</figure>\n";
        },
        figure);
  }
  body_ += "</div>\n";
}

void Report::add_details(std::string_view summary, std::string_view text) {
  body_ += "<details><summary>" + escape_markup(summary) + "</summary><pre>" + escape_markup(text) +
           "</pre></details>\n";
}

std::string Report::html() const {
  std::string page = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<title>" + escape_markup(title_) + "</title>\n<style>\n" + plot_style() + kStyle +
          "</style>\n</head>\n";
  page += "<body>\n<main>\n<h1>" + escape_markup(title_) + "</h1>\n";
  if (!subtitle_.empty()) page += "<p class=\"subtitle\">" + escape_markup(subtitle_) + "</p>\n";
  return page + body_ + "</main>\n</body>\n</html>\n";
}

void Report::save(const std::filesystem::path& path) const { write_file(path, html()); }

}  // namespace arbg::metrics
