// Generators small enough to enumerate, on harmonic molecules with known partition functions.
#pragma once

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "md/molecule/units.h"
#include "sampling/proposals/atom_placement.h"
#include "sampling/proposals/generator.h"
#include "tests/md/map_testing.h"

namespace arbg::sampling {

inline constexpr double kTemperature = 300;
inline constexpr double kRt = md::thermal_energy(kTemperature);
inline constexpr double kLength = 0.12, kAngle = 1.911;  // what md::molecule() uses

// A chain of atoms C1-C2-...: bonds and angles of these thermal widths (nm, rad), nothing else.
inline md::Molecule chain(int atoms, double bond_width, double angle_width) {
  static const std::vector<const char*> kNames = {"C1", "C2", "C3", "C4"};
  std::vector<std::pair<int, int>> bonds;
  for (int i = 0; i + 1 < atoms; ++i) bonds.emplace_back(i, i + 1);
  auto m = md::molecule({kNames.begin(), kNames.begin() + atoms}, bonds,
                        kRt / (bond_width * bond_width), kRt / (angle_width * angle_width));
  m.system.nonbonded.assign(static_cast<std::size_t>(atoms), {0, 0.1, 0});
  return m;
}

inline nn::TransformerConfig config_of(const md::CoordinateMap& map, std::int64_t bins) {
  nn::TransformerConfig config;
  config.num_bins = bins;
  config.channels = 8;
  config.num_layers = 1;
  config.num_heads = 2;
  config.learned_positions = config.own_start_row = config.output_bias = config.bin_features = true;
  return network_for(config, map);
}

// Adds normal noise of that deviation to the parameters whose name contains `part`.
inline void stir(const nn::Transformer& network, const std::string& part, double deviation) {
  for (const auto& [name, variable, decays] : network.parameters()) {
    if (name.find(part) == std::string::npos) continue;
    nn::Tensor value = variable.value();
    auto numbers = value.values();
    const Random random(11, stream_id(name));
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] += deviation * random.normal_pair(i)[0];
    value.copy_from(nn::Tensor::from_values(numbers, value.shape(), network.backend()));
  }
}

// Whose placement energies a network is told.
struct Told {
  const md::System& system;
  std::vector<double> born_radii_nm = {};
  std::vector<md::RingClosure> closures = {};
};

// A generator with its network as `prepare` leaves it.
template <class Prepare>
Generator small_generator(std::unique_ptr<md::CoordinateMap> map, std::int64_t bins,
                          nn::Backend backend, const std::optional<Told>& told,
                          const Prepare& prepare, nn::WithinBins within = nn::WithinBins::uniform) {
  auto config = config_of(*map, bins);
  std::shared_ptr<const nn::Placement> placement;
  if (told) {
    config.placement = nn::PlacementConfig{md::kPlacementComponents, 4};
    placement =
        std::make_shared<AtomPlacement>(told->system, *map, kTemperature, bins, told->born_radii_nm,
                                        *config.placement, told->closures);
  }
  nn::Transformer network(config, backend, 3);
  prepare(network);
  auto axes = bins_of(*map, bins);
  return {std::move(network), std::move(axes), std::move(map), {}, std::move(placement), within};
}

// Random weights of order one: every conditional depends on every token before it.
inline Generator lively_generator(std::unique_ptr<md::CoordinateMap> map, std::int64_t bins,
                                  nn::Backend backend, const std::optional<Told>& told = {},
                                  nn::WithinBins within = nn::WithinBins::uniform) {
  return small_generator(
      std::move(map), bins, backend, told,
      [](const nn::Transformer& network) { stir(network, "", 0.4); }, within);
}

inline Generator three_atoms(std::int64_t bins, nn::Backend backend,
                             nn::WithinBins within = nn::WithinBins::uniform) {
  const auto m = chain(3, 0.012, 0.4);
  return lively_generator(md::make_internal_map(m.topology, m.system, kTemperature), bins, backend,
                          {}, within);
}

inline Generator two_atoms_cartesian(std::int64_t bins, nn::Backend backend) {
  return lively_generator(md::make_cartesian_map(2, 0.06, 3.0), bins, backend);
}

// All V^K sequences, [V^K, K].
inline std::vector<std::int32_t> all_sequences(std::int64_t bins, std::int64_t length) {
  std::vector<std::int32_t> all;
  std::int64_t count = 1;
  for (std::int64_t j = 0; j < length; ++j) count *= bins;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0, rest = i; j < length; ++j, rest /= bins) {
      all.push_back(static_cast<std::int32_t>(rest % bins));
    }
  }
  return all;
}

// The bins of coordinates, and the middles of bins: rows of K.
inline std::vector<std::int32_t> tokens_of(const Generator& generator,
                                           const std::vector<double>& z) {
  std::vector<std::int32_t> tokens(z.size());
  generator.bins().encode_rows(z, tokens);
  return tokens;
}

inline std::vector<double> middles(const Generator& generator,
                                   const std::vector<std::int32_t>& tokens) {
  std::vector<double> z;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    z.push_back(generator.bins().decode(static_cast<std::int64_t>(i) % generator.map().size(),
                                        tokens[i], 0.5));
  return z;
}

}  // namespace arbg::sampling
