#include "md/placement/placement_lanes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "md/placement/placement.h"
#include "md/placement/placement_lane_terms.h"

namespace arbg::md {
namespace {

// Pairs that stay this far apart, in nm^2, are smooth in phi, if they do not cross the cutoff.
constexpr float kFar2 = 0.4f * 0.4f;

bool is_smooth(const Wave& d2, float cutoff2) {
  const float swing = std::hypot(d2.cosine, d2.sine);
  const float nearest2 = d2.constant - swing, farthest2 = d2.constant + swing;
  return nearest2 > kFar2 && (cutoff2 == 0 || farthest2 < cutoff2 || nearest2 > cutoff2);
}

// Each pair goes to the later of its two atoms; there it names the earlier.
void deal_out_pairs(const LanePairs<float>& list, const PlacementTerms& all,
                    std::vector<LanePlacementRow>& rows) {
  const auto place = all.places();
  for (const PairRun& run : list.runs) {
    for (std::size_t p = run.begin; p < run.end; ++p) {
      const auto i = static_cast<std::size_t>(run.i), j = static_cast<std::size_t>(list.pairs[p].j);
      LanePlacementRow::Pair pair{.pair = list.pairs[p]};
      pair.pair.j = place[i] < place[j] ? run.i : list.pairs[p].j;
      if (!all.born_radii_nm.empty()) {
        const double radii = all.born_radii_nm[i] * all.born_radii_nm[j];
        pair.radii = static_cast<float>(radii);
        pair.inverse_four_radii = static_cast<float>(1 / (4 * radii));
      }
      LanePlacementRow& row = rows[std::max(place[i], place[j])];
      (pair.pair.range2 > 0 ? row.pairs : row.excluded).push_back(pair);
    }
  }
}

// What all pairs of a molecule have in common.
struct Solvent {
  float cutoff2, shift;
};

// Sums of pairs, kJ/mol.
struct PairSum {
  Lanes<float> sizes, charges;
};

// f as in terms/generalised_born_cpu.h.
template <bool kCutoff>
inline void add_solvent(const LanePlacementRow::Pair& p, const Lanes<float>& r2,
                        const Solvent& solvent, PairSum& sum) {
  const Lanes<float> gauss = exp_of_negative(p.inverse_four_radii * r2);
  const Lanes<float> energy = p.pair.born * inverse_sqrt_lanes(r2 + p.radii * gauss);
  if constexpr (kCutoff) {
    sum.charges +=
        select(r2 > solvent.cutoff2, Lanes<float>{}, energy - p.pair.born * solvent.shift);
  } else {
    sum.charges += energy;
  }
}

// sigma, epsilon and charges as in terms/nonbonded_cpu.h.
template <bool kCutoff>
inline void add_plain(const LanePair<float>& pair, const Lanes<float>& r2, PairSum& sum) {
  const Lanes<float> inverse_r = inverse_sqrt_lanes(r2);
  const Lanes<float> s2 = pair.sigma2 * (inverse_r * inverse_r), s6 = s2 * s2 * s2;
  const Lanes<float> attraction = pair.four_epsilon * s6;
  Lanes<float> of_sizes = attraction * s6 - attraction, of_charges = pair.coulomb * inverse_r;
  if constexpr (kCutoff) {
    const LaneMask<float> outside = r2 > pair.range2;
    of_sizes = select(outside, Lanes<float>{}, of_sizes);
    of_charges = select(outside, Lanes<float>{}, of_charges - pair.coulomb * pair.shift);
  }
  sum.sizes += of_sizes;
  sum.charges += of_charges;
}

struct PairOnCircle {
  const LanePlacementRow::Pair* pair;
  Wave distance2;  // nm^2

