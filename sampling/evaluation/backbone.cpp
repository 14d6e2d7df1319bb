#include "sampling/evaluation/backbone.h"

#include <algorithm>

#include "md/molecule/torsion_atoms.h"
#include "metrics/conformations/torsions.h"
#include "sampling/evaluation/basins.h"

namespace arbg::sampling {
namespace {

// Columns of torsions [B, width].
Angles columns(std::span<const double> torsions, std::size_t width, std::size_t phi,
               std::size_t psi) {
  Angles out;
  for (std::size_t row = 0; row < torsions.size(); row += width) {
    out.phi.push_back(torsions[row + phi]);
    out.psi.push_back(torsions[row + psi]);
  }
  return out;
}

// Of every residue with both; torsions as torsions_of() gives them.
std::vector<ResidueAngles> angles_of_residues(const md::Topology& topology,
                                              std::span<const double> samples,
                                              std::span<const double> reference) {
  const auto atoms = md::backbone_torsions(topology);
  const std::size_t width = atoms.phi.size() + atoms.psi.size();
  std::vector<ResidueAngles> out;
  for (std::size_t phi = 0; phi < atoms.phi.size(); ++phi) {
    const int nitrogen = atoms.phi[phi][1];
    const auto same =
        std::ranges::find(atoms.psi, nitrogen, [](const auto& psi) { return psi[0]; });
    if (same == atoms.psi.end()) continue;
    const auto psi = atoms.phi.size() + static_cast<std::size_t>(same - atoms.psi.begin());
    const int residue = topology.atoms[static_cast<std::size_t>(nitrogen)].residue;
    ResidueAngles& one = out.emplace_back();
    one.residue = topology.residues[static_cast<std::size_t>(residue)].label();
    one.samples = columns(samples, width, phi, psi);
    one.reference = columns(reference, width, phi, psi);
  }
  return out;
}

// [B, 2], phi and psi.
std::vector<double> pairs_of(const Angles& angles) {
  std::vector<double> out;
  for (std::size_t i = 0; i < angles.phi.size(); ++i) {
    out.push_back(angles.phi[i]);
    out.push_back(angles.psi[i]);
  }
  return out;
}

Distance total_variation(const ResidueAngles& residue, const Points& at) {
  const auto map = [](const std::vector<double>& pairs) {
    const Angles angles = columns(pairs, 2, 0, 1);
    return metrics::ramachandran(angles.phi, angles.psi, {});
  };
  return distances(pairs_of(residue.samples), pairs_of(residue.reference), 2, at,
                   [&](const std::vector<double>& a, const std::vector<double>& b) {
                     return metrics::total_variation(map(a), map(b));
                   });
}

}  // namespace

std::vector<double> torsions_of(const md::Topology& topology, std::span<const double> positions_nm,
                                std::size_t& width) {
  const auto torsions = md::backbone_torsions(topology);
  auto atoms = torsions.phi;
  atoms.insert(atoms.end(), torsions.psi.begin(), torsions.psi.end());
  width = atoms.size();
  return metrics::dihedrals(positions_nm, topology.atoms.size(), atoms);
}

std::vector<ResidueAngles> compare_residues(const WeightedEnsemble& samples,
                                            const ReferenceEnsemble& reference,
                                            std::span<const double> sample_torsions,
                                            std::span<const double> reference_torsions,
                                            std::span<const double> weight, const Points& at,
                                            std::uint64_t seed) {
  auto out = angles_of_residues(reference.topology, sample_torsions, reference_torsions);
  const Parts parts = parts_of(samples),
              replicas = replicas_of(reference.frames(), reference.replicas);
  for (ResidueAngles& residue : out) {
    residue.total_variation = total_variation(residue, at);
    compare_basins(residue, weight, parts, replicas, seed);
  }
  return out;
}

}  // namespace arbg::sampling
