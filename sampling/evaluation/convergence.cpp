#include "sampling/evaluation/convergence.h"

#include <algorithm>

#include "md/molecule/torsion_atoms.h"
#include "metrics/conformations/torsions.h"
#include "metrics/statistics/autocorrelation.h"
#include "metrics/transport/wasserstein.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

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
  for (const auto& torsion : md::side_chain_torsions(topology))
    if (torsion.number == 1) add("chi1", torsion.atoms, torsion.atoms[1]);
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

// phi and psi of all frames, the replicas of a save side by side.
Agreement agreement_of_series(const Convergence& c, std::size_t width, std::size_t replicas) {
  const std::size_t saves = c.frames / replicas;
  std::vector<double> rows;
  for (std::size_t save = 0; save < saves; ++save) {
    for (std::size_t replica = 0; replica < replicas; ++replica) {
      for (std::size_t d = 0; d < width; ++d) rows.push_back(c.angles[d][replica * saves + save]);
    }
  }
  return agreement_of(rows, width, static_cast<std::int64_t>(replicas));
}

}  // namespace

const TorsionConvergence& Convergence::slowest() const {
  require(!torsions.empty(), "a run without torsions or frames has no slowest torsion");
  return *std::ranges::min_element(torsions, {}, &TorsionConvergence::effective_frames);
}

Convergence assess_convergence(const md::Topology& topology, std::span<const double> positions_nm,
                               std::int64_t replicas, double spacing_ps) {
  Convergence out;
  const std::size_t frames = positions_nm.size() / (3 * topology.atoms.size());
  if (frames < 2) return out;
  out.frames = frames;
  out.spacing_ps = spacing_ps;
  const auto torsions = torsions_of(topology);
  std::vector<metrics::Quadruple> atoms;
  for (const Torsion& torsion : torsions) atoms.push_back(torsion.atoms);
  const auto angles = metrics::dihedrals(positions_nm, topology.atoms.size(), atoms);
  for (std::size_t t = 0; t < torsions.size(); ++t) {
    std::vector<double>& series = out.angles.emplace_back();
    for (std::size_t f = 0; f < out.frames; ++f) series.push_back(angles[f * torsions.size() + t]);
    const auto tau = metrics::integrated_autocorrelation_angles(series);
    out.torsions.push_back(
        {torsions[t].name, tau.time * out.spacing_ps, tau.effective_frames, tau.reliable});
  }
  const auto backbone = md::backbone_torsions(topology);
  const std::size_t width = backbone.phi.size() + backbone.psi.size();
  add_floor(out, width);
  out.agreement = agreement_of_series(out, width, static_cast<std::size_t>(replicas));
  return out;
}

}  // namespace arbg::sampling
