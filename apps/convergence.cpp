#include "apps/convergence.h"

#include <algorithm>

#include "md/files/pdb.h"
#include "md/molecule/structure_check.h"
#include "md/molecule/torsion_atoms.h"
#include "metrics/autocorrelation.h"
#include "metrics/torsions.h"
#include "metrics/wasserstein.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostFrames = 20000;
constexpr std::size_t kFloorPoints = 2000;  // a side

struct Torsion {
  std::string name;
  metrics::Quadruple atoms;
};

// phi and psi first, in chain order each, then omega, then chi1.
std::vector<Torsion> torsions_of(const md::Topology& topology) {
  std::vector<Torsion> out;
  const auto add = [&](const char* kind, const metrics::Quadruple& atoms, int of) {
    const md::Residue& residue = topology.residues[static_cast<std::size_t>(
        topology.atoms[static_cast<std::size_t>(of)].residue)];
    out.push_back({std::string(kind) + " " + residue.label(), atoms});
  };
  const auto backbone = md::backbone_torsions(topology);
  for (const auto& q : backbone.phi) add("phi", q, q[1]);
  for (const auto& q : backbone.psi) add("psi", q, q[1]);
  for (const auto& q : backbone.omega) add("omega", q, q[0]);
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const int n = topology.find(r, "N"), ca = topology.find(r, "CA"), cb = topology.find(r, "CB");
    if (n < 0 || ca < 0 || cb < 0) continue;
    for (const char* gamma : {"CG", "CG1", "OG", "OG1", "SG"}) {
      const int g = topology.find(r, gamma);
      if (g >= 0) add("chi1", {n, ca, cb, g}, ca);
    }
  }
  return out;
}

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

// Points [2n, D] of the floor: phi and psi, evenly spaced from both halves of the series.
void add_floor(Convergence& out, std::size_t width) {
  const std::size_t half = out.frames / 2, points = std::min(half, kFloorPoints);
  if (points < 2 || width == 0) return;
  std::vector<double> rows;
  for (const std::size_t first : {std::size_t{0}, out.frames - half}) {
    for (std::size_t k = 0; k < points; ++k) {
      for (std::size_t d = 0; d < width; ++d)
        rows.push_back(out.angles[d][first + k * half / points]);
    }
  }
  out.floor_points = points;
  out.torsion_floor_rad = metrics::floor_torus(rows, width).distance;
}

}  // namespace

const TorsionConvergence& Convergence::slowest() const {
  require(!torsions.empty(), "a run without torsions or frames has no slowest torsion");
  return *std::ranges::min_element(torsions, {}, &TorsionConvergence::effective_frames);
}

Convergence assess_convergence(const fs::path& folder) {
  const fs::path run_path = folder / "run.json";
  const Json run = Json::parse(read_file(run_path), run_path.string());
  const Json& settings = run.at("settings");
  const auto topology = md::read_pdb(folder / "topology.pdb").topology;
  const NpyFrames file(folder / "positions.npy");
  const std::int64_t frames = file.frames(), replicas = settings.at("replicas").integer();
  require(run.at("frames").integer() == frames, file.path().string(), ": expected ",
          run.at("frames").integer(), " frames, as run.json says, found ", frames);
  const std::vector<std::int64_t> shape = {frames, topology.atom_count(), 3};
  require(file.shape() == shape, file.path().string(), ": expected positions of shape [", frames,
          ", ", topology.atom_count(), ", 3], found ",
          Json(Json::List(file.shape().begin(), file.shape().end())).dump());
  require(replicas > 0, run_path.string(), ": expected at least one replica, found ", replicas);
  const std::int64_t stride = std::max<std::int64_t>(1, (frames + kMostFrames - 1) / kMostFrames);

  Convergence out;
  if (frames < 2) return out;
  const auto torsions = torsions_of(topology);
  std::vector<metrics::Quadruple> atoms;
  for (const Torsion& torsion : torsions) atoms.push_back(torsion.atoms);
  const auto positions = read_frames(file, replicas, stride, 3 * topology.atoms.size());
  const auto angles = metrics::dihedrals(positions, topology.atoms.size(), atoms);
  out.frames = positions.size() / (3 * topology.atoms.size());
  out.spacing_ps = static_cast<double>(stride * settings.at("save_interval").integer()) *
                   settings.at("timestep_ps").number();
  for (std::size_t t = 0; t < torsions.size(); ++t) {
    std::vector<double>& series = out.angles.emplace_back();
    for (std::size_t f = 0; f < out.frames; ++f) series.push_back(angles[f * torsions.size() + t]);
    const auto tau = metrics::integrated_autocorrelation_angles(series);
    out.torsions.push_back(
        {torsions[t].name, tau.time * out.spacing_ps, tau.effective_frames, tau.reliable});
  }
  const auto backbone = md::backbone_torsions(topology);
  add_floor(out, backbone.phi.size() + backbone.psi.size());
  return out;
}

Json to_json(const Convergence& c) {
  Json out = Json::object();
  out["frames_used"] = static_cast<std::int64_t>(c.frames);
  out["spacing_ps"] = c.spacing_ps;
  out["torsions"] = Json::list();
  for (const TorsionConvergence& torsion : c.torsions) {
    Json entry = Json::object();
    entry["name"] = torsion.name;
    entry["autocorrelation_time_ps"] = torsion.time_ps;
    entry["effective_frames"] = torsion.effective_frames;
    entry["reliable"] = torsion.reliable;
    out["torsions"].push_back(std::move(entry));
  }
  if (c.floor_points > 0) {
    out["torsion_w2_floor_rad"] = c.torsion_floor_rad;
    out["torsion_w2_points"] = static_cast<std::int64_t>(c.floor_points);
  }
  return out;
}

}  // namespace arbg::apps
