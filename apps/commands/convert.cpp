// arbg convert: trajectories from one format to another.
#include <algorithm>
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/runs/dataset.h"
#include "md/files/dcd.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "convert",
    "trajectories from one format to another: .npy, .npz, .dcd, .pdb",
    "",
    {{"input", "FILE", "",
      "conformations: .npy [frames, atoms, 3] in nm, .npz (array positions), .dcd or .pdb"},
     {"output", "FILE", "",
      "the file to write: .npy (float32), .dcd or .pdb (one model for each frame)"},
     {"pdb", "FILE", "",
      "the molecule, with atoms in the order to write; not needed if the input is a .pdb"},
     {"first", "N", "0", "first frame, counted from 0"},
     {"last", "N", "-1", "last frame; -1: the last of the file"},
     {"stride", "N", "1", "take every N-th frame"}},
    {"arbg convert --input run/positions.npy --pdb run/topology.pdb --output run.dcd",
     "arbg convert --input run.dcd --pdb ala2.pdb --output few.pdb --first 100 --stride 50"},
    {"seed", "threads", "backend"}};

// Frames first, first + stride, ... up to last.
std::vector<double> selected(const std::vector<double>& positions_nm, std::int64_t frame_size,
                             const Arguments& arguments) {
  const std::int64_t frames = static_cast<std::int64_t>(positions_nm.size()) / frame_size;
  const std::int64_t first = arguments.integer("first", 0), stride = arguments.integer("stride", 1);
  std::int64_t last = arguments.integer("last", -1);
  if (last < 0) last = frames - 1;
  require(first <= last && last < frames, "expected frames between 0 and ", frames - 1,
          ", found --first ", first, " and --last ", last);
  std::vector<double> out;
  for (std::int64_t f = first; f <= last; f += std::min(stride, frames)) {
    out.insert(out.end(), positions_nm.begin() + f * frame_size,
               positions_nm.begin() + (f + 1) * frame_size);
  }
  return out;
}

// For the lengths of its bonds, which all force fields nearly share.
md::System any_system(const md::Topology& topology) {
  return md::ForceField::named("amber14-obc1").create_system(topology);
}

void write_positions(const std::filesystem::path& path, const md::Topology& topology,
                     const std::vector<double>& positions_nm) {
  if (path.extension() == ".dcd") return md::write_dcd(path, topology.atom_count(), positions_nm);
  if (md::is_pdb_path(path)) return md::write_pdb(path, topology, positions_nm);
  const std::vector<float> rounded(positions_nm.begin(), positions_nm.end());
  const std::int64_t atoms = topology.atom_count();
  const std::int64_t shape[] = {static_cast<std::int64_t>(positions_nm.size()) / (3 * atoms), atoms,
                                3};
  write_npy(path, shape, std::span<const float>(rounded));
}

}  // namespace

int convert_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::filesystem::path input = arguments.required("input"),
                              output = arguments.required("output");
  const auto ending = output.extension();
  require(ending == ".npy" || ending == ".dcd" || md::is_pdb_path(output), output.string(),
          ": expected a file that ends in .npy, .dcd or .pdb (.ent)");
  const bool from_pdb = md::is_pdb_path(input);
  require(!from_pdb || !arguments.given("pdb"), "--pdb is not needed where the input is a .pdb");
  require_writable(output, {input, arguments.text("pdb")});
  md::Pdb pdb = load_pdb(from_pdb ? input.string() : arguments.required("pdb"));
  if (from_pdb)
    require_conformations(pdb.positions_nm, pdb.topology.atom_count(), input);
  else
    pdb.positions_nm = load_trajectory(input, pdb.topology, any_system(pdb.topology));
  const std::int64_t frame_size = 3 * pdb.topology.atom_count();
  const auto positions_nm = selected(pdb.positions_nm, frame_size, arguments);
  write_positions(output, pdb.topology, positions_nm);

  const std::int64_t frames = static_cast<std::int64_t>(positions_nm.size()) / frame_size;
  if (common.json) {
    Json out = Json::object();
    out["output"] = output.string();
    out["frames"] = frames;
    out["atoms"] = pdb.topology.atom_count();
    std::puts(out.dump().c_str());
    return 0;
  }
  std::printf("%lld frames of %d atoms, written to %s\n", static_cast<long long>(frames),
              pdb.topology.atom_count(), output.c_str());
  return 0;
}

}  // namespace arbg::apps
