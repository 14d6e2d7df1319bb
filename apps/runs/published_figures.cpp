#include "apps/runs/published_figures.h"

#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "md/files/trajectory_order.h"
#include "metrics/format_number.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

constexpr const char* kSource =
    "Rehman et al., Autoregressive Boltzmann Generators (2026, arXiv 2606.27361)";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kBudget = 200000;

struct Molecule {
  const char *name, *sequence;
  PublishedPoint point;
};

constexpr Molecule kMolecules[] = {
    {"AAA", "AAA", {kBudget, 0.202, 0.312, kNone}},
    {"Ace-AAA-Nme", "Ace-AAA-Nme", {kBudget, 0.449, 0.592, kNone}},
    {"AAAAAA", "AAAAAA", {kBudget, 0.328, 1.094, kNone}},
    {"chignolin", "GYDPETGTWG", {kBudget, 1.723, 2.632, kNone}},
};

constexpr PublishedPoint kPlainDynamics[] = {
    {1000, 18.9, 5.51, 1.31},      {10000, 18.7, 5.29, 1.27},    {100000, 15.2, 4.85, 1.25},
    {200000, 14.3, 4.65, 1.25},    {1000000, 9.40, 4.02, 1.26},  {10000000, 3.58, 3.02, 1.27},
    {100000000, 1.66, 2.25, 1.37}, {200000000, 1.24, 2.04, 1.28}};
constexpr PublishedPoint kProse[] = {{1000, 12.0, 3.35, 1.18},
                                     {10000, 11.0, 2.78, 0.99},
                                     {100000, 9.95, 2.24, 0.95},
                                     {200000, 9.8, 2.10, 0.955}};
constexpr PublishedPoint kRobin[] = {{1000, 9.5, 3.3, 1.17},
                                     {10000, 4.35, 2.55, 0.955},
                                     {100000, 3.88, 2.1, 0.93},
                                     {200000, 3.95, 2.0, 0.93}};
constexpr std::size_t kMeanLength = 8;

PublishedCurve curve(const std::string& name, std::span<const PublishedPoint> points) {
  return {"published: " + name, {points.begin(), points.end()}};
}

bool is_molecule(const md::Topology& topology, const std::string& sequence) {
  try {
    md::atom_order(md::Topology::from_sequence(sequence), topology);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// One-letter codes of a chain without caps; empty where a residue is none of the twenty.
std::string letters_of(const md::Topology& topology) {
  static const std::string kLetters = "ACDEFGHIKLMNPQRSTVWY";
  static const md::Topology kAll = md::Topology::from_sequence(kLetters);
  std::string out;
  for (const md::Residue& residue : topology.residues) {
    std::size_t k = 0;
    while (k < kLetters.size() && kAll.residues[k].name != residue.name) ++k;
    if (k == kLetters.size()) return "";
    out += kLetters[k];
  }
  return out;
}

// Whether that is how the published molecule was simulated; else says how.
bool is_setting(const md::Topology& topology, const std::string& forcefield,
                double temperature_kelvin, std::string& why_not) {
  const bool capped = topology.residues.front().name == "ACE";
  const std::string published = capped ? "amber99sbildn-obc2" : "amber14-obc1";
  const double kelvin = capped ? 300 : 310;
  why_not = "The published figures of this molecule are not shown: they are of " + published +
            " at " + metrics::format_number(kelvin, 3) + " K, this run is of " + forcefield +
            " at " + metrics::format_number(temperature_kelvin, 3) + " K.";
  return forcefield == published && std::abs(temperature_kelvin - kelvin) < 0.5;
}

}  // namespace

PublishedFigures published_figures(const md::Topology& topology, const std::string& forcefield,
                                   double temperature_kelvin) {
  PublishedFigures out;
  for (const Molecule& molecule : kMolecules) {
    if (!is_molecule(topology, molecule.sequence)) continue;
    if (!is_setting(topology, forcefield, temperature_kelvin, out.note)) return out;
    out.curves = {curve("generator of " + std::string(molecule.name), {&molecule.point, 1})};
    out.note = std::string("Published: ") + kSource +
               ", a generator trained on this molecule. The largest 0.2 % of its weights were "
               "dropped, and 10,000 samples compared with as many frames; the same of this run: "
               "--published-protocol.";
    return out;
  }
  const std::string letters =
      topology.residues.size() == kMeanLength ? letters_of(topology) : std::string();
  if (letters.empty() || !is_molecule(topology, letters)) {
    out.note = "No published figures: none of this molecule say how many energies they took.";
    return out;
  }
  if (!is_setting(topology, forcefield, temperature_kelvin, out.note)) return out;
  const std::string mean = ", mean of 30 other peptides";
  out.curves = {curve("plain MD" + mean, kPlainDynamics), curve("Prose" + mean, kProse),
                curve("Robin" + mean, kRobin)};
  out.note = std::string("Published: ") + kSource +
             ", means over 30 peptides of eight residues that no model was trained on, read off a "
             "figure. They are not of this molecule: what one gives may be far from the mean.";
  return out;
}

std::vector<PublishedCurve> published_molecules() {
  std::vector<PublishedCurve> out;
  for (const Molecule& molecule : kMolecules) out.push_back({molecule.name, {molecule.point}});
  return out;
}

}  // namespace arbg::apps
