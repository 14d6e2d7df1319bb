#include "apps/runs/samples_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "apps/cli/decoding_options.h"
#include "apps/runs/dataset.h"
#include "apps/runs/results_json.h"
#include "apps/runs/run_folder.h"
#include "md/files/pdb.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;

Json to_json(const SamplesFile& file) {
  Json run = Json::object();
  run["kind"] = "samples";
  run["model"] = file.model.string();
  run["forcefield"] = file.forcefield;
  run["temperature_kelvin"] = file.temperature_kelvin;
  run["network_weights"] = file.averaged ? "average" : "last";
  run["coordinates"] = file.coordinates;
  if (file.products != SamplesFile().products) run["products"] = file.products;
  run["sampling_temperature"] = file.decoding.temperature;
  run["decoding"] = apps::to_json(file.decoding);
  nn::say_within_bins(run, file.within_bins);
  const auto add_labels = [&] {
    for (const auto& label : file.labels) run["labels"].push_back(label);
  };
  const bool only_of_populations = file.smc && !file.decoding.biased();
  if (!only_of_populations) add_labels();
  run["seed"] = std::to_string(file.seed);
  run["samples"] = file.samples;
  run["seconds"] = file.seconds;
  if (file.tuning) run["tuning"] = apps::to_json(*file.tuning);
  if (file.reflected) run["reflected"] = *file.reflected;
  if (file.published_weights) run["published_weights"] = true;
  if (file.weights) run["weights"] = summary_json(*file.weights);
  if (file.smc) add_members(run, *file.smc);
  if (only_of_populations) add_labels();  // last, where they have always been
  return run;
}

// Folders from before run.json named the decoding have its temperature.
sampling::Decoding decoding_of(const Json& run) {
  sampling::Decoding out;
  out.temperature = run.at("sampling_temperature").number();
  if (run.has("decoding")) {
    const Json& decoding = run.at("decoding");
    out.top_k = decoding.at("top_k").integer();
    out.top_p = decoding.at("top_p").number();
    out.full_support = decoding.at("full_support").number();
  }
  out.check();
  return out;
}

SamplesFile samples_file_of(const Json& run) {
  SamplesFile out;
  out.model = run.at("model").string();
  out.forcefield = run.at("forcefield").string();
  out.temperature_kelvin = run.at("temperature_kelvin").number();
  if (run.has("network_weights")) out.averaged = run.at("network_weights").string() == "average";
  out.coordinates = run.at("coordinates").string();
  if (run.has("products")) out.products = run.at("products").string();
  out.decoding = decoding_of(run);
  out.within_bins = nn::within_bins_of(run);
  if (run.has("labels"))
    for (const Json& label : run.at("labels").items()) out.labels.push_back(label.string());
  out.seed = run.at("seed").natural();  // of old runs a number
  out.samples = run.at("samples").integer();
  out.seconds = run.at("seconds").number();
  if (run.has("tuning")) out.tuning = tuning_from_json(run.at("tuning"));
  if (run.has("reflected")) out.reflected = run.at("reflected").integer();
  out.published_weights = run.has("published_weights") && run.at("published_weights").boolean();
  if (run.has("weights")) out.weights = summary_from_json(run.at("weights"));
  if (run.has("method")) out.smc = smc_run_of(run);
  return out;
}

// One number a sample, or as many for each as there are.
enum class Row { one, many };

std::vector<double> read_rows(const fs::path& path, std::int64_t count, Row row = Row::one) {
  auto array = read_npy(path);
  const std::int64_t size = std::ssize(array.data);
  require(row == Row::one ? size == count : size % count == 0, path.string(), ": expected ", count,
          row == Row::one ? " numbers, one" : " rows of numbers, one",
          " for each sample of positions.npy, found ", size, " numbers");
  const auto bad = std::ranges::find_if(array.data, [](double x) { return std::isnan(x); });
  require(bad == array.data.end(), path.string(), ": entry ", bad - array.data.begin(),
          " is not a number (NaN); make the samples again with arbg sample");
  return std::move(array.data);
}

