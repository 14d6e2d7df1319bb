// The curve of the angle before a phase: sums over phases, at a few angles, interpolated.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "md/placement/placement.h"
#include "md/placement/placement_lane_terms.h"

namespace arbg::md {
namespace {

constexpr std::size_t kVectors = kPlacementPhases / kPlacementLanes;

// What the angles of one curve have in common. The atom is at
//   parent + r (-cos(theta) axis + sin(theta) (cos(phi) side + sin(phi) normal))
struct Phases {
  const LanePlacementRow& row;
  std::vector<Direction> siblings;
  std::vector<LaneVector<float>> x;  // [N] from the parent, where others need it
  LaneVector<float> axis{}, side{}, normal{};
  Lanes<float> cos_phi[kVectors], sin_phi[kVectors], of_axis[kVectors];

  Phases(const LanePlacementRow& own, std::span<const int> placed,
         std::span<const double> positions_nm, double r);

  // Energy over the phases, kJ/mol.
  void evaluate(const LanePlacementRow::GridAngle& theta, Lanes<float>* energy);
};

Phases::Phases(const LanePlacementRow& own, std::span<const int> placed,
               std::span<const double> positions_nm, double r)
    : row(own) {
  const DihedralCircle across = dihedral_circle(row.tree, positions_nm, r, std::numbers::pi / 2);
  const Vector3 parent = at(positions_nm, row.tree.parent);
  for (const auto& sibling : row.siblings)
    siblings.emplace_back(across, at(positions_nm, sibling.atom) - parent);
  const LaneSeries series(row, across, positions_nm);
  for (std::size_t k = 0; k < kVectors; ++k) {
    cos_phi[k] = load_lanes(&row.phases.cosine[k * kPlacementLanes]);
    sin_phi[k] = load_lanes(&row.phases.sine[k * kPlacementLanes]);
    of_axis[k] = series.at(cos_phi[k], sin_phi[k]);
  }
  if (!row.has_others) return;
  axis = same_in_all_lanes(r * cross(across.side, across.normal));
  side = same_in_all_lanes(r * across.side);
  normal = same_in_all_lanes(r * across.normal);
  x.resize(positions_nm.size() / 3);
  for (const int atom : placed)
    x[static_cast<std::size_t>(atom)] = same_in_all_lanes(at(positions_nm, atom) - parent);
}

void Phases::evaluate(const LanePlacementRow::GridAngle& theta, Lanes<float>* energy) {
  std::copy_n(of_axis, kVectors, energy);
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    const Wave cosine = siblings[i].cosine_to(theta.cosine, theta.sine);
    for (std::size_t k = 0; k < kVectors; ++k)
      energy[k] += sibling_energy(row.siblings[i], cosine.at(cos_phi[k], sin_phi[k]));
  }
  if (!row.has_others) return;
  const auto along = scaled(broadcast(static_cast<float>(-theta.cosine)), axis);
  const auto sine = static_cast<float>(theta.sine);
  for (std::size_t k = 0; k < kVectors; ++k) {
    x[static_cast<std::size_t>(row.tree.atom)] =
        along + scaled(sine * cos_phi[k], side) + scaled(sine * sin_phi[k], normal);
    energy[k] += energy_of_others(row, x.data());
  }
}

// Every bin of a group from the five known values around the group.
void interpolate(std::span<const float> known, std::span<const float> weights, std::span<float> u) {
  const std::size_t whole = weights.size() / kPoints;
  const auto group = static_cast<std::size_t>(bins_in_group(std::ssize(u)));
  for (std::size_t g = 0; g * group < u.size(); ++g) {
    for (std::size_t v = 0; v < group; v += kPlacementLanes) {
      Lanes<float> sum{};
      for (std::size_t k = 0; k < kPoints; ++k)
        sum += known[g + k] * load_lanes(&weights[k * whole + v]);
      std::memcpy(&u[g * group + v], &sum, std::min(kPlacementLanes, group - v) * sizeof(float));
    }
  }
}

}  // namespace

void LanePlacement::angle_curve(std::size_t m, std::span<const double> positions_nm, double r,
                                std::span<float> u) const {
  const LanePlacementRow& row = rows_[m];
  Phases phases(row, std::span(order_).first(m), positions_nm, r);
  std::vector<float> known, sums;
  for (const LanePlacementRow::GridAngle& theta : row.thetas) {
    Lanes<float> reduced[kVectors], least = broadcast(INFINITY), sum{};
    phases.evaluate(theta, reduced);
    for (Lanes<float>& e : reduced) {
      e *= inverse_thermal_energy_;
      least = select(e < least, e, least);
    }
    const float lowest = -max_lanes(-least);
    for (const Lanes<float>& e : reduced) sum += exp_of_negative(e - lowest);
    const auto constant = static_cast<float>(constant_energy(row, r, theta.theta));
    known.push_back(lowest + inverse_thermal_energy_ * constant);
    sums.push_back(sum_lanes(sum));
  }
  const std::size_t angles = known.size(), whole = angles + kPlacementLanes;
  known.resize(whole), sums.resize(whole, 1.0f);
  for (std::size_t i = 0; i < angles; i += kPlacementLanes) {
    const Lanes<float> sum = load_lanes(&sums[i]);
    const Lanes<float> log = select(sum != sum, sum, log_lanes(sum));  // NaN stays NaN
    store_lanes(&known[i], load_lanes(&known[i]) - log);
  }
  std::ranges::fill(u, 0.0f);
  interpolate(known, row.weights, u.first(bins_));
}

}  // namespace arbg::md
