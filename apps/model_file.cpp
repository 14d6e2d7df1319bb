#include "apps/model_file.h"

#include "md/forcefield.h"
#include "md/pdb.h"
#include "tensor/base/error.h"

namespace arbg::apps {

sampling::Target Model::target(md::EnergyBackend backend) const {
  return {topology, md::ForceField::named(forcefield).create_system(topology), temperature_kelvin,
          backend};
}

Json describe_model(const Dataset& data, const md::CoordinateMap& map) {
  Json description = Json::object();
  description["topology_pdb"] = data.topology_pdb;
  description["forcefield"] = data.forcefield;
  description["temperature_kelvin"] = data.temperature_kelvin;
  description["frames"] = data.frames();
  description["coordinate_map"] = map.to_json();
  return description;
}

Model make_model(const nn::Checkpoint& checkpoint, nn::Backend backend, bool averaged,
                 const std::string& name) {
  const Json& description = checkpoint.description;
  require(
      checkpoint.bins.has_value() && description.is_object() && description.has("coordinate_map"),
      name,
      ": these are only network weights; sampling needs a checkpoint written by arbg train (bins, "
      "coordinates, molecule)");
  const auto network = [&] {
    try {
      return checkpoint.network(backend, averaged);
    } catch (const Error& error) {
      fail(name, ": ", error.what());
    }
  };
  const std::string pdb = description.at("topology_pdb").string();
  return {sampling::Generator(network(), *checkpoint.bins,
                              md::CoordinateMap::from_json(description.at("coordinate_map"))),
          md::parse_pdb(pdb, name + " (topology)").topology, pdb,
          description.at("forcefield").string(), description.at("temperature_kelvin").number()};
}

Model load_model(const std::filesystem::path& path, nn::Backend backend, bool averaged) {
  return make_model(nn::Checkpoint::read(path, backend), backend, averaged, path.string());
}

}  // namespace arbg::apps
