// Placement energies of coordinates that are on a device, by md/placement/placement_device.h.
#include <algorithm>
#include <array>
#include <utility>

#include "md/placement/placement_device.h"
#include "sampling/proposals/atom_placement.h"
#include "tensor/device/device.h"

namespace arbg::sampling {
namespace {

using nn::Backend, nn::PlacementRows, nn::Tensor, tensor::DType;

constexpr Backend kBackend = Backend::cuda;

template <class T>
md::OnDevice<T> numbers(Tensor& x) {
  return {x.device_data<T>(), x.elements()};
}
template <class T>
md::OnDevice<const T> numbers(const Tensor& x) {
  return {x.device_data<T>(), x.elements()};
}

// z [B, K].
md::DeviceCoordinates coordinates_of(const Tensor& z) {
  return {numbers<double>(z), z.extent(1), 1};
}

Tensor on_device_in_double(const Tensor& z) {
  if (z.backend() == kBackend) return z;
  Tensor there = Tensor::empty(z.shape(), DType::f64, kBackend);
  there.copy_from(z);
  return there;
}

// Which positions have curves, and in which slot.
struct Slots {
  Tensor coordinates, slot;
  std::int64_t last = 0;  // of the coordinates

  Slots(const nn::Placement& placement, std::int64_t first, std::int64_t n) {
    std::vector<std::int32_t> with_curve, slots;
    for (auto j = first; j < first + n; ++j) {
      const bool has = placement.has_curve(j);
      slots.push_back(has ? static_cast<std::int32_t>(std::ssize(with_curve)) : -1);
      if (has) with_curve.push_back(static_cast<std::int32_t>(j));
    }
    if (with_curve.empty()) return;
    last = with_curve.back();
    coordinates = Tensor::from_indices(with_curve, {std::ssize(with_curve)}, kBackend);
    slot = Tensor::from_indices(slots, {n}, kBackend);
  }
};

}  // namespace

struct AtomPlacement::OnDevice {
  md::DevicePlacement energies;
  Slots all;
  std::int64_t atoms, bins, features;

  // Of S coordinates of B rows, for n positions.
  PlacementRows told(const Tensor& z, const Tensor& positions_nm, const Tensor& coordinates,
                     const Tensor& slot, std::int64_t first, std::int64_t n) const {
    const auto B = z.extent(0), S = coordinates.elements();
    PlacementRows out;
    out.told = true;
    out.slot = slot;
    out.energies = Tensor::empty({B, S, md::kPlacementComponents, bins}, DType::f32, kBackend);
    md::DeviceCurves curves;
    curves.u = numbers<float>(out.energies);
    curves.first = first;
    curves.n = n;
    if (features > 0) {
      out.features = Tensor::zeros({B, n, features}, DType::f32, kBackend);
      curves.means = numbers<float>(out.features);
    }
    energies.curves(coordinates_of(z), numbers<double>(positions_nm),
                    numbers<std::int32_t>(coordinates), curves);
    return out;
  }
};

bool AtomPlacement::works_on(Backend backend) const { return !tensor::Device{backend}.is_host(); }

const AtomPlacement::OnDevice& AtomPlacement::on_device() const {
  std::call_once(made_, [&] {
    on_device_ = std::make_shared<const OnDevice>(
        OnDevice{{placement_, *map_, closures_, moments_.functions()},
                 {*this, 0, map_->size()},
                 map_->atom_count(),
                 bins_,
                 moments_.features()});
  });
  return *on_device_;
}

PlacementRows AtomPlacement::rows_on_device(const Tensor& z, std::int64_t first,
                                            std::int64_t n) const {
  const OnDevice& there = on_device();
  const bool all = first == 0 && n == map_->size();
  const Slots& slots = all ? there.all : Slots(*this, first, n);
  PlacementRows out;
  out.told = true;
  if (!slots.slot.defined()) return out;
  const Tensor here = on_device_in_double(z);
  Tensor positions_nm = Tensor::empty({z.extent(0), 3 * there.atoms}, DType::f64, kBackend);
  there.energies.place_atoms(coordinates_of(here), slots.last / 3 * 3,
                             numbers<double>(positions_nm));
  return there.told(here, positions_nm, slots.coordinates, slots.slot, first, n);
}

class AtomPlacement::Growing final : public nn::GrowingPlacement {
 public:
  Growing(std::shared_ptr<const OnDevice> there, const Tensor& z, std::int64_t n)
      : there_(std::move(there)),
        z_(on_device_in_double(z)),
        positions_nm_(Tensor::zeros({z.extent(0), 3 * there_->atoms}, DType::f64, kBackend)),
        slot_(Tensor::from_indices(std::array{0}, {1}, kBackend)) {
    if (n >= 3)
      there_->energies.place_atoms(coordinates_of(z_), n / 3 * 3, numbers<double>(positions_nm_));
  }

  PlacementRows next(const Tensor& place) override {
    return there_->told(z_, positions_nm_, place, slot_, 0, 1);
  }

  void add(const Tensor& bins, const Tensor& slope, const Tensor& place, const Random& random,
           const tensor::DrawWords& words) override {
    md::OnDevice<const double> slopes;
    if (slope.defined()) slopes = numbers<double>(slope);
    there_->energies.add({numbers<std::int32_t>(bins), numbers<std::int32_t>(place), random,
                          words.first, words.step, words.stride, slopes},
                         numbers<double>(z_), numbers<double>(positions_nm_));
  }

 private:
  std::shared_ptr<const OnDevice> there_;
  Tensor z_, positions_nm_, slot_;
};

std::unique_ptr<nn::GrowingPlacement> AtomPlacement::grow(const Tensor& z, std::int64_t n,
                                                          Backend backend) const {
  if (!works_on(backend)) return nn::Placement::grow(z, n, backend);
  on_device();
  return std::make_unique<Growing>(on_device_, z, n);
}

}  // namespace arbg::sampling
