// arbg energy: energies, terms and forces of given conformations.
#include "md/energy.h"

#include <algorithm>
#include <cstdio>

#include "apps/command_line.h"
#include "apps/commands/commands.h"
#include "apps/common_options.h"
#include "apps/dataset.h"
#include "md/forcefield.h"
#include "md/inpcrd.h"
#include "md/prmtop.h"
#include "md/units.h"
#include "metrics/table.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
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
     {"prmtop", "FILE", "", "the molecule with its parameters, instead of --pdb and --forcefield"},
     {"inpcrd", "FILE", "", "its conformation (inpcrd or rst7), if there is no --positions"},
     {"implicit", "NAME", "obc2", "solvent of --prmtop: obc1, obc2 or none"},
     {"positions", "FILE", "",
      ".npy of shape [frames, atoms, 3] in nm, or .dcd; atoms ordered as in the molecule's file"},
     {"output", "FOLDER", "",
      "write energy.npy, energy_terms.npy, forces.npy (float64, kJ/mol, nm) there"}},
    {"arbg energy --pdb ala2.pdb",
     "arbg energy --pdb ala2.pdb --positions frames.dcd --output energies",
     "arbg energy --prmtop drug.prmtop --inpcrd drug.rst7 --implicit obc1"},
    {"seed"}};

struct Molecule {
  std::string parameters;  // force field or solvent
  md::System system;
  std::vector<double> positions_nm;  // [frames, N, 3]
};

Molecule molecule_of_pdb(const Arguments& arguments) {
  for (const char* other : {"inpcrd", "implicit"})
    require(!arguments.given(other), "--", other,
            " goes with --prmtop; with --pdb the solvent is "
            "that of --forcefield, the conformation that of the file or of --positions");
  auto pdb = load_pdb(arguments.required("pdb"));
  Molecule out{arguments.text("forcefield"), {}, std::move(pdb.positions_nm)};
  out.system = md::ForceField::named(out.parameters).create_system(pdb.topology);
  return out;
}

Molecule molecule_of_prmtop(const Arguments& arguments) {
  for (const char* other : {"pdb", "forcefield"})
    require(!arguments.given(other), "--", other,
            " and --prmtop exclude each other: a prmtop file "
            "has names and parameters of its own");
  const auto solvent = md::implicit_solvent_named(arguments.text("implicit"));
  auto amber = md::read_prmtop(arguments.required("prmtop"), solvent);
  Molecule out{"prmtop, solvent " + arguments.text("implicit"), std::move(amber.system), {}};
  if (!arguments.given("positions"))
    out.positions_nm = md::read_inpcrd(arguments.required("inpcrd"), out.system.atom_count());
  for (const std::string& note : amber.notes) std::fprintf(stderr, "%s\n", note.c_str());
  return out;
}

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

  const auto molecule =
      arguments.given("prmtop") ? molecule_of_prmtop(arguments) : molecule_of_pdb(arguments);
  const std::int64_t atoms = molecule.system.atom_count();
  const auto positions = arguments.given("positions")
                             ? load_positions(arguments.text("positions"), static_cast<int>(atoms))
                             : molecule.positions_nm;
  const std::int64_t frames = static_cast<std::int64_t>(positions.size()) / (3 * atoms);
  const md::Energy energy(molecule.system, common.energy_backend());
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
    out["forcefield"] = molecule.parameters;
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
  std::printf("%s, %lld atoms, kJ/mol\n%s", molecule.parameters.c_str(),
              static_cast<long long>(atoms), table.text().c_str());
  if (frames > kMostRows)
    std::printf("... and %lld more frames\n", static_cast<long long>(frames - kMostRows));
  return 0;
}

}  // namespace arbg::apps
