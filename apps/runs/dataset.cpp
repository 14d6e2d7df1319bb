#include "apps/runs/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>

#include "md/dynamics/simulation_file.h"
#include "md/energy/engine.h"
#include "md/files/dcd.h"
#include "md/files/trajectory_order.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/stereocentres.h"
#include "md/molecule/structure_check.h"
#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/npz.h"

namespace arbg::apps {

namespace {

constexpr std::size_t kMarkBytes = 16;  // that tell what a file is

void say(const std::string& note) {
  if (!note.empty()) std::fprintf(stderr, "%s\n", note.c_str());
}

}  // namespace

std::int64_t Dataset::frames() const { return ensemble().frames(); }

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
  say(pdb.note);
  const std::string gap = md::gap_in_chain(pdb.topology, pdb.positions_nm);
  if (!gap.empty()) say(path.string() + ": " + gap + "; is a residue missing between them?");
  return pdb;
}

namespace {

// Positions of the atoms of `from` become those of `to`, by names; true if any changed its place.
bool match_atoms(std::vector<double>& positions_nm, const md::Topology& from,
                 const md::Topology& to, const std::string& where) {
  std::vector<int> order;
  try {
    order = md::atom_order(from, to);
  } catch (const Error& error) {
    fail(where, ": its atoms are not of the same molecule: ", error.what());
  }
  if (md::is_same_order(order)) return false;
  positions_nm = md::reordered(positions_nm, order);
  return true;
}

}  // namespace

bool Dataset::reorder(const md::Topology& molecule, const std::string& where) {
  if (!match_atoms(positions_nm, topology, molecule, where)) return false;
  topology = molecule;
  topology_pdb = md::pdb_text(topology, std::span(positions_nm).first(3 * topology.atoms.size()));
  return true;
}

void require_conformations(std::span<const double> positions_nm, int atoms,
                           const std::filesystem::path& path) {
  const auto size = static_cast<std::size_t>(3 * atoms);
  for (std::size_t f = 0; f < positions_nm.size() / size; ++f) {
    const auto fault = md::conformation_fault(positions_nm.subspan(f * size, size));
    require(fault.empty(), path.string(), ": frame ", f, " ", fault, "; remove the frame");
  }
}

namespace {

md::Dcd read_positions(const std::filesystem::path& path, int atoms) {
  const auto ending = path.extension();
  if (ending == ".dcd") return md::read_dcd(path, atoms);
  require(ending == ".npy" || ending == ".npz", path.string(),
          ": expected conformations in a file that ends in .npy, .npz or .dcd",
          said_kind(read_file(path, kMarkBytes)));
  auto array = ending == ".npz" ? read_npz(path, "positions") : read_npy(path);
  require(array.shape.size() == 3 && array.shape[1] == atoms && array.shape[2] == 3, path.string(),
          ": expected positions of shape [frames, ", atoms, ", 3] in nm, found ",
          Json(Json::List(array.shape.begin(), array.shape.end())).dump());
  return {std::move(array.data), ""};
}

}  // namespace

std::vector<double> load_positions(const std::filesystem::path& path, int atoms) {
  auto [positions_nm, note] = read_positions(path, atoms);
  require(!positions_nm.empty(), path.string(), ": there are no frames in it");
  require_conformations(positions_nm, atoms, path);
  say(note);
  return std::move(positions_nm);
}

std::vector<double> load_trajectory(const std::filesystem::path& path, const md::Topology& topology,
                                    const md::System& system) {
  const auto pdb = md::pdb_beside(path);
  std::vector<double> positions_nm;
  std::string note;
  if (pdb.empty()) {
    positions_nm = load_positions(path, topology.atom_count());
  } else {
    const auto found = load_pdb(pdb).topology;
    positions_nm = load_positions(path, found.atom_count());
    const bool moved = match_atoms(positions_nm, found, topology, path.string());
    note = md::order_note(path, pdb, moved);
  }
  // What a model has drawn may have poor bonds.
  if (md::is_of_run(pdb))
    md::require_nanometres(topology, system, positions_nm, path.string());
  else
    md::require_bonded(topology, system, positions_nm, path.string());
  say(note);
  return positions_nm;
}

