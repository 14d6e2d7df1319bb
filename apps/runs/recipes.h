// What `arbg demo` does with a molecule: dynamics, training, network, samples, and what to expect.
//
// One table has a row for each of the five published molecules, with a recipe for either kind of
// coordinates. Temperature and friction are those of the force field (set_published(),
// apps/jobs/md_job.h): 300 K of amber99sbildn-obc2, 310 K of amber14-obc1.
//
// There are two runs of dynamics, of as many steps each: one to learn from, and the reference,
// which training does not see. Replicas of both begin as one minimised conformation and part in the
// hot start, the first fifth of the warm-up, at 600 K (md/dynamics/simulation.h). Those of the
// reference are scrambled before, at 1200 K (md/dynamics/scramble.h), and its warm-up is longer, so
// that nothing in it is left of the start; where the first run had to be cut short, it is no longer
// than that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::apps {

struct Recipe {
  std::string system;                             // the row of the table that settings are from
  std::string sequence, forcefield, coordinates;  // coordinates: internal or cartesian

  std::int64_t steps = 0;             // of every replica of either run, after the warm-up
  std::int64_t reference_warmup = 0;  // its steps, at most
  std::int64_t save_interval = 0;     // steps between frames
  double most_dynamics_s = 0;         // of both runs together: on a slow machine they end then
  double train_s = 0;                 // likewise

  std::int64_t channels = 0, layers = 0, heads = 0;
  double sampling_temperature = 1;
  std::int64_t samples = 0;

  // What to expect on two cores with nothing else to do: "dipeptide, internal coordinates: about 8
  // minutes on two cores; raw ESS about 80 %".
  std::string expectation;
};

// The systems of the table, the smallest first.
std::vector<std::string_view> recipe_systems();

// Throws Error if there is no such system, with the nearest name, or no such coordinates.
Recipe recipe_of_system(std::string_view system, const std::string& coordinates);

// Of any sequence: the settings of the smallest system of at least as many atoms, or of the largest
// system. What the table expects is of its own molecules.
Recipe recipe_of_sequence(const std::string& sequence, const std::string& forcefield,
                          const std::string& coordinates);

}  // namespace arbg::apps
