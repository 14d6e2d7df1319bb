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

constexpr std::size_t kCells = 60;  // of either angle

std::vector<std::size_t> cells_of(const Angles& angles) {
  return metrics::ramachandran_cells(angles.phi, angles.psi, kCells);
}

std::vector<std::size_t> pick_cells(const std::vector<std::size_t>& all, const Side& side) {
  std::vector<std::size_t> out;
  for (const auto row : side.rows) out.push_back(all[static_cast<std::size_t>(row)]);
  return out;
}

MeasuredThree total_variation(const ResidueAngles& residue, const Points& at) {
  const auto s = cells_of(residue.samples), r = cells_of(residue.reference);
  const auto measure = [&](const std::vector<std::size_t>& a, const Side& side_a,
                           const std::vector<std::size_t>& b, const Side& side_b) {
    return measured_cells(pick_cells(a, side_a), pick_cells(b, side_b), kCells * kCells, 1,
                          metrics::variation_potentials);
  };
  return {measure(s, at.weighted, r, at.reference), measure(s, at.raw, r, at.reference_of_raw),
          measure(r, at.left, r, at.right)};
}

void add(const std::vector<double>& values, double factor, std::vector<double>& to) {
  to.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) to[i] += factor * values[i];
}

// Potentials of a mean are the means of potentials.
void add(const Measured& one, double factor, Measured& to) {
  to.distance += factor * one.distance;
  add(one.of_rows.a, factor, to.of_rows.a);
  add(one.of_rows.b, factor, to.of_rows.b);
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
                                            Distance& mean_variation) {
  auto out = angles_of_residues(reference.topology, sample_torsions, reference_torsions);
  const Parts parts = parts_of(samples),
              replicas = replicas_of(reference.frames(), reference.replicas);
  MeasuredThree mean;
  for (ResidueAngles& residue : out) {
    const auto one = total_variation(residue, at);
    residue.total_variation = with_intervals(one, at);
    const double factor = 1 / static_cast<double>(out.size());
    add(one.weighted, factor, mean.weighted);
    add(one.raw, factor, mean.raw);
    add(one.floor, factor, mean.floor);
    compare_basins(residue, weight, parts, replicas, at.seed);
  }
  if (!out.empty()) mean_variation = with_intervals(mean, at);
  return out;
}

}  // namespace arbg::sampling
