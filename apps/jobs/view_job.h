// The work of `arbg view`: conformations of a run, or of a PDB file, and a few samples as they came
// about, for a page (pages/view_page.h).
//
// Of weighted samples, `count` are drawn by their weights (systematic resampling), and each that
// was drawn is shown once, the heaviest first; of dynamics and PDB files, evenly spaced frames, in
// time. A folder that holds a model and no samples (train, refine) has `count` drawn anew. Frames
// and samples are counted from 0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/runs/model_file.h"
#include "apps/runs/samples_run.h"
#include "sampling/proposals/roll_out.h"

namespace arbg::apps {

struct ViewJob {
  std::filesystem::path input;      // a folder of a run, or a PDB file
  std::filesystem::path model;      // checkpoint; empty: the one that the input names
  std::filesystem::path reference;  // PDB file, of which the first model is taken; empty: a frame
  std::int64_t count = 300;
  std::optional<std::int64_t> roll_outs;  // otherwise kRollOuts where there is a model
  std::uint64_t seed = 1;                 // of the choice by weight, and of what is drawn anew
  nn::Backend backend = nn::Backend::cpu;
};

inline constexpr std::int64_t kRollOuts = 3;

// n of the frames there are. Figures that are not known are empty.
struct ShownFrames {
  std::vector<std::string> names;    // "sample 12"
  std::vector<double> positions_nm;  // [n, N, 3]
  std::vector<double> reduced_energy, log_q;
  std::vector<double> weight;  // share of the weights of all samples

  std::int64_t count() const { return std::ssize(names); }
};

struct GrownSample {
  std::string name;
  std::vector<double> z, positions_nm;  // [K], [N, 3] as the map decodes them
  double log_q = 0;                     // as the sampler states it
  sampling::RollOut steps;
};

struct View {
  std::string title, subtitle;     // the molecule; what it is of
  std::vector<std::string> notes;  // sentences: how the frames were chosen, and what to know
  md::Topology topology;
  ShownFrames frames = {};
  std::int64_t of = 0;  // so many frames there are
  std::string reference_name = {};
  std::vector<double> reference_nm = {};  // [N, 3]
  std::optional<Model> model = {};        // which drew the following, if there are any
  std::vector<GrownSample> roll_outs = {};
};

// Throws Error naming the file or folder that is not as expected.
View make_view(const ViewJob& job);

// Conformations alone, of samples that are in memory: `count` draws by weight, or evenly spaced
// frames where they have no weights.
View view_of_samples(const SamplesRun& run, std::int64_t count);

}  // namespace arbg::apps
