#include "apps/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "md/dcd.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"

namespace arbg::apps {

std::int64_t Dataset::frames() const {
  return static_cast<std::int64_t>(positions_nm.size()) / (3 * topology.atom_count());
}

Dataset Dataset::part(std::int64_t first, std::int64_t count) const {
  Dataset out{topology, topology_pdb, forcefield, temperature_kelvin, replicas, {}, {}, run};
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

Dataset load_dataset(const std::filesystem::path& folder) {
  require(std::filesystem::is_directory(folder), folder.string(),
          ": expected a run folder (topology.pdb, positions.npy, run.json) made by arbg md");
  Dataset out;
  out.topology_pdb = read_file(folder / "topology.pdb");
  out.topology = md::read_pdb(folder / "topology.pdb").topology;
  out.run = Json::parse(read_file(folder / "run.json"), (folder / "run.json").string());
  require(out.run.has("settings"), folder.string(),
          ": run.json does not describe a run of arbg md; give a folder made by it");
  const Json& settings = out.run.at("settings");
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

}  // namespace arbg::apps
