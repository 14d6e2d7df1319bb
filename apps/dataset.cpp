#include "apps/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <regex>
#include <span>

#include "md/dcd.h"
#include "md/energy/engine.h"
#include "md/forcefield.h"
#include "md/structure_check.h"
#include "md/units.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"

namespace arbg::apps {

std::int64_t Dataset::held_out(double share) const {
  constexpr std::int64_t kMost = 4096;
  return std::min(kMost, static_cast<std::int64_t>(share * static_cast<double>(frames())));
}

std::int64_t Dataset::frames() const {
  return static_cast<std::int64_t>(positions_nm.size()) / (3 * topology.atom_count());
}

Dataset Dataset::part(std::int64_t first, std::int64_t count) const {
  Dataset out{topology, topology_pdb, forcefield, temperature_kelvin, replicas, {}, {}};
  const std::int64_t frame = 3 * topology.atom_count();
  out.positions_nm.assign(positions_nm.begin() + first * frame,
                          positions_nm.begin() + (first + count) * frame);
  if (!reduced_energy.empty()) {
    out.reduced_energy.assign(reduced_energy.begin() + first,
                              reduced_energy.begin() + first + count);
  }
  return out;
}

md::Pdb load_pdb(const std::filesystem::path& path) {
  md::Pdb pdb = md::read_pdb(path);
  if (!pdb.note.empty()) std::fprintf(stderr, "%s\n", pdb.note.c_str());
  return pdb;
}

std::vector<double> load_positions(const std::filesystem::path& path, int atoms) {
  std::vector<double> positions_nm;
  if (path.extension() == ".dcd") {
    positions_nm = md::read_dcd(path, atoms);
  } else {
    auto array = read_npy(path);
    require(array.shape.size() == 3 && array.shape[1] == atoms && array.shape[2] == 3,
            path.string(), ": expected positions of shape [frames, ", atoms, ", 3] in nm, found ",
            Json(Json::List(array.shape.begin(), array.shape.end())).dump());
    positions_nm = std::move(array.data);
  }
  const auto bad =
      std::ranges::find_if_not(positions_nm, [](double v) { return std::isfinite(v); });
  require(bad == positions_nm.end(), path.string(), ": frame ",
          (bad - positions_nm.begin()) / (3 * atoms),
          " holds a number that is not finite (NaN or infinity); remove the frame");
  return positions_nm;
}

namespace {

Dataset load_run(const std::filesystem::path& folder) {
  require(std::filesystem::is_directory(folder), folder.string(),
          ": expected a run folder (topology.pdb, positions.npy, run.json) made by arbg md, or a "
          "published SEQUENCE_TEMPERATUREK_SPLIT.npy");
  Dataset out;
  out.topology_pdb = read_file(folder / "topology.pdb");
  out.topology = md::read_pdb(folder / "topology.pdb").topology;
  const Json run = Json::parse(read_file(folder / "run.json"), (folder / "run.json").string());
  require(run.has("settings"), folder.string(),
          ": run.json does not describe a run of arbg md; give a folder made by it");
  const Json& settings = run.at("settings");
  out.forcefield = settings.at("forcefield").string();
  out.temperature_kelvin = settings.at("temperature_kelvin").number();
  out.replicas = settings.at("replicas").integer();
  out.positions_nm = load_positions(folder / "positions.npy", out.topology.atom_count());
  if (std::filesystem::exists(folder / "energy.npy")) {
    out.reduced_energy = read_npy(folder / "energy.npy").data;
    require(static_cast<std::int64_t>(out.reduced_energy.size()) == out.frames(),
            (folder / "energy.npy").string(), ": expected ", out.frames(),
            " energies, one a frame of positions.npy, found ", out.reduced_energy.size());
  }
  return out;
}

Dataset load_published(const std::filesystem::path& file, const std::string& forcefield) {
  static const std::regex kName(R"((.+)_([0-9]+(?:\.[0-9]+)?)K_(?:train|val|test)\.npy)");
  std::smatch parts;
  const std::string name = file.filename().string();
  require(std::regex_match(name, parts, kName), file.string(),
          ": expected a published name, SEQUENCE_TEMPERATUREK_train.npy, _val.npy or _test.npy");
  Dataset out;
  out.forcefield = forcefield;
  out.temperature_kelvin = std::stod(parts[2]);
  const auto pdb = file.parent_path() / (parts[1].str() + ".pdb");
  out.topology = std::filesystem::exists(pdb) ? load_pdb(pdb).topology
                                              : md::Topology::from_sequence(parts[1].str());
  out.positions_nm = load_positions(file, out.topology.atom_count());
  require(out.frames() > 0, file.string(), ": there are no frames in it");
  const auto first = std::span(out.positions_nm).first(3 * out.topology.atoms.size());
  md::require_bonded(out.topology, first, file.string() + ": frame 0");
  out.topology_pdb = md::pdb_text(out.topology, first, pdb);
  const md::EnergyEngine energy(md::ForceField::named(forcefield).create_system(out.topology));
  out.reduced_energy = energy.evaluate(out.positions_nm, false).energy_kj_mol;
  for (double& u : out.reduced_energy) u /= md::thermal_energy(out.temperature_kelvin);
  return out;
}

}  // namespace

Dataset load_dataset(const std::filesystem::path& path, const std::string& forcefield) {
  return path.extension() == ".npy" ? load_published(path, forcefield) : load_run(path);
}

}  // namespace arbg::apps
