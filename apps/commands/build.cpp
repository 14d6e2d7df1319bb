// arbg build: a PDB file from a sequence.
#include <charconv>
#include <cstdio>
#include <numbers>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "md/dynamics/builder.h"
#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "build",
    "a PDB file from a sequence: idealised geometry, then minimised",
    "SEQUENCE",
    {{"output", "FILE", "", "the PDB file to write"},
     {"forcefield", "NAME", "amber99sbildn-obc2",
      "force field: amber99sbildn-obc2 or amber14-obc1"},
     {"ph-state", "LIST", "",
      "protonation, as HIS3=HIP,ASP5=ASH; numbers as in the PDB, caps count (states: HID, HIE, "
      "HIP, ASH, GLH, LYN, CYM)"},
     {"disulfide", "LIST", "", "pairs of cysteines, as 2-9,4-7; numbers as in the PDB"},
     {"phi", "DEGREES", "", "backbone torsion of all residues but proline (default: extended)"},
     {"psi", "DEGREES", "", "the same for the torsion psi"},
     {"no-minimize", "", "", "keep the idealised geometry, side chains in rotamers of low energy"}},
    {"arbg build GYDPETGTWG --output chignolin.pdb",
     "arbg build Ace-AHCAAC-Nme --ph-state HIS3=HIP --disulfide 4-7 --output bridge.pdb",
     "arbg build Ace-AAAAAAAA-Nme --phi -57 --psi -47 --output helix.pdb"},
    {"seed", "backend"}};

// The parts of "a,b,c"; none of "".
std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start < list.size();) {
    const std::size_t end = std::min(list.find(',', start), list.size());
    parts.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// The whole text as a positive number, or 0.
int residue_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

md::ResidueState parse_state(const std::string& text) {
  const std::size_t equals = text.find('=');
  md::ResidueState state;
  if (equals != std::string::npos && equals > 3) {
    state = {text.substr(0, 3), residue_number(std::string_view(text).substr(3, equals - 3)),
             text.substr(equals + 1)};
  }
  require(state.number > 0, "--ph-state expects RESIDUE=STATE such as HIS3=HIP, got '", text, "'");
  return state;
}

std::pair<int, int> parse_disulfide(const std::string& text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  const std::string_view view = text;
  const int first = residue_number(view.substr(0, dash));
  const int second = dash < view.size() ? residue_number(view.substr(dash + 1)) : 0;
  require(first > 0 && second > 0, "--disulfide expects two residue numbers such as 2-9, got '",
          text, "'");
  return {first, second};
}

}  // namespace

int build_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::string output = arguments.required("output");
  require(!arguments.positional().empty(),
          "SEQUENCE is needed: one-letter codes with optional caps, such as Ace-AAA-Nme");

  require_writable(output);
  std::vector<md::ResidueState> states;
  for (const auto& text : split(arguments.text("ph-state"))) states.push_back(parse_state(text));
  std::vector<std::pair<int, int>> disulfides;
  for (const auto& text : split(arguments.text("disulfide")))
    disulfides.push_back(parse_disulfide(text));
  md::BuildOptions options;
  options.minimize = !arguments.flag("no-minimize");
  constexpr double kDegree = std::numbers::pi / 180;
  if (arguments.given("phi")) options.phi_rad = arguments.number("phi") * kDegree;
  if (arguments.given("psi")) options.psi_rad = arguments.number("psi") * kDegree;

  const auto topology = md::Topology::from_sequence(arguments.positional(), states, disulfides);
  const auto system = md::ForceField::named(arguments.text("forcefield")).create_system(topology);
  const auto positions = md::build_structure(topology, system, options);
  const double energy = md::EnergyEngine(system).evaluate(positions, false).energy_kj_mol[0];
  md::write_pdb(output, topology, positions);

  if (common.json) {
    Json out = Json::object();
    out["pdb"] = output;
    out["residues"] = static_cast<std::int64_t>(topology.residues.size());
    out["atoms"] = topology.atom_count();
    out["forcefield"] = arguments.text("forcefield");
    out["minimized"] = options.minimize;
    out["energy_kj_mol"] = energy;
    std::puts(out.dump().c_str());
  } else {
    std::printf("%s: %zu residues, %d atoms, %.2f kJ/mol with %s%s\n", output.c_str(),
                topology.residues.size(), topology.atom_count(), energy,
                arguments.text("forcefield").c_str(),
                options.minimize ? ", minimised" : ", not minimised");
  }
  return 0;
}

}  // namespace arbg::apps
