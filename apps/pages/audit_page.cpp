#include "apps/pages/audit_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "apps/runs/run_folder.h"
#include "metrics/statistics/histogram.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

using metrics::format_number;
using sampling::Audit;
using sampling::Check;
using sampling::Verdict;

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "FAIL";
    case Verdict::warning:
      return "warning";
    case Verdict::information:
      break;
  }
  return "";
}

std::string number(double value) {
  char text[32];
  if (value != 0 && std::abs(value) < 1e-3) {
    std::snprintf(text, sizeof text, "%.1e", value);
    return text;
  }
  return format_number(value, 3);
}

Verdict verdict_named(const std::string& name, const std::string& from) {
  if (name == "pass") return Verdict::pass;
  if (name == "fail") return Verdict::fail;
  if (name == "warning") return Verdict::warning;
  require(name == "information", from, ": unknown verdict '", name, "'; run arbg audit again");
  return Verdict::information;
}

// A hyphen would let the page break an exponent in two.
std::string unbroken(std::string text) {
  const auto exponent = text.find("e-");
  return exponent == std::string::npos ? text : text.replace(exponent, 2, "e\u2212");
}

metrics::Table table_of(const sampling::AuditSection& section, bool on_page) {
  using metrics::Align;
  metrics::Table table({section.title, "measured", "bound", "verdict", "details"},
                       {Align::left, Align::right, Align::right, Align::left, Align::left});
  for (const Check& check : section.checks) {
    const bool bounded = check.verdict != Verdict::information;
    const std::string measured = number(check.measured), bound = bounded ? number(check.bound) : "";
    table.add_row({check.name, on_page ? unbroken(measured) : measured,
                   on_page ? unbroken(bound) : bound, name_of(check.verdict), check.note});
  }
  return table;
}

metrics::Series uniform_line(double height) {
  return {"uniform", {0, 1}, {height, height}, metrics::Mark::dashed, 6};
}

std::vector<double> finite_less(std::span<const double> values, double middle) {
  std::vector<double> out;
  for (const double value : values)
    if (std::isfinite(value)) out.push_back(value - middle);
  return out;
}

// Nothing without a finite weight of the samples.
std::optional<metrics::Plot> weight_plot(const Audit& audit) {
  std::vector<double> finite = finite_less(audit.log_weight, 0);
  if (finite.empty()) return {};
  std::ranges::nth_element(finite, finite.begin() + std::ssize(finite) / 2);
  metrics::Plot weights;
  weights.title = "Log weights from both sides";
  weights.description =
      "The curves cross at log Z. Reference frames far to the right lie where the model proposes "
      "too seldom.";
  weights.x = {.label = "log w - median"};
  weights.y = {.label = "density", .logarithmic = true};
  const double middle = finite[finite.size() / 2];
  const auto samples = finite_less(audit.log_weight, middle),
             frames = finite_less(audit.reference.log_weight, middle);
  double largest = std::ranges::max(samples);
  for (const double log_w : frames) largest = std::max(largest, log_w);
  const auto edges = log_weight_edges(largest);
  weights.series = {
      metrics::histogram_series("samples", metrics::make_histogram(samples, {}, edges))};
  if (!frames.empty())
    weights.series.push_back(
        metrics::histogram_series("reference", metrics::make_histogram(frames, {}, edges)));
  return weights;
}

// Transforms of samples and held-out frames, calibration by coordinate, weights from both sides.
std::vector<metrics::Figure> audit_figures(const Audit& audit) {
  const sampling::ReferenceAudit& reference = audit.reference;
  std::vector<metrics::Figure> out;
  metrics::Plot transforms;
  transforms.title = "Probability integral transforms";
  transforms.description =
      "Draws from q must be uniform; held-out frames are, as far as the network has learned them.";
  transforms.x = {.label = "share of a conditional below the coordinate"};
  transforms.y = {.label = "density", .low = 0.8, .high = 1.2};
  const auto add = [&](const char* name, std::span<const double> values) {
    if (values.empty()) return;
    transforms.series.push_back(metrics::histogram_series(
        name, metrics::make_histogram(values, {}, metrics::uniform_edges(0, 1, 50))));
  };
  add("samples", audit.draws);
  add("held-out frames", reference.transform);
  if (!transforms.series.empty()) {
    transforms.series.push_back(uniform_line(1));
    out.push_back(transforms);
  }
  if (!reference.kolmogorov_statistic.empty()) {
    metrics::Plot plot;
    plot.title = "Calibration, coordinate by coordinate";
    plot.description =
        "Distance of held-out transforms from uniform; above the line it is more than chance.";
    plot.x = {.label = "coordinate"};
    plot.y = {.label = "sqrt(n) D", .low = 0};
    metrics::Series points{"", {}, reference.kolmogorov_statistic, metrics::Mark::points, 0};
    for (std::size_t j = 0; j < reference.kolmogorov_statistic.size(); ++j)
      points.x.push_back(static_cast<double>(j));
    const double bound = reference.kolmogorov_bound;
    plot.series = {points,
                   {"chance: one in 1000 audits",
                    {0, points.x.back()},
                    {bound, bound},
                    metrics::Mark::dashed,
                    6}};
    out.push_back(plot);
  }
  if (const auto weights = weight_plot(audit)) out.push_back(*weights);
  return out;
}

}  // namespace

