#include "apps/jobs/view_job.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/runs/run_folder.h"
#include "md/files/trajectory_order.h"
#include "metrics/format_number.h"
#include "metrics/weights/weights.h"
#include "sampling/smc/resampling.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;
using Indices = std::vector<std::int64_t>;

// "ACE-ALA-NME", or how many residues there are.
std::string name_of(const md::Topology& topology) {
  constexpr std::size_t kMost = 12;
  if (topology.residues.size() > kMost)
    return "A peptide of " + std::to_string(topology.residues.size()) + " residues";
  std::string out;
  for (const auto& residue : topology.residues) out += (out.empty() ? "" : "-") + residue.name;
  return out;
}

std::string conditions(const std::string& forcefield, double temperature_kelvin) {
  return forcefield + " at " + metrics::format_number(temperature_kelvin, 3) + " K";
}

std::vector<double> picked(std::span<const double> rows, const Indices& indices, int width = 1) {
  if (rows.empty()) return {};
  return sampling::pick(rows, indices, static_cast<std::size_t>(width));
}

// Frames of a file without weights.
void show_frames(View& view, const char* kind, const Indices& indices,
                 std::span<const double> positions_nm, std::span<const double> reduced_energy) {
  const int size = 3 * view.topology.atom_count();
  view.of = std::ssize(positions_nm) / size;
  for (const auto i : indices) view.frames.names.push_back(kind + std::to_string(i));
  view.frames.positions_nm = picked(positions_nm, indices, size);
  view.frames.reduced_energy = picked(reduced_energy, indices);
  view.notes.push_back(std::to_string(indices.size()) + " of " + std::to_string(view.of) +
                       " frames, evenly spaced.");
}

View view_of_pdb(const ViewJob& job) {
  const md::Pdb pdb = load_pdb(job.input);
  require_conformations(pdb.positions_nm, pdb.topology.atom_count(), job.input);
  View out{name_of(pdb.topology), job.input.string(), {}, pdb.topology};
  show_frames(out, "model ", sampling::evenly_spaced(pdb.models, job.count), pdb.positions_nm, {});
  return out;
}

View view_of_dynamics(const ViewJob& job) {
  const Dataset data = load_dataset(job.input);
  View out{name_of(data.topology),
           "molecular dynamics of " + job.input.string() + ", " +
               conditions(data.forcefield, data.temperature_kelvin),
           {},
           data.topology};
  show_frames(out, "frame ",
              sampling::replica_frames(data.frames(), data.replicas, 0, data.replicas, job.count),
              data.positions_nm, data.reduced_energy);
  out.notes.push_back("Replica by replica, each in time; frame f is of replica f modulo " +
                      std::to_string(data.replicas) + ".");
  return out;
}

// In the order of their weights, the heaviest first.
Indices heaviest_first(Indices indices, std::span<const double> log_weight) {
  std::ranges::stable_sort(indices, std::greater<>{},
                           [&](std::int64_t i) { return log_weight[static_cast<std::size_t>(i)]; });
  return indices;
}

// Which samples a systematic draw by weight meets; evenly spaced ones where none has a weight.
Indices by_weight(std::span<const double> log_weight, const ViewJob& job) {
  if (std::ranges::max(log_weight) == -std::numeric_limits<double>::infinity())
    return sampling::evenly_spaced(std::ssize(log_weight), job.count);
  const Random random(job.seed, stream_id(streams::kResample));
  Indices out = sampling::resample(sampling::Resampling::systematic, log_weight, job.count, random);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return heaviest_first(std::move(out), log_weight);
}

// log q that differs by more is of other bins: float32 does not add up to so much.
constexpr double kSameLogQ = 0.01;

// Sample i of a run depends on seed, i and the network alone: here it comes about a second time.
GrownSample grow_again(const Model& model, const SamplesRun& run, std::int64_t i) {
  sampling::SampleOptions options;
  options.count = options.lanes = 1;
  options.seed = run.file.seed;
  options.first = i;
  sampling::Samples drawn = model.generator.sample(options, run.file.decoding);
  const bool same = std::abs(drawn.log_q[0] - run.log_q[static_cast<std::size_t>(i)]) < kSameLogQ;
  GrownSample out{(same ? "sample " : "new draw ") + std::to_string(i),
                  std::move(drawn.coordinates),
                  std::move(drawn.positions_nm),
                  drawn.log_q[0],
                  {}};
  out.steps = sampling::roll_out(model.generator, out.z, run.file.decoding);
  return out;
}

