// A checkpoint as the program uses it: generator, molecule, force field and temperature in one
// file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "apps/runs/dataset.h"
#include "md/molecule/topology.h"
#include "nn/files/checkpoint.h"
#include "sampling/proposals/generator.h"
#include "sampling/targets/target.h"

namespace arbg::apps {

// What a model of one molecule has in its checkpoint, and a model of many has to be told.
struct ToldMolecule {
  md::Topology topology;
  std::string topology_pdb, forcefield;
  double temperature_kelvin = 0;
};

// A PDB file (by its ending), of which the first model is taken, or a sequence, which is
// built.
ToldMolecule tell_molecule(const std::string& what, const std::string& forcefield,
                           double temperature_kelvin);

struct Model {
  sampling::Generator generator;
  md::Topology topology;
  std::string topology_pdb, forcefield;
  double temperature_kelvin;
  bool of_many = false;  // conditioned, and told its molecule

  // The energies that weights are computed with.
  sampling::Target target(Backend backend) const;
};

// What a checkpoint says about its molecule and coordinates, for Checkpoint::description; of a
// network with placement energies also the constants that they are computed with. A run that goes
// on keeps those that were saved with it: another machine may compute other last digits.
Json describe_model(const Dataset& data, const md::CoordinateMap& map,
                    const nn::TransformerConfig& config, const Json* saved = nullptr);

// Members with these constants. The second is there where md::ring_closures() finds any, and never
// in older checkpoints: their networks are told nothing of rings.
inline constexpr const char* kBornRadii = "placement_born_radii_nm";
inline constexpr const char* kRingClosures = "placement_ring_closures";

// The placement energies of a network that wants them, of such a description; otherwise null.
std::shared_ptr<const nn::Placement> placement_of(const Json& description,
                                                  const md::Topology& topology,
                                                  const md::CoordinateMap& map,
                                                  const nn::TransformerConfig& config);

// Throws Error naming the file and what is missing in it. `averaged`: the weight average, where
// there is one. A model of many molecules becomes one of that which is told; others ignore it.
// `within`: instead of what the checkpoint says.
Model load_model(const std::filesystem::path& path, nn::Backend backend, bool averaged,
                 const std::optional<ToldMolecule>& told = {},
                 std::optional<nn::WithinBins> within = {});
Model make_model(const nn::Checkpoint& checkpoint, nn::Backend backend, bool averaged,
                 const std::string& name, const std::optional<ToldMolecule>& told = {},
                 std::optional<nn::WithinBins> within = {});

}  // namespace arbg::apps
