#include "md/files/trajectory_order.h"

#include <algorithm>
#include <regex>
#include <system_error>

#include "tensor/base/error.h"

namespace arbg::md {

namespace {

constexpr const char* kOfRun = "topology.pdb";  // beside positions.npy

const Residue& residue_of(const Topology& topology, int atom) {
  const Atom& named = topology.atoms[static_cast<std::size_t>(atom)];
  return topology.residues[static_cast<std::size_t>(named.residue)];
}

// The atom of `other` that is `atom` of `topology`, or -1.
int partner(const Topology& topology, int atom, const Topology& other) {
  const Atom& named = topology.atoms[static_cast<std::size_t>(atom)];
  if (named.residue >= static_cast<int>(other.residues.size())) return -1;
  const Residue& there = other.residues[static_cast<std::size_t>(named.residue)];
  return there.name == residue_of(topology, atom).name ? other.find(named.residue, named.name) : -1;
}

}  // namespace

std::optional<PublishedName> published_name(const std::filesystem::path& trajectory) {
  static const std::regex kName(R"((.+)_([0-9]+(?:\.[0-9]+)?)K_(?:train|val|test)\.np[yz])");
  std::smatch parts;
  const std::string name = trajectory.filename().string();
  if (!std::regex_match(name, parts, kName)) return {};
  return PublishedName{parts[1], parts[2]};
}

std::filesystem::path pdb_beside(const std::filesystem::path& trajectory) {
  std::vector<std::string> candidates;
  if (trajectory.filename() == "positions.npy") candidates = {kOfRun};
  if (const auto name = published_name(trajectory))
    candidates = {name->pdb(), name->sequence + ".pdb"};
  for (const auto& candidate : candidates) {
    const auto path = trajectory.parent_path() / candidate;
    std::error_code not_there;
    if (std::filesystem::exists(path, not_there)) return path;
  }
  return {};
}

bool is_of_run(const std::filesystem::path& pdb) { return pdb.filename() == kOfRun; }

std::string order_note(const std::filesystem::path& trajectory, const std::filesystem::path& pdb,
                       bool moved) {
  if (!moved && is_of_run(pdb)) return "";
  return trajectory.string() + ": atoms are ordered as in " + pdb.string() +
         (moved ? ", and matched by names" : "");
}

std::vector<int> atom_order(const Topology& from, const Topology& to) {
  std::vector<int> order, place(from.atoms.size(), -1);
  for (int atom = 0; atom < to.atom_count(); ++atom) {
    const int other = partner(to, atom, from);
    require(other >= 0, "expected the atom ", to.describe(atom), ", found none of that name");
    place[static_cast<std::size_t>(other)] = atom;
    order.push_back(other);
  }
  const auto extra = std::ranges::find(place, -1) - place.begin();
  require(extra == std::ssize(place), "found the atom ",
          extra == std::ssize(place) ? "" : from.describe(static_cast<int>(extra)),
          ", which should not be there");
  for (const auto& [i, j] : from.bonds) {
    const int a = place[static_cast<std::size_t>(i)], b = place[static_cast<std::size_t>(j)];
    require(std::ranges::binary_search(to.bonds, a < b ? std::pair(a, b) : std::pair(b, a)),
            "found a bond between ", from.describe(i), " and ", from.describe(j),
            ", which should not be there");
  }
  require(from.bonds.size() == to.bonds.size(), "expected ", to.bonds.size(), " bonds, found ",
          from.bonds.size());
  return order;
}

bool is_same_order(std::span<const int> order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<int>(i)) return false;
  }
  return true;
}

std::vector<double> reordered(std::span<const double> positions, std::span<const int> order) {
  std::vector<double> out;
  out.reserve(positions.size());
  for (std::size_t frame = 0; frame < positions.size(); frame += 3 * order.size()) {
    for (const int atom : order) {
      const auto from = positions.subspan(frame + 3 * static_cast<std::size_t>(atom), 3);
      out.insert(out.end(), from.begin(), from.end());
    }
  }
  return out;
}

}  // namespace arbg::md
