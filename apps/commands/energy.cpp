// arbg energy: energies, terms and forces of given conformations.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "apps/runs/dataset.h"
#include "apps/runs/run_folder.h"
#include "md/energy/engine.h"
#include "md/files/inpcrd.h"
#include "md/files/prmtop.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/structure_check.h"
#include "md/molecule/units.h"
#include "metrics/pages/table.h"
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
      "conformations: .npy [frames, atoms, 3] in nm, .npz (array positions) or .dcd; atoms ordered "
      "as in the molecule's file, or as in a PDB file beside them (AAA_310K.pdb)"},
     {"output", "FOLDER", "",
      "where to write energy.npy, energy_terms.npy, forces.npy (float64, kJ/mol, nm)"}},
    {"arbg energy --pdb ala2.pdb",
     "arbg energy --pdb ala2.pdb --positions frames.dcd --output energies",
     "arbg energy --prmtop drug.prmtop --inpcrd drug.rst7 --implicit obc1"},
    {"seed"},
    false};

struct Molecule {
  std::string parameters;  // force field or solvent
  md::Topology topology;
  md::System system;
  std::filesystem::path conformations;  // the file that has them
  std::vector<double> positions_nm;     // [frames, N, 3]
};

void load_conformations(Molecule& molecule, const Arguments& arguments) {
  const int atoms = molecule.topology.atom_count();
  if (arguments.given("positions")) {
    molecule.conformations = arguments.text("positions");
    molecule.positions_nm =
        load_trajectory(molecule.conformations, molecule.topology, molecule.system);
    return;
  }
  if (arguments.given("prmtop")) {
    molecule.conformations = arguments.required("inpcrd");
    molecule.positions_nm = md::read_inpcrd(molecule.conformations, atoms);
  }
  require_conformations(molecule.positions_nm, atoms, molecule.conformations);
}

Molecule molecule_of_pdb(const Arguments& arguments) {
  for (const char* other : {"inpcrd", "implicit"})
    require(!arguments.given(other), "--", other,
            " goes with --prmtop; with --pdb the solvent is "
            "that of --forcefield, the conformation that of the file or of --positions");
  const std::filesystem::path path = arguments.required("pdb");
  auto pdb = load_pdb(path);
  auto system = md::ForceField::named(arguments.text("forcefield")).create_system(pdb.topology);
  Molecule out{arguments.text("forcefield"), std::move(pdb.topology), std::move(system), path,
               std::move(pdb.positions_nm)};
  load_conformations(out, arguments);
  return out;
}

Molecule molecule_of_prmtop(const Arguments& arguments) {
  for (const char* other : {"pdb", "forcefield"})
    require(!arguments.given(other), "--", other,
            " and --prmtop exclude each other: a prmtop file "
            "has names and parameters of its own");
  const auto solvent = md::implicit_solvent_named(arguments.text("implicit"));
  auto amber = md::read_prmtop(arguments.required("prmtop"), solvent);
  Molecule out{"prmtop, solvent " + arguments.text("implicit"),
               std::move(amber.topology),
               std::move(amber.system),
               {},
               {}};
  load_conformations(out, arguments);
  for (const std::string& note : amber.notes) std::fprintf(stderr, "%s\n", note.c_str());
  return out;
}

// 1 if there is a frame whose energy is not finite, which is said on standard error.
int exit_status(const Molecule& molecule, const std::vector<double>& energies) {
  const auto finite = [](double e) { return std::isfinite(e); };
  const auto bad = std::ranges::find_if_not(energies, finite);
  if (bad == energies.end()) return 0;
  const auto frame = static_cast<std::size_t>(bad - energies.begin());
  const std::size_t size = 3 * molecule.topology.atoms.size();
  const auto closest = md::closest_atoms(
      molecule.topology, std::span(molecule.positions_nm).subspan(frame * size, size));
  std::fprintf(stderr,
               "%s: the energy of frame %zu is not finite: %s are too close; %zu of %zu frames are "
               "so\n",
               molecule.conformations.c_str(), frame, closest.c_str(),
               energies.size() - static_cast<std::size_t>(std::ranges::count_if(energies, finite)),
               energies.size());
  return 1;
}

std::string cell(double kj_mol) {
  if (!std::isfinite(kj_mol)) return "not finite";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", kj_mol);
  return text;
}

void write_arrays(const RunFolder& output, const md::EnergyResult& result, std::int64_t frames,
                  std::int64_t atoms) {
  const std::int64_t one[] = {frames}, terms[] = {frames, md::kTermCount},
                     vectors[] = {frames, atoms, 3};
  constexpr const char* kFiles[] = {"energy.npy", "forces.npy", "energy_terms.npy"};
  replace_together(output, kFiles, [&](const std::filesystem::path& folder) {
    write_npy(folder / "energy.npy", one, std::span<const double>(result.energy_kj_mol));
    write_npy(folder / "energy_terms.npy", terms, std::span<const double>(result.terms_kj_mol));
    write_npy(folder / "forces.npy", vectors, std::span<const double>(result.forces_kj_mol_nm));
  });
}

void print_json(const Molecule& molecule, const md::EnergyResult& result, std::int64_t frames) {
  Json out = Json::object();
  out["forcefield"] = molecule.parameters;
  out["atoms"] = molecule.system.atom_count();
  out["energy_kj_mol"] = list_of(result.energy_kj_mol);
  for (int t = 0; t < md::kTermCount; ++t) {
    Json column = Json::list();
    for (std::int64_t f = 0; f < frames; ++f) {
      column.push_back(result.terms_kj_mol[static_cast<std::size_t>(f * md::kTermCount + t)]);
    }
    out["terms_kj_mol"][md::kTermNames[t]] = std::move(column);
  }
  std::puts(out.dump().c_str());
}

void print_table(const Molecule& molecule, const md::EnergyResult& result, std::int64_t frames) {
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
              static_cast<long long>(molecule.system.atom_count()), table.text().c_str());
  if (frames > kMostRows)
    std::printf("... and %lld more frames\n", static_cast<long long>(frames - kMostRows));
}

}  // namespace

int energy_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);

  std::optional<RunFolder> output;
  if (arguments.given("output")) output.emplace(arguments.required("output"), RunKind::energy);
  const auto molecule =
      arguments.given("prmtop") ? molecule_of_prmtop(arguments) : molecule_of_pdb(arguments);
  const std::int64_t atoms = molecule.system.atom_count();
  const std::int64_t frames = static_cast<std::int64_t>(molecule.positions_nm.size()) / (3 * atoms);
  const md::EnergyEngine energy(molecule.system, common.backend);
  const auto result = energy.evaluate(molecule.positions_nm, arguments.given("output"));
  const int status = exit_status(molecule, result.energy_kj_mol);

  if (arguments.given("output")) {
    write_arrays(*output, result, frames, atoms);
  }

  (common.json ? print_json : print_table)(molecule, result, frames);
  return status;
}

}  // namespace arbg::apps
