// arbg energy: energies, terms and forces of given conformations.
#include "md/energy.h"

#include <algorithm>
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/dataset.h"
#include "md/forcefield.h"
#include "md/pdb.h"
#include "md/units.h"
#include "metrics/table.h"
#include "tensor/base/files.h"
#include "tensor/base/npy.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "energy",
    "energies, terms and forces of given conformations",
    "",
    {{"pdb", "FILE", "", "the molecule, and its conformation if there is no --positions"},
     {"forcefield", "NAME", "amber99sbildn-obc2",
      "force field: amber99sbildn-obc2 or amber14-obc1"},
     {"positions", "FILE", "",
      ".npy of shape [frames, atoms, 3] in nm, atoms ordered as in the PDB"},
     {"output", "FOLDER", "",
      "write energy.npy, energy_terms.npy, forces.npy (float64, kJ/mol, nm) there"}},
    {"arbg energy --pdb ala2.pdb",
     "arbg energy --pdb ala2.pdb --positions frames.npy --output energies"},
    {"seed"}};

std::string cell(double kj_mol) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", kj_mol);
  return text;
}

}  // namespace

int energy_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);

  const auto pdb = md::read_pdb(arguments.required("pdb"));
  const std::int64_t atoms = pdb.topology.atom_count();
  const auto positions = arguments.given("positions")
                             ? load_positions(arguments.text("positions"), static_cast<int>(atoms))
                             : pdb.positions_nm;
  const std::int64_t frames = static_cast<std::int64_t>(positions.size()) / (3 * atoms);
  const md::Energy energy(
      md::ForceField::named(arguments.text("forcefield")).create_system(pdb.topology),
      common.energy_backend());
  const auto result = energy.evaluate(positions, arguments.given("output"));

  if (arguments.given("output")) {
    const std::filesystem::path folder = arguments.text("output");
    create_folder(folder);
    const std::int64_t one[] = {frames}, terms[] = {frames, md::kTermCount},
                       vectors[] = {frames, atoms, 3};
    write_npy(folder / "energy.npy", one, std::span<const double>(result.energy_kj_mol));
    write_npy(folder / "energy_terms.npy", terms, std::span<const double>(result.terms_kj_mol));
    write_npy(folder / "forces.npy", vectors, std::span<const double>(result.forces_kj_mol_nm));
  }

  if (common.json) {
    Json out = Json::object();
    out["forcefield"] = arguments.text("forcefield");
    out["atoms"] = atoms;
    out["energy_kj_mol"] =
        Json(Json::List(result.energy_kj_mol.begin(), result.energy_kj_mol.end()));
    for (int t = 0; t < md::kTermCount; ++t) {
      Json column = Json::list();
      for (std::int64_t f = 0; f < frames; ++f) {
        column.push_back(result.terms_kj_mol[static_cast<std::size_t>(f * md::kTermCount + t)]);
      }
      out["terms_kj_mol"][md::kTermNames[t]] = std::move(column);
    }
    std::puts(out.dump().c_str());
    return 0;
  }
  std::vector<std::string> header{"frame", "energy"};
  header.insert(header.end(), md::kTermNames, md::kTermNames + md::kTermCount);
  metrics::Table table(std::move(header));
  constexpr std::int64_t kMostRows = 30;
  for (std::int64_t f = 0; f < std::min(frames, kMostRows); ++f) {
    std::vector<std::string> row{std::to_string(f),
                                 cell(result.energy_kj_mol[static_cast<std::size_t>(f)])};
    for (int t = 0; t < md::kTermCount; ++t) {
      row.push_back(cell(result.terms_kj_mol[static_cast<std::size_t>(f * md::kTermCount + t)]));
    }
    table.add_row(std::move(row));
  }
  std::printf("%s, %lld atoms, kJ/mol\n%s", arguments.text("forcefield").c_str(),
              static_cast<long long>(atoms), table.text().c_str());
  if (frames > kMostRows)
    std::printf("... and %lld more frames\n", static_cast<long long>(frames - kMostRows));
  return 0;
}

}  // namespace arbg::apps
