#include "apps/runs/given_samples.h"

#include <algorithm>
#include <cmath>

#include "md/dynamics/simulation_file.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/error.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

std::vector<double> read_log_weights(const std::filesystem::path& path, std::int64_t count) {
  Array<double> array = read_npy(path);
  std::vector<double>& values = array.data;
  require(array.shape.size() == 1 && array.shape[0] == count, path.string(), ": expected ", count,
          " log weights, one a frame, found ",
          Json(Json::List(array.shape.begin(), array.shape.end())).dump());
  const auto bad =
      std::ranges::find_if(values, [](double w) { return std::isnan(w) || w == INFINITY; });
  require(bad == values.end(), path.string(), ": the log weight of frame ", bad - values.begin(),
          " is not a number below infinity");
  return std::move(values);
}

void take_dynamics(const std::filesystem::path& folder, const Dataset& reference, SamplesRun& out) {
  Dataset run = load_dataset(folder);
  require_same_target(folder.string(), run.forcefield, run.temperature_kelvin, reference);
  run.reorder(reference.topology, folder.string());
  out.positions_nm = std::move(run.positions_nm);
  out.reduced_energy = std::move(run.reduced_energy);
  // A step of every temperature of every replica is an energy.
  const auto file = md::read_simulation_file(folder);
  const auto temperatures = std::max<std::int64_t>(1, std::ssize(file.ladder_kelvin));
  out.file.replicas = run.replicas;
  out.file.energies_a_sample = file.options.save_interval * temperatures;
  out.file.warm_up_energies = file.options.steps_before_saves() * temperatures * run.replicas;
}

}  // namespace

void require_same_target(const std::string& where, const std::string& forcefield,
                         double temperature_kelvin, const Dataset& reference) {
  require(forcefield == reference.forcefield && temperature_kelvin == reference.temperature_kelvin,
          where, " is of ", forcefield, " at ", temperature_kelvin, " K, the reference of ",
          reference.forcefield, " at ", reference.temperature_kelvin, " K");
}

SamplesRun load_given_samples(const std::filesystem::path& path,
                              const std::filesystem::path& log_weights, const Dataset& reference,
                              const Ranks& ranks) {
  SamplesRun out;
  out.file.forcefield = reference.forcefield;
  out.file.temperature_kelvin = reference.temperature_kelvin;
  out.topology = reference.topology;
  out.topology_pdb = reference.topology_pdb;
  const auto system = md::ForceField::named(reference.forcefield).create_system(out.topology);
  std::error_code not_there;
  if (std::filesystem::is_directory(path, not_there))
    take_dynamics(path, reference, out);
  else
    out.positions_nm = load_trajectory(path, out.topology, system);
  if (out.reduced_energy.empty())
    out.reduced_energy =
        reduced_energies(system, out.positions_nm, reference.temperature_kelvin, ranks);
  // Atoms at one place: no energy.
  std::ranges::replace_if(
      out.reduced_energy, [](double u) { return std::isnan(u); }, INFINITY);
  const std::int64_t count = std::ssize(out.reduced_energy);
  out.file.samples = count;
  if (log_weights.empty()) {
    out.log_weight.assign(static_cast<std::size_t>(count), 0);
    out.file.weight_kind = sampling::WeightKind::none;
    out.file.labels = {"none: frames are compared as they are"};
  } else {
    out.log_weight = read_log_weights(log_weights, count);
    out.file.weight_kind = sampling::WeightKind::relative;
    out.file.labels = {"those of " + log_weights.string() + ", up to a constant"};
  }
  return out;
}

}  // namespace arbg::apps
