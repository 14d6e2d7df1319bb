// arbg minimize: the nearest minimum of the energy.
#include <cmath>
#include <cstdio>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/runs/dataset.h"
#include "md/dynamics/dynamics.h"
#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/structure_check.h"
#include "metrics/pages/table.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "minimize",
    "move a conformation to the nearest minimum of its energy",
    "",
    {{"pdb", "FILE", "", "the molecule and the conformation to start from"},
     {"forcefield", "NAME", "amber99sbildn-obc2",
      "force field: amber99sbildn-obc2 or amber14-obc1"},
     {"output", "FILE", "", "the PDB file to write"},
     {"tolerance", "X", "1", "stop at this root-mean-square gradient, in kJ/mol/nm"},
     {"steps", "N", "20000", "largest number of energy evaluations"}},
    {"arbg minimize --pdb ala2.pdb --output minimum.pdb",
     "arbg minimize --pdb ala2.pdb --tolerance 0.01 --output minimum.pdb"},
    {"seed"},
    false};

struct Point {
  double energy_kj_mol, gradient_kj_mol_nm;  // root mean square over all coordinates
};

Point evaluate(const md::EnergyEngine& energy, const std::vector<double>& positions) {
  const auto result = energy.evaluate(positions, true);
  double sum = 0;
  for (const double f : result.forces_kj_mol_nm) sum += f * f;
  return {result.energy_kj_mol[0], std::sqrt(sum / static_cast<double>(positions.size()))};
}

void require_finite(const Point& point, const md::Topology& topology,
                    const std::vector<double>& positions, const std::string& path) {
  require(std::isfinite(point.energy_kj_mol) && std::isfinite(point.gradient_kj_mol_nm), path,
          ": the energy is not finite: ", md::closest_atoms(topology, positions),
          " are too close; move them apart");
}

Json to_json(const Point& point) {
  Json out = Json::object();
  out["energy_kj_mol"] = point.energy_kj_mol;
  out["gradient_kj_mol_nm"] = point.gradient_kj_mol_nm;
  return out;
}

}  // namespace

int minimize_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::string output = arguments.required("output");
  const double tolerance = arguments.number("tolerance");
  require(tolerance > 0, "--tolerance expects a number above 0, got ", tolerance);
  constexpr std::int64_t kMostSteps = 1000000000;
  const auto steps = static_cast<int>(arguments.integer("steps", 1, kMostSteps));

  require_writable(output, {arguments.text("pdb")});
  const auto pdb = load_pdb(arguments.required("pdb"));
  require(pdb.models == 1, arguments.text("pdb"), ": expected one conformation, found ", pdb.models,
          " models");
  require_conformations(pdb.positions_nm, pdb.topology.atom_count(), arguments.text("pdb"));
  const md::EnergyEngine energy(
      md::ForceField::named(arguments.text("forcefield")).create_system(pdb.topology),
      common.backend);
  std::vector<double> positions = pdb.positions_nm;
  const Point before = evaluate(energy, positions);
  require_finite(before, pdb.topology, positions, arguments.text("pdb"));
  md::minimize(energy, positions, tolerance, steps);
  const Point after = evaluate(energy, positions);
  md::write_pdb(output, pdb.topology, positions);

  const bool converged = after.gradient_kj_mol_nm <= tolerance;
  if (common.json) {
    Json out = Json::object();
    out["pdb"] = output;
    out["forcefield"] = arguments.text("forcefield");
    out["before"] = to_json(before);
    out["after"] = to_json(after);
    out["converged"] = converged;
    std::puts(out.dump().c_str());
    return 0;
  }
  metrics::Table table({"", "energy (kJ/mol)", "rms gradient (kJ/mol/nm)"});
  for (const auto& [name, point] : {std::pair("before", before), std::pair("after", after)}) {
    char energy_cell[32], gradient_cell[32];
    std::snprintf(energy_cell, sizeof energy_cell, "%.4f", point.energy_kj_mol);
    std::snprintf(gradient_cell, sizeof gradient_cell, "%.4g", point.gradient_kj_mol_nm);
    table.add_row({name, energy_cell, gradient_cell});
  }
  std::printf("%s%s, written to %s\n", table.text().c_str(),
              converged ? "minimised" : "not yet at a minimum: more --steps would go on",
              output.c_str());
  return 0;
}

}  // namespace arbg::apps