void add_roll_outs(View& view, const ViewJob& job, const SamplesRun& run) {
  const auto wanted = std::min(job.roll_outs.value_or(kRollOuts), run.count());
  Indices all(static_cast<std::size_t>(run.count()));
  std::iota(all.begin(), all.end(), 0);
  all = heaviest_first(std::move(all), run.log_weight);
  all.resize(static_cast<std::size_t>(wanted));
  bool all_same = true;
  for (const auto i : all) {
    view.roll_outs.push_back(grow_again(*view.model, run, i));
    all_same = all_same && view.roll_outs.back().name.starts_with("sample");
  }
  if (wanted > 0) view.notes.push_back("Decoding: " + run.file.decoding.text() + ".");
  if (!all_same)
    view.notes.push_back(
        "New draws are of the model, but not samples of this run, which are of populations, "
        "reflected, or drawn with other products or by another model.");
}

void require_same_atoms(const Model& model, const md::Topology& topology, const fs::path& path) {
  const bool same = std::ranges::equal(model.topology.atoms, topology.atoms,
                                       [](const md::Atom& a, const md::Atom& b) {
                                         return a.name == b.name && a.residue == b.residue;
                                       });
  require(same, path.string(),
          ": its atoms are not those of the samples; give the model that the "
          "samples are from");
}

// Of samples whatever they were read from or drawn by.
View view_of_samples(const ViewJob& job, const SamplesRun& run, std::optional<Model> model) {
  View out{name_of(run.topology), "", run.file.labels, run.topology};
  const Indices shown = by_weight(run.log_weight, job);
  out.of = run.count();
  for (const auto i : shown) out.frames.names.push_back("sample " + std::to_string(i));
  out.frames.positions_nm = picked(run.positions_nm, shown, 3 * run.topology.atom_count());
  out.frames.reduced_energy = picked(run.reduced_energy, shown);
  out.frames.log_q = picked(run.log_q, shown);
  out.frames.weight = picked(metrics::normalised_weights(run.log_weight), shown);
  out.notes.insert(out.notes.begin(), std::to_string(job.count) + " draws by weight fell on " +
                                          std::to_string(shown.size()) + " of " +
                                          std::to_string(run.count()) +
                                          " samples. Each is shown once, the heaviest first.");
  out.model = std::move(model);
  if (out.model) add_roll_outs(out, job, run);
  return out;
}

// Of a folder of samples; `model`, if there is such a file, drew them.
View view_of_run(const ViewJob& job, const fs::path& folder, const fs::path& model) {
  const SamplesRun run = read_samples(folder, Tokens::leave);
  const bool wanted = job.roll_outs.value_or(kRollOuts) > 0;
  std::optional<Model> drew;
  if (wanted && fs::exists(model)) {
    drew = load_model(model, job.backend, run.file.averaged,
                      ToldMolecule{run.topology, run.topology_pdb, run.file.forcefield,
                                   run.file.temperature_kelvin},
                      run.file.within_bins);
    require_same_atoms(*drew, run.topology, model);
  }
  require(drew || !wanted || !job.roll_outs, "roll-outs need the model of ", folder.string(),
          ", and there is no ", model.string(), "; give it with --model FILE");
  View out = view_of_samples(job, run, std::move(drew));
  if (wanted && !out.model)
    out.notes.push_back("No roll-outs: there is no " + model.string() + ".");
  out.subtitle = "samples of " + folder.string() + ", " +
                 conditions(run.file.forcefield, run.file.temperature_kelvin);
  return out;
}

