#include "sampling/targets/target.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "md/molecule/restricted_system.h"
#include "md/molecule/units.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::sampling {

Target::Target(const md::Topology& topology, md::System system, double temperature_kelvin,
               Backend backend)
    : energy_(std::move(system), backend),
      temperature_kelvin_(temperature_kelvin),
      centres_(md::stereocentres(topology)) {
  require(temperature_kelvin > 0, "the temperature must be positive, got ", temperature_kelvin,
          " K");
}

bool Target::has_right_hand(std::span<const double> x) const {
  if (planted(Defect::mirrored_accepted)) return true;
  return std::ranges::all_of(centres_,
                             [&](const md::Stereocentre& centre) { return centre.volume(x) > 0; });
}

std::vector<double> Target::reduced_energy(std::span<const double> positions_nm,
                                           std::span<double> gradient) const {
  const auto frame = static_cast<std::size_t>(energy_.system().atom_count()) * 3;
  auto result = energy_.evaluate(positions_nm, !gradient.empty());
  auto& u = result.energy_kj_mol;
  const double kt = md::thermal_energy(temperature_kelvin_);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = -result.forces_kj_mol_nm[i] / kt;
  }
  for (std::size_t i = 0; i < u.size(); ++i) {
    u[i] /= kt;
    if (std::isfinite(u[i]) && has_right_hand(positions_nm.subspan(i * frame, frame))) continue;
    u[i] = std::numeric_limits<double>::infinity();
    if (!gradient.empty()) std::ranges::fill(gradient.subspan(i * frame, frame), 0.0);
  }
  return u;
}

std::unique_ptr<Potential> Target::restricted(std::span<const int> atoms) const {
  auto part = std::make_unique<Target>(md::Topology{}, md::restricted(energy_.system(), atoms),
                                       temperature_kelvin_, energy_.backend());
  const auto place = [&](int atom) {
    const auto found = std::ranges::find(atoms, atom);
    return found == atoms.end() ? -1 : static_cast<int>(found - atoms.begin());
  };
  for (const md::Stereocentre& whole : centres_) {
    const md::Stereocentre centre{place(whole.centre), place(whole.a), place(whole.b),
                                  place(whole.c)};
    if (std::min({centre.centre, centre.a, centre.b, centre.c}) >= 0) {
      part->centres_.push_back(centre);
    }
  }
  return part;
}

std::vector<double> log_weights(std::span<const double> reduced_energy,
                                std::span<const double> log_volume, std::span<const double> log_q) {
  require(reduced_energy.size() == log_q.size() && log_volume.size() == log_q.size(),
          "expected as many energies (", reduced_energy.size(), ") and volume factors (",
          log_volume.size(), ") as log q (", log_q.size(), ")");
  std::vector<double> out(log_q.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = -reduced_energy[i] + log_volume[i] - log_q[i];
  return out;
}

}  // namespace arbg::sampling
