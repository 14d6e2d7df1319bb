// A checkpoint as the program uses it: generator, molecule, force field and temperature in one
// file.
#pragma once

#include <filesystem>
#include <string>

#include "apps/dataset.h"
#include "md/topology.h"
#include "nn/checkpoint.h"
#include "sampling/generator.h"
#include "sampling/target.h"

namespace arbg::apps {

struct Model {
  sampling::Generator generator;
  md::Topology topology;
  std::string topology_pdb, forcefield;
  double temperature_kelvin;

  // The energies that weights are computed with.
  sampling::Target target(md::EnergyBackend backend) const;
};

// What a checkpoint says about its molecule and coordinates, for Checkpoint::description.
Json describe_model(const Dataset& data, const md::CoordinateMap& map);

// Throws Error naming the file and what is missing in it. `averaged`: the weight average, where
// there is one.
Model load_model(const std::filesystem::path& path, nn::Backend backend, bool averaged);
Model make_model(const nn::Checkpoint& checkpoint, nn::Backend backend, bool averaged,
                 const std::string& name);

}  // namespace arbg::apps
