#include <algorithm>
#include <type_traits>
#include <utility>

#include "sampling/proposals/atom_placement.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kComponents = md::kPlacementComponents;

}  // namespace

AtomPlacement::AtomPlacement(const md::System& system, const md::CoordinateMap& map,
                             double temperature_kelvin, std::int64_t bins,
                             std::vector<double> born_radii_nm, const nn::PlacementConfig& config,
                             std::vector<md::RingClosure> closures)
    : map_(md::CoordinateMap::from_json(map.to_json())),
      placement_(system, map, temperature_kelvin, bins, std::move(born_radii_nm)),
      bins_(bins),
      moments_(kComponents, bins, config.features / 2),
      closures_(std::move(closures)) {
  require(config.components == kComponents && config.features % 2 == 0, "the network wants ",
          config.components, " components of placement energies and ", config.features,
          " features; there are ", kComponents, ", and features come in pairs");
}

const md::RingClosure* AtomPlacement::closure_of(std::int64_t position) const {
  const auto found =
      std::ranges::lower_bound(closures_, position, {}, &md::RingClosure::coordinate);
  return found != closures_.end() && found->coordinate == position ? &*found : nullptr;
}

// In double where the network is of the reference backend, otherwise in lanes.
template <class Real>
void AtomPlacement::curve(std::int64_t j, std::span<const double> positions_nm,
                          std::span<const double> z, std::span<Real> u) const {
  const int at = static_cast<int>(j);
  const auto own = z.last(static_cast<std::size_t>(j % 3));
  if (!placement_.has_curve(at))
    std::ranges::fill(u, Real{0});
  else if constexpr (std::is_same_v<Real, double>)
    placement_.reference(at, positions_nm, own, u);
  else
    placement_.lanes(at, positions_nm, own, u);
  if (planted(Defect::curve_bent) && std::is_same_v<Real, float>) u.front() += Real{0.1F};
  if (const auto* closure = closure_of(j)) {
    const auto& axis = map_->coordinates()[static_cast<std::size_t>(j)];
    const double width = (axis.high - axis.low) / static_cast<double>(bins_),
                 slope = closure->slope_at(z);
    for (std::int64_t v = 0; v < bins_; ++v)
      u[static_cast<std::size_t>(v)] += static_cast<Real>(
          closure->energy(axis.low + (static_cast<double>(v) + 0.5) * width, slope));
  }
  md::shift_and_cap(u);
}

template <class Real>
nn::PlacementRows AtomPlacement::rows_of(const nn::Tensor& z, std::int64_t first, std::int64_t n,
                                         nn::Backend backend) const {
  std::vector<std::int32_t> slot;
  std::vector<std::int64_t> with_curve;
  for (auto j = first; j < first + n; ++j) {
    const bool has = has_curve(j);
    slot.push_back(has ? static_cast<std::int32_t>(std::ssize(with_curve)) : -1);
    if (has) with_curve.push_back(j);
  }
  nn::PlacementRows out;
  out.told = true;
  if (with_curve.empty()) return out;
  const auto B = z.extent(0), S = std::ssize(with_curve), F = moments_.features();
  const auto dtype = tensor::real_dtype(backend);
  out.energies = nn::Tensor::empty({B, S, kComponents, bins_}, dtype, backend);
  out.slot = nn::Tensor::from_indices(slot, {n}, backend);
  if (F > 0) out.features = nn::Tensor::zeros({B, n, F}, dtype, backend);
  Real* const energies = out.energies.template host_data<Real>();
  Real* const features = F > 0 ? out.features.template host_data<Real>() : nullptr;
  const std::span z_of_all(z.host_data<double>(), static_cast<std::size_t>(z.elements()));
  // Coordinates of the atoms before the last one that is placed here.
  const auto known = static_cast<std::size_t>(with_curve.back() / 3 * 3);
  parallel_for(B, [&](std::int64_t b) {
    std::vector<double> positions_nm(3 * static_cast<std::size_t>(map_->atom_count()));
    const auto row = z_of_all.subspan(static_cast<std::size_t>(b * z.extent(1)));
    map_->decode(row.first(known), positions_nm);
    for (std::int64_t s = 0; s < S; ++s) {
      const auto j = static_cast<std::size_t>(with_curve[static_cast<std::size_t>(s)]);
      const auto size = static_cast<std::size_t>(kComponents * bins_);
      const std::span u(energies + static_cast<std::size_t>(b * S + s) * size, size);
      curve(static_cast<std::int64_t>(j), positions_nm, row.first(j), u);
      if (planted(Defect::curve_sees_itself)) u[0] += static_cast<Real>(row[j]);
      if (F == 0) continue;
      const auto place = b * n + static_cast<std::int64_t>(j) - first;
      moments_.evaluate(std::span<const Real>(u),
                        std::span(features + place * F, static_cast<std::size_t>(F)));
    }
  });
  return out;
}

nn::PlacementRows AtomPlacement::rows(const nn::Tensor& z, std::int64_t first, std::int64_t n,
                                      nn::Backend backend) const {
  require(z.extent(1) >= first + n - 1, "expected the ", first + n - 1, " coordinates before, got ",
          z.extent(1));
  if (works_on(backend)) return rows_on_device(z, first, n);
  if (backend == nn::Backend::reference) return rows_of<double>(z, first, n, backend);
  return rows_of<float>(z, first, n, backend);
}

}  // namespace arbg::sampling
