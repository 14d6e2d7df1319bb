#include "tests/fuzz/targets.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "md/energy/engine.h"
#include "md/files/dcd.h"
#include "md/files/inpcrd.h"
#include "md/files/pdb.h"
#include "md/files/prmtop.h"
#include "md/forcefields/forcefield.h"
#include "nn/files/checkpoint.h"
#include "nn/files/safetensors.h"
#include "sampling/training/mixture_file.h"
#include "tensor/base/error.h"
#include "tensor/base/inflate.h"
#include "tensor/base/json.h"
#include "tensor/base/npy.h"
#include "tensor/base/npz.h"

namespace arbg::fuzz {

namespace {

constexpr int kAtoms = 22;  // of the seeds of readers that are told the number of atoms

void expect(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

void read_pdb(const std::string& bytes) {
  const md::Pdb pdb = md::parse_pdb(bytes, kInputName);
  expect(pdb.positions_nm.size() == 3 * pdb.topology.atoms.size() * std::size_t(pdb.models),
         "a PDB file has another number of coordinates than of atoms");
}

void read_prmtop(const std::string& bytes) {
  const auto amber = md::parse_prmtop(bytes, kInputName, md::ImplicitSolvent::obc2);
  const md::EnergyEngine energy(amber.system);  // whose own checks must have nothing left to find
  std::vector<double> helix;                    // 0.1 nm from atom to atom, more between others
  for (int atom = 0; atom < amber.system.atom_count(); ++atom)
    for (const double x : {std::cos(0.5 * atom), std::sin(0.5 * atom), 0.1 * atom})
      helix.push_back(0.17 * x);
  expect(energy.evaluate(helix, true).forces_kj_mol_nm.size() == helix.size(),
         "an energy has another number of forces than of coordinates");
}

void read_inpcrd(const std::string& bytes) { md::parse_inpcrd(bytes, kInputName, 20); }

void read_dcd(const std::string& bytes) {
  const auto dcd = md::parse_dcd(bytes, kInputName, kAtoms);
  expect(dcd.positions_nm.size() % (3 * kAtoms) == 0, "a DCD file has parts of frames");
  expect(dcd.note.empty() || dcd.note.starts_with(kInputName), "a note does not say of what");
}

void check_array(const Array<double>& array) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : array.shape) elements *= extent;
  expect(elements == static_cast<std::int64_t>(array.data.size()), "an array does not fill itself");
}

void read_npy(const std::string& bytes) { check_array(parse_npy(bytes, kInputName)); }

// All that are there, then the one that trajectories are in.
void read_npz(const std::string& bytes) {
  for (const auto& name : npz_arrays(bytes, kInputName)) {
    try {
      check_array(parse_npz(bytes, name, kInputName));
    } catch (const Error&) {  // the next may be whole
    }
  }
  parse_npz(bytes, "positions", kInputName);
}

// The first two bytes say how many bytes the others should stand for.
void read_inflate(const std::string& bytes) {
  require(bytes.size() > 2, kInputName, ": no bytes to inflate");
  const std::size_t size = static_cast<unsigned char>(bytes[0]) +
                           std::size_t{static_cast<unsigned char>(bytes[1])} * 256;
  expect(inflate(std::string_view(bytes).substr(2), size, kInputName).size() == size,
         "another number of bytes than asked for");
}

void read_json(const std::string& bytes) {
  const std::string text = Json::parse(bytes, kInputName).dump();
  expect(Json::parse(text, kInputName).dump() == text, "written JSON reads back as something else");
}

void read_safetensors(const std::string& bytes) {
  const auto file = nn::Safetensors::parse(bytes, kInputName);
  for (const auto& entry : file.entries()) file.tensor(entry.name, nn::Backend::cpu);
}

void read_checkpoint(const std::string& bytes) {
  const auto checkpoint = nn::Checkpoint::parse(bytes, kInputName, nn::Backend::cpu);
  try {
    checkpoint.network(nn::Backend::cpu, true);
  } catch (const Error& error) {  // which does not know the file
    fail(kInputName, ": ", error.what());
  }
}

void read_mixture(const std::string& bytes) {
  const auto entries = sampling::parse_mixture(bytes, kInputName);
  expect(!entries.empty(), "a mixture of nothing");
}

const Target kTargets[] = {
    {"pdb",
     read_pdb,
     {"energies/amber99sbildn-obc2/Ace-A-Nme/Ace-A-Nme.pdb", "energies/amber14-obc1/AAA/AAA.pdb",
      "cases/altloc-occupancy.pdb"}},
    {"prmtop",
     read_prmtop,
     {"prmtop/paracetamol/paracetamol.prmtop", "cases/atomic-number-minus-1.prmtop"}},
    {"inpcrd", read_inpcrd, {"prmtop/paracetamol/paracetamol.rst7"}},
    {"dcd", read_dcd, {"trajectories/openmm.dcd", "trajectories/mdtraj.dcd"}},
    {"npy",
     read_npy,
     {"energies/amber99sbildn-obc2/Ace-A-Nme/energy.npy", "cases/python-2-header.npy"}},
    {"npz", read_npz, {}},
    {"inflate", read_inflate, {}},
    {"json", read_json, {"network/single-system/config.json", "metrics/expected.json"}},
    {"safetensors", read_safetensors, {"network/single-system/io.safetensors"}},
    {"checkpoint", read_checkpoint, {"network/old-names/cross-attention/step-2.safetensors"}},
    {"mixture", read_mixture, {}},
};

}  // namespace

std::span<const Target> targets() { return kTargets; }

std::vector<std::filesystem::path> seeds_of(const Target& target) {
  std::vector<std::filesystem::path> paths;
  for (const char* seed : target.seeds)
    paths.push_back(std::filesystem::path(ARBG_GOLDEN_DIR) / seed);
  const auto corpus = std::filesystem::path(ARBG_FUZZ_CORPUS_DIR) / target.name;
  if (std::filesystem::exists(corpus)) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string run(const Target& target, const std::string& bytes) {
  try {
    target.read(bytes);
    return "";
  } catch (const Error& error) {
    const std::string message = error.what();
    if (!message.starts_with(kInputName))
      throw std::logic_error("a refusal does not say where: " + message);
    return message;
  }
}

}  // namespace arbg::fuzz
