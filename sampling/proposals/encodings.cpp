#include "sampling/proposals/encodings.h"

#include <algorithm>

#include "md/forcefields/known_names.h"
#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

// In the order of their codes, the first of which is 1.
constexpr std::string_view kAtomTypes[] = {
    "C",   "CA",  "CB",  "CD",  "CD1", "CD2", "CE",  "CE1", "CE2", "CE3", "CG",
    "CG1", "CG2", "CH2", "CZ",  "CZ2", "CZ3", "H",   "HA",  "HB",  "HD",  "HD1",
    "HD2", "HE",  "HE1", "HE2", "HE3", "HG",  "HG1", "HG2", "HH",  "HH1", "HH2",
    "HZ",  "HZ2", "HZ3", "N",   "ND1", "ND2", "NE",  "NE1", "NE2", "NH1", "NH2",
    "NZ",  "O",   "OD",  "OE",  "OG",  "OG1", "OH",  "OXT", "SD",  "SG"};
constexpr std::string_view kResidueTypes[] = {"ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU",
                                              "GLY", "HIS", "ILE", "LEU", "LYS", "MET", "PHE",
                                              "PRO", "SER", "THR", "TRP", "TYR", "VAL"};
static_assert(std::size(kAtomTypes) == 54 && std::size(kResidueTypes) == 20);

std::int32_t code(std::span<const std::string_view> names, std::string_view name) {  // 0: none
  const auto place = std::ranges::find(names, name);
  return place == names.end() ? 0 : static_cast<std::int32_t>(place - names.begin() + 1);
}

bool has_aromatic_ring(std::string_view residue) {
  return residue == "HIS" || residue == "PHE" || residue == "TRP" || residue == "TYR";
}

// HIE is what HIS means where nothing else is said.
std::string_view residue_name(const md::Residue& residue) {
  return residue.name == "HIE" ? std::string_view("HIS") : residue.name;
}

[[noreturn]] void refuse(const md::Topology& topology, int r) {
  const auto& residue = topology.residues[static_cast<std::size_t>(r)];
  const std::vector<std::string> known(std::begin(kResidueTypes), std::end(kResidueTypes));
  const bool is_cap = topology.find(r, "CA") < 0;
  fail("residue ", residue.label(),
       " has no code in the published conditioning, which knows the twenty amino acids without "
       "caps or other protonation states",
       is_cap ? "; the nearest is a chain without caps" : md::advice(residue.name, known));
}

}  // namespace

std::string reduced_atom_name(std::string_view residue, std::string_view atom) {
  std::string name(atom);
  const auto begins_with = [&](std::string_view start) { return name.starts_with(start); };
  const bool of_ring = has_aromatic_ring(residue) && (begins_with("HE") || begins_with("HD") ||
                                                      begins_with("HZ") || begins_with("HH"));
  const bool numbered = !name.empty() && name.back() >= '1' && name.back() <= '3';
  if ((begins_with("H") && numbered && !of_ring) || begins_with("OE") || begins_with("OD"))
    name.pop_back();
  return name;
}

MoleculeEncoding encode_molecule(const md::Topology& topology) {
  MoleculeEncoding out;
  out.chain_length = static_cast<std::int32_t>(topology.residues.size());
  for (int atom = 0; atom < topology.atom_count(); ++atom) {
    const auto& [name, element, r] = topology.atoms[static_cast<std::size_t>(atom)];
    const auto& residue = topology.residues[static_cast<std::size_t>(r)];
    out.residue_type.push_back(code(kResidueTypes, residue_name(residue)));
    if (out.residue_type.back() == 0) refuse(topology, r);
    out.atom_type.push_back(code(kAtomTypes, reduced_atom_name(residue_name(residue), name)));
    require(out.atom_type.back() > 0, "atom ", topology.describe(atom),
            " has no code in the published conditioning");
    out.residue_index.push_back(r + 1);
  }
  return out;
}

nn::Molecules stack_molecules(std::span<const MoleculeEncoding* const> rows,
                              std::int64_t most_atoms, nn::Backend backend) {
  const auto B = std::ssize(rows);
  std::vector<std::int32_t> atom_type, residue_type, residue_index, chain_length, atom_count;
  const auto append = [&](std::vector<std::int32_t>& all, const std::vector<std::int32_t>& row) {
    require(std::ssize(row) <= most_atoms, "a molecule of ", row.size(),
            " atoms does not fit into a batch of ", most_atoms);
    all.insert(all.end(), row.begin(), row.end());
    all.insert(all.end(), static_cast<std::size_t>(most_atoms) - row.size(), 0);
  };
  for (const auto* row : rows) {
    append(atom_type, row->atom_type);
    append(residue_type, row->residue_type);
    append(residue_index, row->residue_index);
    chain_length.push_back(row->chain_length);
    atom_count.push_back(static_cast<std::int32_t>(row->atom_count()));
  }
  const auto tensor = [&](const std::vector<std::int32_t>& values, const nn::Shape& shape) {
    return nn::Tensor::from_indices(values, shape, backend);
  };
  return {tensor(atom_type, {B, most_atoms}), tensor(residue_type, {B, most_atoms}),
          tensor(residue_index, {B, most_atoms}), tensor(chain_length, {B}),
          tensor(atom_count, {B})};
}

}  // namespace arbg::sampling
