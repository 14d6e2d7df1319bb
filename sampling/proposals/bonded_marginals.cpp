#include "sampling/proposals/bonded_marginals.h"

#include <algorithm>
#include <cmath>

#include "md/energy/engine.h"
#include "md/molecule/units.h"
#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

constexpr double kSoftening = 1.5, kRowSum = 1e6;

md::System bonded_terms(md::System system) {
  for (auto& atom : system.nonbonded) atom.charge_e = atom.epsilon_kj_mol = 0;
  system.scaled_pairs.clear();
  system.born_atoms.clear();
  return system;
}

}  // namespace

std::vector<double> bonded_marginals(const md::CoordinateMap& map, const nn::CoordinateBins& bins,
                                     md::System system, double temperature_kelvin,
                                     std::span<const double> equilibrium_nm) {
  const md::EnergyEngine energy(bonded_terms(std::move(system)));
  const auto V = static_cast<std::size_t>(bins.bins()), frame = equilibrium_nm.size();
  std::vector<double> equilibrium(static_cast<std::size_t>(map.size())), out;
  map.encode(equilibrium_nm, equilibrium, Random(0, 0), 0);
  std::vector<double> positions(V * frame), log_p(V);
  for (std::int64_t j = 0; j < map.size(); ++j) {
    auto z = equilibrium;
    for (std::size_t v = 0; v < V; ++v) {
      z[static_cast<std::size_t>(j)] = bins.decode(j, static_cast<std::int32_t>(v), 0.5);
      map.decode(z, std::span(positions).subspan(v * frame, frame));
      log_p[v] = map.log_volume(z);
    }
    const bool bond = map.coordinates()[static_cast<std::size_t>(j)].kind == 0;
    const double rt = md::thermal_energy(temperature_kelvin) * (bond ? 1 : kSoftening);
    const auto e = energy.evaluate(positions, false).energy_kj_mol;
    for (std::size_t v = 0; v < V; ++v) log_p[v] -= e[v] / rt;
    const double largest = *std::ranges::max_element(log_p);
    double sum = 0;
    for (auto& value : log_p) sum += value = std::exp(value - largest);
    for (const double value : log_p) out.push_back(kRowSum * value / sum);
  }
  return out;
}

}  // namespace arbg::sampling