  Lanes<float> r2(const Lanes<float>& cos_phi, const Lanes<float>& sin_phi) const {
    constexpr auto kNearest2 = static_cast<float>(kPlacementNearest * kPlacementNearest);
    const Lanes<float> d2 = distance2.at(cos_phi, sin_phi);
    return select(d2 < kNearest2, broadcast(kNearest2), d2);
  }
};

struct PairLists {
  std::vector<PairOnCircle> pairs, excluded;
};

// Lennard-Jones and electrostatic energies at many angles: whole blocks of them, in kJ/mol.
template <std::size_t kVectors, bool kCutoff, bool kBorn>
void sum_pairs(const PairLists& lists, const PlacementAngles& angles, const Solvent& solvent,
               float* lennard_jones, float* electrostatic) {
  for (std::size_t first = 0; first < angles.cosine.size(); first += kVectors * kPlacementLanes) {
    Lanes<float> cosine[kVectors], sine[kVectors];
    PairSum sum[kVectors] = {};
    for (std::size_t k = 0; k < kVectors; ++k) {
      cosine[k] = load_lanes(&angles.cosine[first + k * kPlacementLanes]);
      sine[k] = load_lanes(&angles.sine[first + k * kPlacementLanes]);
    }
    for (const PairOnCircle& p : lists.pairs) {
      for (std::size_t k = 0; k < kVectors; ++k) {
        const Lanes<float> r2 = p.r2(cosine[k], sine[k]);
        add_plain<kCutoff>(p.pair->pair, r2, sum[k]);
        if constexpr (kBorn) add_solvent<kCutoff>(*p.pair, r2, solvent, sum[k]);
      }
    }
    if constexpr (kBorn) {
      for (const PairOnCircle& p : lists.excluded)
        for (std::size_t k = 0; k < kVectors; ++k)
          add_solvent<kCutoff>(*p.pair, p.r2(cosine[k], sine[k]), solvent, sum[k]);
    }
    for (std::size_t k = 0; k < kVectors; ++k) {
      store_lanes(lennard_jones + first + k * kPlacementLanes, sum[k].sizes);
      store_lanes(electrostatic + first + k * kPlacementLanes, sum[k].charges);
    }
  }
}

// Lane i takes lane i / kStep.
template <std::size_t... I>
inline Lanes<float> each_repeated(const Lanes<float>& x, std::index_sequence<I...>) {
  return __builtin_shufflevector(x, x, (static_cast<int>(I / kStep))...);
}

// Lane i: for the middle of bin i % kStep in its group.
std::array<Lanes<float>, kPoints> weights_in_lanes() {
  std::array<Lanes<float>, kPoints> weights;
  for (std::size_t lane = 0; lane < kPlacementLanes; ++lane) {
    const auto own = interpolation_weights(
        place_in_group(static_cast<std::int64_t>(lane % kStep), static_cast<std::int64_t>(kStep)));
    for (std::size_t k = 0; k < kPoints; ++k) weights[k][lane] = static_cast<float>(own[k]);
  }
  return weights;
}

// Adds to fine [bins] what Lagrange's polynomial through the five nearest coarse values gives
// there.
void add_interpolated(const float* coarse, std::size_t bins, float* fine) {
  static const auto weight = weights_in_lanes();
  for (std::size_t first = 0; first < bins; first += kPlacementLanes) {
    Lanes<float> sum = load_lanes(fine + first);
    for (std::size_t k = 0; k < kPoints; ++k)
      sum += weight[k] * each_repeated(load_lanes(coarse + first / kStep + k),
                                       std::make_index_sequence<kPlacementLanes>());
    store_lanes(fine + first, sum);
  }
}

}  // namespace

// Of one curve. A thread keeps its own from call to call: no number of an earlier one is read.
struct LanePlacement::Workspace {
  PairLists near, far;               // evaluated at every bin, and at coarse angles
  std::vector<Wave> siblings;        // cosines of the angles to them
  std::vector<LaneVector<float>> x;  // [N] from the centre of the circle, where others need it
  std::vector<float> energy;         // [3, bins and more], kJ/mol
  std::vector<float> coarse;         // [2, coarse angles], of far pairs

