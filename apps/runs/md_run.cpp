#include "apps/runs/md_run.h"

#include <algorithm>

#include "md/dynamics/simulation_file.h"
#include "md/files/pdb.h"
#include "md/molecule/structure_check.h"
#include "tensor/base/error.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;

// Every stride-th frame of each replica, replica by replica, [frames, N, 3] in nm: the file may be
// larger than memory.
std::vector<double> read_frames(const NpyFrames& file, std::int64_t replicas, std::int64_t stride,
                                std::size_t numbers_a_frame) {
  std::vector<double> frame(numbers_a_frame), out;
  for (std::int64_t replica = 0; replica < replicas; ++replica) {
    for (std::int64_t f = replica; f < file.frames(); f += stride * replicas) {
      file.read(f, frame);
      const auto fault = md::conformation_fault(frame);
      require(fault.empty(), file.path().string(), ": frame ", f, " ", fault);
      out.insert(out.end(), frame.begin(), frame.end());
    }
  }
  return out;
}

}  // namespace

sampling::Convergence convergence_of_run(const fs::path& folder) {
  const auto run = md::read_simulation_file(folder);
  const auto topology = md::read_pdb(folder / "topology.pdb").topology;
  const NpyFrames file(folder / "positions.npy");
  const std::int64_t frames = file.frames(), replicas = run.options.replicas;
  require(run.frames == frames, file.path().string(), ": expected ", run.frames,
          " frames, as run.json says, found ", frames);
  const std::vector<std::int64_t> shape = {frames, topology.atom_count(), 3};
  require(file.shape() == shape, file.path().string(), ": expected positions of shape [", frames,
          ", ", topology.atom_count(), ", 3], found ",
          Json(Json::List(file.shape().begin(), file.shape().end())).dump());
  if (frames < 2) return {};
  const std::int64_t stride = sampling::saves_apart(frames);
  const double spacing_ps =
      static_cast<double>(stride * run.options.save_interval) * run.options.timestep_ps;
  return sampling::assess_convergence(
      topology, read_frames(file, replicas, stride, 3 * topology.atoms.size()), replicas,
      spacing_ps);
}

}  // namespace arbg::apps
