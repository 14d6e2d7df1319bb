#include "apps/runs/model_file.h"

#include "md/dynamics/builder.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/stereocentres.h"
#include "md/placement/placement.h"
#include "md/placement/ring_closure.h"
#include "sampling/proposals/atom_placement.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

// All molecules share bins, scale and range.
Model model_of_told(nn::Transformer network, const Json& map_of_largest, const ToldMolecule& told,
                    nn::WithinBins within, const std::string& name) {
  const int atoms = told.topology.atom_count();
  require(atoms <= network.config().num_atoms, name, ": the model has room for ",
          network.config().num_atoms, " atoms, the molecule has ", atoms);
  auto map = md::make_cartesian_map(atoms, map_of_largest.at("scale_nm").number(),
                                    map_of_largest.at("range").number());
  auto bins = sampling::bins_of(*map, network.config().num_bins);
  return {sampling::Generator(std::move(network), std::move(bins), std::move(map),
                              sampling::encode_molecule(told.topology), {}, within),
          told.topology,
          told.topology_pdb,
          told.forcefield,
          told.temperature_kelvin,
          true};
}

}  // namespace

ToldMolecule tell_molecule(const std::string& what, const std::string& forcefield,
                           double temperature_kelvin) {
  ToldMolecule told{{}, {}, forcefield, temperature_kelvin};
  const auto& field = md::ForceField::named(forcefield);
  std::vector<double> positions_nm;
  if (md::is_pdb_path(what)) {
    md::Pdb pdb = load_pdb(what);
    told.topology = std::move(pdb.topology);
    positions_nm = std::move(pdb.positions_nm);
    positions_nm.resize(3 * told.topology.atoms.size());
    md::require_natural_hands(told.topology, positions_nm, what);
  } else {
    told.topology = md::Topology::from_sequence(what);
    positions_nm = md::build_structure(told.topology, field.create_system(told.topology));
  }
  told.topology_pdb = md::pdb_text(told.topology, positions_nm);
  return told;
}

sampling::Target Model::target(Backend backend) const {
  return {topology, md::ForceField::named(forcefield).create_system(topology), temperature_kelvin,
          backend};
}

Json describe_model(const Dataset& data, const md::CoordinateMap& map,
                    const nn::TransformerConfig& config, const Json* saved) {
  Json description = Json::object();
  description["topology_pdb"] = data.topology_pdb;
  description["forcefield"] = data.forcefield;
  description["temperature_kelvin"] = data.temperature_kelvin;
  description["frames"] = data.frames();
  description["coordinate_map"] = map.to_json();
  if (!config.placement) return description;
  if (saved && saved->has(kBornRadii)) {
    for (const char* name : {kBornRadii, kRingClosures})
      if (saved->has(name)) description[name] = saved->at(name);
    return description;
  }
  const auto system = md::ForceField::named(data.forcefield).create_system(data.topology);
  Json& radii = description[kBornRadii] = Json::list();
  for (const double radius : md::placement_born_radii(data.topology, system))
    radii.push_back(radius);
  const auto closures = md::ring_closures(data.topology, system, map, data.temperature_kelvin);
  if (!closures.empty()) description[kRingClosures] = md::to_json(closures);
  return description;
}

std::shared_ptr<const nn::Placement> placement_of(const Json& description,
                                                  const md::Topology& topology,
                                                  const md::CoordinateMap& map,
                                                  const nn::TransformerConfig& config) {
  if (!config.placement) return nullptr;
  std::vector<double> radii_nm;
  for (const auto& radius : description.at(kBornRadii).items()) radii_nm.push_back(radius.number());
  std::vector<md::RingClosure> closures;
  if (description.has(kRingClosures))
    closures = md::ring_closures_from_json(description.at(kRingClosures), map.size());
  const auto& field = md::ForceField::named(description.at("forcefield").string());
  return std::make_shared<sampling::AtomPlacement>(
      field.create_system(topology), map, description.at("temperature_kelvin").number(),
      config.num_bins, std::move(radii_nm), *config.placement, std::move(closures));
}

Model make_model(const nn::Checkpoint& checkpoint, nn::Backend backend, bool averaged,
                 const std::string& name, const std::optional<ToldMolecule>& told,
                 std::optional<nn::WithinBins> asked) {
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
  const nn::WithinBins within = asked ? *asked : nn::within_bins_of(description);
  if (description.has("molecules")) {
    require(told.has_value(), name,
            ": this model is of many molecules; say of which with --molecule (a PDB file or a "
            "sequence), --forcefield and --temperature-kelvin");
    return model_of_told(network(), description.at("coordinate_map"), *told, within, name);
  }
  const std::string pdb = description.at("topology_pdb").string();
  auto molecule = md::parse_pdb(pdb, name + " (topology)");
  md::require_natural_hands(molecule.topology, molecule.positions_nm, name + " (topology)");
  auto map = md::CoordinateMap::from_json(description.at("coordinate_map"));
  auto placement = placement_of(description, molecule.topology, *map, checkpoint.config);
  return {sampling::Generator(network(), *checkpoint.bins, std::move(map), {}, std::move(placement),
                              within),
          std::move(molecule.topology), pdb, description.at("forcefield").string(),
          description.at("temperature_kelvin").number()};
}

Model load_model(const std::filesystem::path& path, nn::Backend backend, bool averaged,
                 const std::optional<ToldMolecule>& told, std::optional<nn::WithinBins> within) {
  return make_model(nn::Checkpoint::read(path, backend), backend, averaged, path.string(), told,
                    within);
}

}  // namespace arbg::apps
