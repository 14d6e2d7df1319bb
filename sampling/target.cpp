#include "sampling/target.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "md/restricted_system.h"
#include "md/units.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::sampling {

// L amino acids: seen with HA towards the eye, CO, R, N read clockwise ("CORN"), which makes
// (N - CA) . ((C - CA) x (CB - CA)) positive.
Target::Target(const md::Topology& topology, md::System system, double temperature_kelvin,
               Backend backend)
    : energy_(std::move(system), backend), temperature_kelvin_(temperature_kelvin) {
  require(temperature_kelvin > 0, "the temperature must be positive, got ", temperature_kelvin,
          " K");
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const Centre alpha{topology.find(r, "CA"), topology.find(r, "N"), topology.find(r, "C"),
                       topology.find(r, "CB")};
    if (alpha.centre >= 0 && alpha.a >= 0 && alpha.b >= 0 && alpha.c >= 0)
      centres_.push_back(alpha);
    // Side chains with a second stereocentre: isoleucine (2S,3S) and threonine (2S,3R).
    const auto& name = topology.residues[static_cast<std::size_t>(r)].name;
    if (name == "ILE") {
      centres_.push_back({topology.find(r, "CB"), topology.find(r, "CA"), topology.find(r, "CG1"),
                          topology.find(r, "CG2")});
    } else if (name == "THR") {
      centres_.push_back({topology.find(r, "CB"), topology.find(r, "CA"), topology.find(r, "OG1"),
                          topology.find(r, "CG2")});
    }
  }
}

bool Target::has_right_hand(std::span<const double> x) const {
  if (planted(Defect::mirrored_accepted)) return true;
  for (const auto& centre : centres_) {
    const auto difference = [&](int atom, std::size_t axis) {
      return x[static_cast<std::size_t>(3 * atom) + axis] -
             x[static_cast<std::size_t>(3 * centre.centre) + axis];
    };
    const double a[3] = {difference(centre.a, 0), difference(centre.a, 1), difference(centre.a, 2)};
    const double b[3] = {difference(centre.b, 0), difference(centre.b, 1), difference(centre.b, 2)};
    const double c[3] = {difference(centre.c, 0), difference(centre.c, 1), difference(centre.c, 2)};
    const double volume = a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) +
                          a[2] * (b[0] * c[1] - b[1] * c[0]);
    if (!(volume > 0)) return false;
  }
  return true;
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
  for (const Centre& whole : centres_) {
    const Centre centre{place(whole.centre), place(whole.a), place(whole.b), place(whole.c)};
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
