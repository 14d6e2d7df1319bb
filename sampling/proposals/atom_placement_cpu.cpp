#include <algorithm>
#include <array>
#include <cstdlib>
#include <type_traits>

#include "sampling/proposals/atom_placement.h"
#include "tensor/base/error.h"
#include "tensor/device/device.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kComponents = md::kPlacementComponents;
constexpr std::int64_t kPreviewBins = 64;
bool previews() { return std::getenv("ARBG_PREVIEW") != nullptr; }

}  // namespace

AtomPlacement::AtomPlacement(const md::System& system, const md::CoordinateMap& map,
                             double temperature_kelvin, std::int64_t bins,
                             std::span<const double> ideal_nm, const nn::PlacementConfig& config)
    : map_(md::CoordinateMap::from_json(map.to_json())),
      placement_(system, map, temperature_kelvin, bins, ideal_nm),
      preview_(system, map, temperature_kelvin, kPreviewBins, ideal_nm),
      bins_(bins),
      moments_(kComponents, bins, config.features / 2),
      preview_moments_(kComponents, kPreviewBins, config.features / 2) {
  require(config.components == kComponents && config.features % 2 == 0,
          "the network wants ", config.components, " components of placement energies and ",
          config.features, " features; there are ", kComponents, ", and features come in pairs");
}

template <>
void AtomPlacement::curve(std::int64_t j, std::span<const double> z,
                          std::span<const double> positions_nm, std::span<double> u) const {
  const auto at = static_cast<std::size_t>(j);
  placement_.reference(static_cast<int>(j), positions_nm, z.subspan(at / 3 * 3, at % 3), u);
  md::shift_and_cap(u);
}

template <>
void AtomPlacement::curve(std::int64_t j, std::span<const double> z,
                          std::span<const double> positions_nm, std::span<float> u) const {
  const auto at = static_cast<std::size_t>(j);
  placement_.lanes(static_cast<int>(j), positions_nm, z.subspan(at / 3 * 3, at % 3), u);
  md::shift_and_cap(u);
}

template <class Real>
nn::PlacementRows AtomPlacement::rows_of(const nn::Tensor& z, std::int64_t first, std::int64_t n,
                                         nn::Backend backend) const {
  std::vector<std::int32_t> slot;
  std::vector<std::int64_t> with_curve;
  for (auto j = first; j < first + n; ++j) {
    const bool has = placement_.has_curve(static_cast<int>(j));
    slot.push_back(has ? static_cast<std::int32_t>(std::ssize(with_curve)) : -1);
    if (has) with_curve.push_back(j);
  }
  nn::PlacementRows out;
  out.told = true;
  std::vector<std::int64_t> previewed;
  if (previews() && moments_.features() > 0)
    for (auto j = first; j < first + n; ++j)
      if (j > 2 && j % 3 != 2) previewed.push_back(j);
  if (with_curve.empty() && previewed.empty()) return out;
  const auto B = z.extent(0), S = std::ssize(with_curve), F = moments_.features();
  const auto size = static_cast<std::size_t>(kComponents * bins_);
  if (S > 0) out.energies = nn::Tensor::empty({B, S, kComponents, bins_}, tensor::real_dtype(backend), backend);
  out.slot = nn::Tensor::from_indices(slot, {n}, backend);
  if (F > 0) out.features = nn::Tensor::zeros({B, n, F}, tensor::real_dtype(backend), backend);
  Real* const u = S > 0 ? out.energies.template host_data<Real>() : nullptr;
  std::vector<Real> coarse(static_cast<std::size_t>(kComponents * kPreviewBins));
  Real* const features = F > 0 ? out.features.template host_data<Real>() : nullptr;
  const double* const all = z.host_data<double>();
  const auto width = static_cast<std::size_t>(z.extent(1));
  // Up to the atom that is placed last.
  const auto last = std::max(with_curve.empty() ? 0 : with_curve.back(), previewed.empty() ? 0 : previewed.back());
  const auto known = static_cast<std::size_t>(last / 3 * 3);
  std::vector<double> positions_nm(3 * static_cast<std::size_t>(map_->atom_count()));
  for (std::int64_t b = 0; b < B; ++b) {
    const std::span row(all + static_cast<std::size_t>(b) * width, width);
    map_->decode(row.first(known), positions_nm);
    for (const auto t : previewed) {
      const auto j = t / 3 * 3 + 2;
      const std::span own(features + (b * n + t - first) * F, static_cast<std::size_t>(F));
      if (t % 3 == 1 && t > first) {
        std::copy_n(own.data() - F, F, own.data());
        continue;
      }
      const auto middle = [&](std::int64_t k) {
        const auto& c = map_->coordinates()[static_cast<std::size_t>(k)];
        return (c.low + c.high) / 2;
      };
      const std::array<double, 2> ideal{middle(j - 2), middle(j - 1)};
      if constexpr (std::is_same_v<Real, float>)
        preview_.lanes(static_cast<int>(j), positions_nm, ideal, coarse);
      else
        preview_.reference(static_cast<int>(j), positions_nm, ideal, coarse);
      md::shift_and_cap(std::span<Real>(coarse));
      preview_moments_.evaluate(std::span<const Real>(coarse), own);
    }
    for (std::int64_t s = 0; s < S; ++s) {
      const auto j = with_curve[static_cast<std::size_t>(s)];
      const std::span own(u + static_cast<std::size_t>(b * S + s) * size, size);
      curve(j, row, positions_nm, own);
      if (F > 0)
        moments_.evaluate(std::span<const Real>(own),
                          std::span(features + (b * n + j - first) * F, static_cast<std::size_t>(F)));
    }
  }
  return out;
}

nn::PlacementRows AtomPlacement::rows(const nn::Tensor& z, std::int64_t first, std::int64_t n,
                                      nn::Backend backend) const {
  require(z.extent(1) >= first + n - 1, "expected the ", first + n - 1,
          " coordinates before, got ", z.extent(1));
  if (backend == nn::Backend::reference) return rows_of<double>(z, first, n, backend);
  auto out = rows_of<float>(z, first, n, nn::Backend::cpu);
  if (tensor::Device{backend}.is_host()) return out;
  for (auto* part : {&out.energies, &out.slot, &out.features})
    if (part->defined()) *part = part->to(backend);
  return out;
}

}  // namespace arbg::sampling
