#include "apps/runs/recipes.h"

#include <algorithm>

#include "md/molecule/topology.h"
#include "tensor/base/error.h"
#include "tensor/base/nearest_name.h"

namespace arbg::apps {
namespace {

struct Molecule {
  const char *name, *sequence, *forcefield;
};

struct Dynamics {
  std::int64_t steps, reference_warmup, save_interval;
  double minutes;  // at most, of both runs
};

struct Learning {
  double train_minutes;  // at most
  std::int64_t channels, layers, heads;
  double sampling_temperature;
  int minutes;          // altogether, with dynamics, samples, evaluation and audit
  const char* figures;  // what comes out; null: not measured
};

struct System {
  Molecule molecule;
  Dynamics dynamics;
  Learning internal, cartesian;
};

constexpr std::int64_t kSamples = 20000;

// Warm-ups of the reference: at 600 K psi of alanine dipeptide has its shares after 5 ps and the
// region phi > 0, the slowest, after some 30; larger molecules have more.
//
// Frames are saved so often that no network of minutes sees one many times: bonds and angles forget
// themselves within 0.1 ps, and a network with placement energies learns 63,000 frames of the
// dipeptide by heart (52.7 % raw ESS; four times as many from the same run: 80.5 %).
//
// Sampling temperatures: of Cartesian coordinates the published ones. Of internal coordinates those
// of chignolin are a little broader than trained, so that rare regions are not missed by a large
// factor. By K conditionals that are about Gaussian a temperature T costs K/4 (T - 1)^2 nats. Of
// the others, rare regions are in the frames, cis peptide bonds too: nothing broader was better.
//
// Figures of the dipeptide are those of the demo itself; of the other molecules, in internal
// coordinates, those of trainings no longer than here, sampled at temperature 1
// (bench/results/effective_samples.md).
constexpr System kSystems[] = {
    {{"dipeptide", "Ace-A-Nme", "amber99sbildn-obc2"},
     {525000, 150000, 50, 3},
     {6, 64, 3, 4, 1, 8, "raw ESS above 80 %"},
     {6, 64, 3, 4, 1.03, 10, "one effective sample of 20000"}},
    {{"AAA", "AAA", "amber14-obc1"},
     {1500000, 300000, 100, 15},
     {15, 64, 3, 4, 1, 30, "raw ESS above 60 %"},
     {20, 96, 4, 6, 0.99, 40, nullptr}},
    {{"Ace-AAA-Nme", "Ace-AAA-Nme", "amber99sbildn-obc2"},
     {2000000, 400000, 100, 30},
     {15, 64, 3, 4, 1, 45, "raw ESS above 35 %"},
     {30, 96, 4, 6, 1.02, 60, nullptr}},
    {{"AAAAAA", "AAAAAA", "amber14-obc1"},
     {1000000, 300000, 100, 40},
     {50, 64, 4, 4, 1, 100, "raw ESS about 20 %"},
     {60, 128, 4, 8, 0.98, 120, nullptr}},
    {{"chignolin", "GYDPETGTWG", "amber14-obc1"},
     {2000000, 500000, 200, 300},
     {180, 128, 4, 8, 1.01, 450, nullptr},
     {180, 128, 6, 8, 0.88, 450, nullptr}},
};

Recipe recipe_from(const System& system, const std::string& coordinates) {
  require(coordinates == "internal" || coordinates == "cartesian",
          "--coordinates expects internal or cartesian, got '", coordinates, "'");
  const Learning& learning = coordinates == "internal" ? system.internal : system.cartesian;
  Recipe out;
  out.system = system.molecule.name;
  out.sequence = system.molecule.sequence;
  out.forcefield = system.molecule.forcefield;
  out.coordinates = coordinates;
  out.steps = system.dynamics.steps;
  out.reference_warmup = system.dynamics.reference_warmup;
  out.save_interval = system.dynamics.save_interval;
  out.most_dynamics_s = 60 * system.dynamics.minutes;
  out.train_s = 60 * learning.train_minutes;
  out.channels = learning.channels;
  out.layers = learning.layers;
  out.heads = learning.heads;
  out.sampling_temperature = learning.sampling_temperature;
  out.samples = kSamples;
  out.expectation = out.system + ", " + coordinates + " coordinates: about " +
                    std::to_string(learning.minutes) + " minutes on two cores; " +
                    (learning.figures ? learning.figures : "what comes out is not measured yet");
  return out;
}

int atoms_of(const std::string& sequence) {
  return md::Topology::from_sequence(sequence).atom_count();
}

}  // namespace

std::vector<std::string_view> recipe_systems() {
  std::vector<std::string_view> out;
  for (const System& system : kSystems) out.push_back(system.molecule.name);
  return out;
}

Recipe recipe_of_system(std::string_view name, const std::string& coordinates) {
  const auto* system =
      std::ranges::find_if(kSystems, [&](const System& row) { return row.molecule.name == name; });
  if (system != std::end(kSystems)) return recipe_from(*system, coordinates);
  std::string list;
  for (const auto known : recipe_systems()) list += (list.empty() ? "" : ", ") + std::string(known);
  fail("--system expects one of ", list, ", got \"", name, "\"",
       nearest_hint(std::string(name), recipe_systems()));
}

Recipe recipe_of_sequence(const std::string& sequence, const std::string& forcefield,
                          const std::string& coordinates) {
  const int atoms = atoms_of(sequence);
  const auto* system = std::ranges::find_if(
      kSystems, [&](const System& row) { return atoms_of(row.molecule.sequence) >= atoms; });
  if (system == std::end(kSystems)) --system;
  Recipe out = recipe_from(*system, coordinates);
  if (sequence == out.sequence && forcefield == out.forcefield) return out;
  out.sequence = sequence;
  out.forcefield = forcefield;
  out.expectation = sequence + ", " + coordinates + " coordinates, " + std::to_string(atoms) +
                    " atoms: the settings of " + out.system +
                    "; how long they take and what comes out is not measured";
  return out;
}

}  // namespace arbg::apps