std::vector<double> log_weight_edges(double largest) {
  return metrics::uniform_edges(-10, std::max(10.0, largest), 80);
}

Json to_json(const Audit& audit) {
  Json checks = Json::list();
  for (const auto& section : audit.sections) {
    for (const Check& check : section.checks) {
      Json line = Json::object();
      line["section"] = section.title;
      line["check"] = check.name;
      line["measured"] = check.measured;
      if (check.verdict != Verdict::information) line["bound"] = check.bound;
      line["verdict"] = check.verdict == Verdict::information ? "information"
                        : check.verdict == Verdict::fail      ? "fail"
                                                              : name_of(check.verdict);
      line["note"] = check.note;
      checks.push_back(std::move(line));
    }
  }
  Json out = Json::object();
  out["of"] = audit.subtitle;
  out["passed"] = audit.passed();
  out["failures"] = audit.count(Verdict::fail);
  out["warnings"] = audit.count(Verdict::warning);
  out["checks"] = std::move(checks);
  return out;
}

Audit audit_from_json(const Json& json, const std::string& from) {
  require(json.is_object() && json.has("checks") && json.has("of"), from,
          " is not of arbg audit; remove it, or run arbg audit again");
  const auto number = [](const Json& line, const char* name) {
    return line.has(name) && !line.at(name).is_null() ? line.at(name).number() : std::nan("");
  };
  Audit out;
  out.subtitle = json.at("of").string();
  for (const Json& line : json.at("checks").items()) {
    const std::string& title = line.at("section").string();
    if (out.sections.empty() || out.sections.back().title != title)
      out.sections.push_back({title, {}});
    out.sections.back().checks.push_back(
        {line.at("check").string(), number(line, "measured"), number(line, "bound"),
         verdict_named(line.at("verdict").string(), from), line.at("note").string()});
  }
  return out;
}

std::string verdict_of(const Audit& audit) {
  const auto failed = audit.count(Verdict::fail), warned = audit.count(Verdict::warning),
             passed = audit.count(Verdict::pass);
  const std::string tally = std::to_string(passed) + " passed, " + std::to_string(failed) +
                            " failed, " + std::to_string(warned) +
                            (warned == 1 ? " warning" : " warnings");
  return (failed == 0 ? "PASS: " : "FAIL: ") + tally;
}

std::string audit_text(const Audit& audit) {
  std::string out = audit.subtitle + "\n\n";
  for (const auto& section : audit.sections) out += table_of(section, false).text() + "\n";
  return out + verdict_of(audit) + "\n";
}

void add_audit(metrics::Report& report, const Audit& audit) {
  report.add_paragraph(
      verdict_of(audit) +
      ". Every line was computed without the code that it judges: by plain loops, finite "
      "differences, or the reference backend.");
  for (const auto& section : audit.sections) report.add_table(table_of(section, true));
}

void write_audit(const FolderLock& lock, const Audit& audit, const std::string& command) {
  metrics::Report report("Audit", audit.subtitle);
  report.add_key_numbers({{"verdict", audit.passed() ? "pass" : "FAIL", ""},
                          {"lines passed", std::to_string(audit.count(Verdict::pass)), ""},
                          {"lines failed", std::to_string(audit.count(Verdict::fail)),
                           "exact statements that do not hold"},
                          {"warnings", std::to_string(audit.count(Verdict::warning)),
                           "no fault, but figures are less reliable"}});
  report.add_heading("Lines");
  add_audit(report, audit);
  const auto figures = audit_figures(audit);
  if (!figures.empty()) {
    report.add_heading("Figures");
    report.add_plots(figures);
  }
  report.add_details("Make this page again", command);
  constexpr const char* kFiles[] = {"audit.json", "audit.html"};
  replace_together(lock, kFiles, [&](const std::filesystem::path& folder) {
    write_file(folder / "audit.json", to_json(audit).dump(2) + "\n");
    report.save(folder / "audit.html");
  });
}

}  // namespace arbg::apps