std::vector<double> reduced_energies(const md::System& system, std::span<const double> positions_nm,
                                     double temperature_kelvin, const Ranks& ranks) {
  const std::size_t size = 3 * system.mass_amu.size();
  const Share share = ranks.share(static_cast<std::int64_t>(positions_nm.size() / size));
  const auto own = positions_nm.subspan(static_cast<std::size_t>(share.first) * size,
                                        static_cast<std::size_t>(share.count()) * size);
  auto u = md::EnergyEngine(system).evaluate(own, false).energy_kj_mol;
  for (double& one : u) one /= md::thermal_energy(temperature_kelvin);
  return ranks.gather(std::span<const double>(u));
}

namespace {

Dataset load_run(const std::filesystem::path& folder) {
  std::error_code not_there;
  require(std::filesystem::is_directory(folder, not_there), folder.string(),
          ": expected a run folder (topology.pdb, positions.npy, run.json) made by arbg md, or a "
          "published SEQUENCE_TEMPERATUREK_SPLIT.npy");
  Dataset out;
  out.topology_pdb = read_file(folder / "topology.pdb");
  out.topology = md::read_pdb(folder / "topology.pdb").topology;
  const auto run = md::read_simulation_file(folder);
  out.forcefield = run.options.forcefield;
  out.temperature_kelvin = run.options.temperature_kelvin;
  out.replicas = run.options.replicas;
  out.positions_nm = load_positions(folder / "positions.npy", out.topology.atom_count());
  require(out.frames() >= run.frames, (folder / "positions.npy").string(), ": found ", out.frames(),
          " frames, run.json says ", run.frames,
          "; bring the whole file back, or run arbg md anew");
  md::require_bonded(out.topology,
                     md::ForceField::named(out.forcefield).create_system(out.topology),
                     out.positions_nm, (folder / "positions.npy").string());
  md::require_natural_hands(out.topology, out.positions_nm, (folder / "positions.npy").string());
  if (std::filesystem::exists(folder / "energy.npy")) {
    out.reduced_energy = read_npy(folder / "energy.npy").data;
    require(static_cast<std::int64_t>(out.reduced_energy.size()) == out.frames(),
            (folder / "energy.npy").string(), ": expected ", out.frames(),
            " energies, one a frame of positions.npy, found ", out.reduced_energy.size());
  }
  return out;
}

Dataset load_published(const std::filesystem::path& file, const std::string& forcefield,
                       const Ranks& ranks) {
  const auto name = md::published_name(file);
  require(name.has_value(), file.string(),
          ": expected a published name, SEQUENCE_TEMPERATUREK_train.npy, _val.npy or _test.npy (or "
          ".npz)");
  Dataset out;
  out.forcefield = forcefield;
  out.temperature_kelvin = std::stod(name->temperature_kelvin);
  const auto pdb = md::pdb_beside(file);
  out.topology = pdb.empty() ? md::Topology::from_sequence(name->sequence) : load_pdb(pdb).topology;
  out.positions_nm = load_positions(file, out.topology.atom_count());
  const auto system = md::ForceField::named(forcefield).create_system(out.topology);
  const std::string order =
      file.string() + ": atoms are ordered as " +
      (pdb.empty() ? "by arbg build, for want of a " + name->pdb() + " beside it"
                   : "in " + pdb.string());
  md::require_bonded(out.topology, system, out.positions_nm, order);
  md::require_natural_hands(out.topology, out.positions_nm, file.string());
  say(order);
  const auto first = std::span(out.positions_nm).first(3 * out.topology.atoms.size());
  out.topology_pdb = md::pdb_text(out.topology, first, file);
  out.reduced_energy = reduced_energies(system, out.positions_nm, out.temperature_kelvin, ranks);
  return out;
}

// Averages and weights over the frames need every energy.
void require_energies(const Dataset& data, const std::filesystem::path& path) {
  const auto bad =
      std::ranges::find_if_not(data.reduced_energy, [](double u) { return std::isfinite(u); });
  require(bad == data.reduced_energy.end(), path.string(), ": the energy of frame ",
          bad - data.reduced_energy.begin(), " is not finite; remove the frame");
}

}  // namespace

Dataset load_dataset(const std::filesystem::path& path, const std::string& forcefield,
                     const Ranks& ranks) {
  const bool published = path.extension() == ".npy" || path.extension() == ".npz";
  Dataset data = published ? load_published(path, forcefield, ranks) : load_run(path);
  require_energies(data, path);
  return data;
}

}  // namespace arbg::apps