std::vector<std::int32_t> read_integers(const fs::path& path, std::int64_t count, Row row) {
  std::vector<std::int32_t> out;
  for (const double one : read_rows(path, count, row)) {
    const auto whole = static_cast<std::int32_t>(std::clamp<double>(
        one, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
    require(static_cast<double>(whole) == one, path.string(), ": entry ", out.size(),
            " is no whole number of 32 bits: ", one, "; make the samples again with arbg sample");
    out.push_back(whole);
  }
  return out;
}

void write_vector(const fs::path& path, std::span<const double> values) {
  const std::int64_t shape[] = {std::ssize(values)};
  write_npy(path, shape, values);
}

void write_arrays(const fs::path& folder, const SamplesRun& run) {
  const std::int64_t count = run.count(), shape[] = {count, run.topology.atom_count(), 3},
                     tokens[] = {count, std::ssize(run.tokens) / count}, ancestors[] = {count};
  write_npy(folder / "tokens.npy", tokens, std::span<const std::int32_t>(run.tokens));
  write_file(folder / "topology.pdb", run.topology_pdb);
  write_npy(folder / "positions.npy", shape, std::span<const double>(run.positions_nm));
  write_vector(folder / "log_q.npy", run.log_q);
  write_vector(folder / "energy.npy", run.reduced_energy);
  write_vector(folder / "log_weight.npy", run.log_weight);
  if (run.file.smc) {
    write_npy(folder / "ancestor.npy", ancestors, std::span<const std::int32_t>(run.ancestor));
    write_file(folder / "log_z.json", apps::to_json(run.file.smc->outcome).dump(2) + "\n");
  }
}

// In the order in which they are removed, and come in the reverse: a run.json never stands beside
// other samples, and tokens.npy tells whose the folder is before there is one. Those after run.json
// are results made from the samples, and go with them.
constexpr const char* kFiles[] = {
    "run.json",        "smc.html",      "audit.json", "audit.html",
    "evaluation.json", "report.html",   "tica.json",  "view.html",
    "topology.pdb",    "log_q.npy",     "energy.npy", "log_weight.npy",
    "ancestor.npy",    "positions.npy", "log_z.json", "tokens.npy"};

}  // namespace

bool is_of_samples(const Json& run) {
  return run.is_object() && run.has("kind") && run.at("kind").is_string() &&
         run.at("kind").string() == "samples";
}

SamplesFile read_samples_file(const fs::path& folder) {
  const fs::path path = folder / "run.json";
  const Json run = Json::parse(read_file(path), path.string());
  require(is_of_samples(run), folder.string(),
          ": run.json is not of samples; give a folder made by arbg sample");
  try {
    return samples_file_of(run);
  } catch (const Error& error) {
    fail(path.string(), ": ", error.what());
  }
}

SamplesRun read_samples(const fs::path& folder, Tokens tokens) {
  SamplesRun out;
  out.file = read_samples_file(folder);
  out.topology_pdb = read_file(folder / "topology.pdb");
  out.topology = md::read_pdb(folder / "topology.pdb").topology;
  const int atoms = out.topology.atom_count();
  out.positions_nm = load_positions(folder / "positions.npy", atoms);
  const std::int64_t count = std::ssize(out.positions_nm) / (3 * atoms);
  out.reduced_energy = read_rows(folder / "energy.npy", count);
  out.log_q = read_rows(folder / "log_q.npy", count);
  out.log_weight = read_rows(folder / "log_weight.npy", count);
  require(out.populations() <= count, (folder / "run.json").string(), ": expected at most ", count,
          " populations, one a sample, found ", out.populations());
  if (out.file.smc) {
    const auto stated = std::ssize(out.file.smc->outcome.log_z);
    require(stated == out.file.smc->populations, (folder / "run.json").string(),
            ": expected log Z of ", out.file.smc->populations, " populations, found ", stated);
  }
  if (out.file.smc) out.ancestor = read_integers(folder / "ancestor.npy", count, Row::one);
  if (tokens == Tokens::read && fs::exists(folder / "tokens.npy"))
    out.tokens = read_integers(folder / "tokens.npy", count, Row::many);
  return out;
}

void write_samples(const RunFolder& folder, const SamplesRun& run) {
  replace_together(folder, kFiles, [&](const fs::path& fresh) {
    write_arrays(fresh, run);
    write_file(fresh / "run.json", to_json(run.file).dump(2) + "\n");
  });
}

}  // namespace arbg::apps