  void look_at_pairs(const LanePlacementRow& row, const DihedralCircle& circle,
                     std::span<const double> positions_nm, float cutoff2);
  void add_bonded(const LanePlacementRow& row, const DihedralCircle& circle,
                  std::span<const int> placed, std::span<const double> positions_nm, double r,
                  double theta);
};

void LanePlacement::Workspace::look_at_pairs(const LanePlacementRow& row,
                                             const DihedralCircle& circle,
                                             std::span<const double> positions_nm, float cutoff2) {
  const double rho = circle.radius;
  const bool has_coarse = !row.coarse.cosine.empty();
  const auto placed = [&](const LanePlacementRow::Pair& pair) {
    const Vector3 d = at(positions_nm, pair.pair.j) - circle.centre;
    return PairOnCircle{&pair,
                        {static_cast<float>(dot(d, d) + rho * rho),
                         static_cast<float>(-2 * rho * dot(d, circle.side)),
                         static_cast<float>(-2 * rho * dot(d, circle.normal))}};
  };
  for (PairLists* lists : {&near, &far}) lists->pairs.clear(), lists->excluded.clear();
  for (const LanePlacementRow::Pair& pair : row.pairs) {
    const PairOnCircle p = placed(pair);
    (has_coarse && is_smooth(p.distance2, cutoff2) ? far : near).pairs.push_back(p);
  }
  // The solvent is smooth at any distance.
  for (const LanePlacementRow::Pair& pair : row.excluded)
    (has_coarse ? far : near).excluded.push_back(placed(pair));
}

void LanePlacement::Workspace::add_bonded(const LanePlacementRow& row, const DihedralCircle& circle,
                                          std::span<const int> placed,
                                          std::span<const double> positions_nm, double r,
                                          double theta) {
  const Vector3 parent = at(positions_nm, row.tree.parent);
  siblings.clear();
  for (const auto& s : row.siblings)
    siblings.push_back(Direction(circle, at(positions_nm, s.atom) - parent)
                           .cosine_to(std::cos(theta), std::sin(theta)));
  const auto side = same_in_all_lanes(circle.radius * circle.side),
             normal = same_in_all_lanes(circle.radius * circle.normal);
  if (row.has_others) {
    x.resize(positions_nm.size() / 3);
    for (const int atom : placed)
      x[static_cast<std::size_t>(atom)] = same_in_all_lanes(at(positions_nm, atom) - circle.centre);
  }
  const auto constant = static_cast<float>(constant_energy(row, r, theta));
  const LaneSeries series(row, circle, positions_nm);
  for (std::size_t first = 0; first < row.bins.cosine.size(); first += kPlacementLanes) {
    const Lanes<float> cos_phi = load_lanes(&row.bins.cosine[first]),
                       sin_phi = load_lanes(&row.bins.sine[first]);
    Lanes<float> sum = constant + series.at(cos_phi, sin_phi);
    for (std::size_t k = 0; k < siblings.size(); ++k)
      sum += sibling_energy(row.siblings[k], siblings[k].at(cos_phi, sin_phi));
    if (row.has_others) {
      x[static_cast<std::size_t>(row.tree.atom)] = scaled(cos_phi, side) + scaled(sin_phi, normal);
      sum += energy_of_others(row, x.data());
    }
    store_lanes(&energy[first], sum);
  }
}

LanePlacement::LanePlacement(const PlacementTerms& all)
    : bins_(static_cast<std::size_t>(all.bins)),
      inverse_thermal_energy_(static_cast<float>(1 / all.thermal_energy_kj_mol)),
      has_cutoff_(all.system.cutoff_nm > 0),
      has_born_(!all.born_radii_nm.empty()) {
  for (const PlacementRow& plain : all.rows) {
    order_.push_back(plain.tree.atom);
    rows_.push_back(lane_placement_row(plain, bins_));
  }
  System system = all.system;
  if (!has_born_) system.born_atoms.clear();
  const LanePairs<float> list = lane_pairs<float>(system);
  born_cutoff2_ = list.cutoff2;
  born_shift_ = list.born_shift;
  deal_out_pairs(list, all, rows_);
}

template <bool kCutoff, bool kBorn>
void LanePlacement::add_pairs(const LanePlacementRow& row, Workspace& work) const {
  const std::size_t bins = row.bins.cosine.size(), coarse = row.coarse.cosine.size();
  const Solvent solvent{born_cutoff2_, born_shift_};
  float *of_sizes = &work.energy[bins], *of_charges = of_sizes + bins;
  sum_pairs<kBinVectors, kCutoff, kBorn>(work.near, row.bins, solvent, of_sizes, of_charges);
  if (coarse == 0) return;
  work.coarse.resize(2 * coarse + kPlacementLanes);  // interpolation reads whole vectors
  float *coarse_sizes = work.coarse.data(), *coarse_charges = coarse_sizes + coarse;
  sum_pairs<kCoarseVectors, kCutoff, kBorn>(work.far, row.coarse, solvent, coarse_sizes,
                                            coarse_charges);
  add_interpolated(coarse_sizes, bins_, of_sizes);
  add_interpolated(coarse_charges, bins_, of_charges);
}

void LanePlacement::dihedral_curve(std::size_t m, std::span<const double> positions_nm, double r,
                                   double theta, std::span<float> u) const {
  thread_local Workspace work;
  const LanePlacementRow& row = rows_[m];
  const DihedralCircle circle = dihedral_circle(row.tree, positions_nm, r, theta);
  const std::size_t bins = row.bins.cosine.size();
  work.energy.resize(kPlacementComponents * bins);
  work.add_bonded(row, circle, std::span(order_).first(m), positions_nm, r, theta);
  work.look_at_pairs(row, circle, positions_nm, born_cutoff2_);
  if (has_cutoff_ && has_born_) add_pairs<true, true>(row, work);
  if (has_cutoff_ && !has_born_) add_pairs<true, false>(row, work);
  if (!has_cutoff_ && has_born_) add_pairs<false, true>(row, work);
  if (!has_cutoff_ && !has_born_) add_pairs<false, false>(row, work);
  for (std::size_t c = 0; c < kPlacementComponents; ++c)
    for (std::size_t v = 0; v < bins_; ++v)
      u[c * bins_ + v] = inverse_thermal_energy_ * work.energy[c * bins + v];
}

}  // namespace arbg::md
