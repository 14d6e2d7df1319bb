#include "md/dynamics/simulation_file.h"

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json_file.h"

namespace arbg::md {

namespace {

namespace fs = std::filesystem;

fs::path path_in(const fs::path& folder) { return folder / "run.json"; }

Json settings_of(const SimulationFile& file) {
  const SimulationOptions& o = file.options;
  Json json = Json::object();
  json["sequence"] = o.sequence;
  json["forcefield"] = o.forcefield;
  json["atoms"] = file.atoms;
  json["temperature_kelvin"] = o.temperature_kelvin;
  json["top_temperature_kelvin"] = o.top_temperature_kelvin;
  json["ladder"] = o.ladder;
  json["replicas"] = o.replicas;
  json["timestep_ps"] = o.timestep_ps;
  json["friction_per_ps"] = o.friction_per_ps;
  if (o.scramble_steps > 0) {
    json["scramble_steps"] = o.scramble_steps;
    json["scramble_kelvin"] = o.scramble_kelvin;
  }
  json["warmup_steps"] = o.warmup_steps;
  json["save_interval"] = o.save_interval;
  json["swap_interval"] = o.swap_interval;
  if (o.turn_interval > 0) json["turn_interval"] = o.turn_interval;
  json["seed"] = std::to_string(o.seed);
  if (o.backend != Backend::cpu) json["backend"] = name_of(o.backend);
  return json;
}

// Data may be read of a backend that this build does not have.
Backend backend_of(const Json& settings) {
  if (!settings.has("backend")) return Backend::cpu;
  const std::string name = member(settings, "backend", &Json::string);
  for (const auto backend : {Backend::reference, Backend::cpu, Backend::cuda})
    if (name == name_of(backend)) return backend;
  fail("\"", name, "\" is no backend");
}

void read_settings(const Json& json, SimulationFile& file) {
  SimulationOptions& o = file.options;
  o.sequence = member(json, "sequence", &Json::string);
  o.forcefield = member(json, "forcefield", &Json::string);
  file.atoms = member(json, "atoms", &Json::integer);
  o.temperature_kelvin = member(json, "temperature_kelvin", &Json::number);
  o.top_temperature_kelvin = member(json, "top_temperature_kelvin", &Json::number);
  o.ladder = static_cast<int>(member(json, "ladder", &Json::integer));
  o.replicas = static_cast<int>(member(json, "replicas", &Json::integer));
  o.timestep_ps = member(json, "timestep_ps", &Json::number);
  o.friction_per_ps = member(json, "friction_per_ps", &Json::number);
  o.warmup_steps = member(json, "warmup_steps", &Json::integer);
  o.save_interval = member(json, "save_interval", &Json::integer);
  o.swap_interval = member(json, "swap_interval", &Json::integer);
  o.seed = member(json, "seed", &Json::natural);  // of old runs a number
  o.backend = backend_of(json);
  if (json.has("scramble_steps")) {
    o.scramble_steps = member(json, "scramble_steps", &Json::integer);
    o.scramble_kelvin = member(json, "scramble_kelvin", &Json::number);
  }
  if (json.has("turn_interval")) o.turn_interval = member(json, "turn_interval", &Json::integer);
  require(o.replicas > 0, "expected at least one replica, found ", o.replicas);
  const Json known = settings_of(file);
  for (const auto& [name, value] : json.members())
    if (!known.has(name)) file.unknown.push_back(name);
}

SimulationFile from_json(const Json& json) {
  SimulationFile out;
  const std::int64_t version = member(json, "version", &Json::integer);
  require(version == 1, "expected version 1, found ", version);
  read_settings(json.at("settings"), out);
  if (json.has("ladder_kelvin")) out.ladder_kelvin = member(json, "ladder_kelvin", numbers_of);
  out.options.steps = member(json, "steps", &Json::integer);
  out.step = member(json, "step", &Json::integer);
  out.frames = member(json, "frames", &Json::integer);
  require(out.options.steps >= 0 && out.step >= 0 && out.frames >= 0,
          "expected no negative numbers of steps and frames, found ", out.options.steps, ", ",
          out.step, " and ", out.frames);
  if (json.has("swap_acceptance"))
    out.swap_acceptance = member(json, "swap_acceptance", numbers_of);
  if (json.has("turn_acceptance"))
    out.turn_acceptance = member(json, "turn_acceptance", &Json::number);
  if (json.has("convergence")) out.convergence = json.at("convergence");
  return out;
}

}  // namespace

bool is_of_simulation(const Json& run) { return run.is_object() && run.has("settings"); }

SimulationFile read_simulation_file(const fs::path& folder) {
  const fs::path path = path_in(folder);
  const Json json = Json::parse(read_file(path), path.string());
  require(is_of_simulation(json), folder.string(),
          ": run.json does not describe a run of arbg md; give a folder made by it");
  return located(path.string(), [&] { return from_json(json); });
}

void write_simulation_file(const fs::path& folder, const SimulationFile& file) {
  Json json = Json::object();
  json["version"] = 1;
  json["settings"] = settings_of(file);
  json["ladder_kelvin"] = list_of(file.ladder_kelvin);
  json["steps"] = file.options.steps;
  json["step"] = file.step;
  json["frames"] = file.frames;
  json["swap_acceptance"] = list_of(file.swap_acceptance);
  if (file.turn_acceptance) json["turn_acceptance"] = *file.turn_acceptance;
  if (!file.convergence.is_null()) json["convergence"] = file.convergence;
  write_file(path_in(folder), json.dump(2) + "\n");
}

void require_same_settings(const fs::path& folder, const SimulationFile& there,
                           const SimulationFile& here) {
  const Json found = settings_of(there), wanted = settings_of(here);
  const auto text = [](const Json& json, const std::string& name) {
    return json.has(name) ? json.at(name).dump() : "nothing";
  };
  Json all = wanted;
  for (const auto& [name, value] : found.members()) all[name] = value;
  std::string differences;
  for (const auto& [name, ignored] : all.members()) {
    const std::string a = text(found, name), b = text(wanted, name);
    if (a != b) differences += "; " + name + " is " + a + " there and " + b + " here";
  }
  for (const auto& name : there.unknown)
    differences += "; " + name + " is not known to this version of arbg";
  require(differences.empty(), path_in(folder).string(), " is a run of other settings", differences,
          "; choose another folder or the same settings");
}

}  // namespace arbg::md