// Of a model without samples: these are drawn here.
View view_of_model(const ViewJob& job, const fs::path& path) {
  const auto checkpoint = nn::Checkpoint::read(path, job.backend);
  require(!checkpoint.description.is_object() || !checkpoint.description.has("molecules"),
          path.string(),
          ": this model is of many molecules; draw samples of one with arbg sample --molecule, and "
          "view their folder");
  Model model = make_model(checkpoint, job.backend, true, path.string());
  sampling::SampleOptions options;
  options.count = job.count;
  options.seed = job.seed;
  sampling::Samples drawn = model.generator.sample(options);
  SamplesRun run;
  run.topology = model.topology;
  run.file.seed = job.seed;
  run.reduced_energy = model.target(job.backend).reduced_energy(drawn.positions_nm);
  run.log_weight = sampling::log_weights(run.reduced_energy, drawn.log_volume, drawn.log_q);
  run.log_q = std::move(drawn.log_q);
  run.positions_nm = std::move(drawn.positions_nm);
  const std::string of = "samples drawn here by " + path.string() + ", " +
                         conditions(model.forcefield, model.temperature_kelvin);
  View out = view_of_samples(job, run, std::move(model));
  out.subtitle = of;
  return out;
}

View view_of_input(const ViewJob& job) {
  const auto model_or = [&](const fs::path& own) { return job.model.empty() ? own : job.model; };
  const bool is_file = !fs::is_directory(job.input);
  const RunKind kind = is_file ? RunKind::none : kind_of(job.input);
  if (kind == RunKind::sample)
    return view_of_run(job, job.input, model_or(read_samples_file(job.input).model));
  if (kind_of(job.input / "samples") == RunKind::sample)  // of a demo, complete or not
    return view_of_run(job, job.input / "samples",
                       model_or(job.input / "model" / "checkpoint.safetensors"));
  if (kind == RunKind::train || kind == RunKind::refine)
    return view_of_model(job, model_or(job.input / "checkpoint.safetensors"));
  require(job.model.empty() && job.roll_outs.value_or(0) == 0, job.input.string(),
          ": roll-outs, and with them --model, are of samples: give a folder of arbg sample, demo, "
          "refine or train");
  const auto ending = job.input.extension();
  if (md::is_pdb_path(job.input)) return view_of_pdb(job);
  if (kind == RunKind::md || ending == ".npy" || ending == ".npz") return view_of_dynamics(job);
  fail(job.input.string(),
       ": expected a folder made by arbg sample, md, demo, refine or train, or a PDB file (.pdb, "
       ".ent)");
}

// The first model of a PDB file, or else the frame of the lowest energy, or else the first.
void set_reference(View& view, const fs::path& pdb_path) {
  const auto size = 3 * view.topology.atoms.size();
  if (!pdb_path.empty()) {
    const md::Pdb pdb = load_pdb(pdb_path);
    try {
      const auto order = md::atom_order(pdb.topology, view.topology);
      view.reference_nm = md::reordered(std::span(pdb.positions_nm).first(size), order);
    } catch (const Error& error) {
      fail(pdb_path.string(), ": its atoms are not of the same molecule: ", error.what());
    }
    view.reference_name = pdb_path.filename().string();
    return;
  }
  const auto& u = view.frames.reduced_energy;
  const auto lowest = static_cast<std::size_t>(std::ranges::min_element(u) - u.begin());
  view.reference_name = view.frames.names[lowest] + (u.empty() ? "" : ", the lowest energy");
  view.reference_nm =
      picked(view.frames.positions_nm, {static_cast<std::int64_t>(lowest)}, static_cast<int>(size));
}

}  // namespace

View view_of_samples(const SamplesRun& run, std::int64_t count) {
  ViewJob job;
  job.count = count;
  View out{name_of(run.topology), "", {}, run.topology};
  if (run.file.weight_kind == sampling::WeightKind::none) {
    show_frames(
        out, "frame ",
        sampling::replica_frames(run.count(), run.file.replicas, 0, run.file.replicas, count),
        run.positions_nm, run.reduced_energy);
  } else {
    out = view_of_samples(job, run, {});
  }
  set_reference(out, {});
  return out;
}

View make_view(const ViewJob& job) {
  View out = view_of_input(job);
  set_reference(out, job.reference);
  return out;
}

}  // namespace arbg::apps
