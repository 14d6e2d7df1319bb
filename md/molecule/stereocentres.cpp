#include "md/molecule/stereocentres.h"

#include <algorithm>

#include "md/molecule/vector3.h"
#include "tensor/base/error.h"

namespace arbg::md {

double Stereocentre::volume(std::span<const double> x) const {
  const Vector3 origin = at(x, centre);
  return dot(at(x, a) - origin, cross(at(x, b) - origin, at(x, c) - origin));
}

std::vector<Stereocentre> stereocentres(const Topology& topology) {
  std::vector<Stereocentre> result;
  for (int r = 0; r < static_cast<int>(topology.residues.size()); ++r) {
    const auto add = [&](const char* centre, const char* a, const char* b, const char* c) {
      const Stereocentre atoms{topology.find(r, centre), topology.find(r, a), topology.find(r, b),
                               topology.find(r, c)};
      if (std::min({atoms.centre, atoms.a, atoms.b, atoms.c}) >= 0) result.push_back(atoms);
    };
    add("CA", "N", "C", "CB");
    const std::string& name = topology.residues[static_cast<std::size_t>(r)].name;
    if (name == "ILE") add("CB", "CA", "CG1", "CG2");
    if (name == "THR") add("CB", "CA", "OG1", "CG2");
  }
  return result;
}

namespace {

std::string describe(const Topology& topology, const Stereocentre& mirrored) {
  const Atom& atom = topology.atoms[static_cast<std::size_t>(mirrored.centre)];
  const std::string residue = topology.residues[static_cast<std::size_t>(atom.residue)].label();
  return atom.name == "CA" ? residue + " is a D residue"
                           : "the side chain of " + residue + " has the wrong hand";
}

const Stereocentre* find_mirrored(std::span<const Stereocentre> centres,
                                  std::span<const double> positions_nm) {
  const auto found = std::ranges::find_if(
      centres, [&](const Stereocentre& centre) { return centre.volume(positions_nm) < 0; });
  return found == centres.end() ? nullptr : &*found;
}

}  // namespace

std::string mirrored_centre(const Topology& topology, std::span<const double> positions_nm) {
  const auto centres = stereocentres(topology);
  const Stereocentre* mirrored = find_mirrored(centres, positions_nm);
  return mirrored ? describe(topology, *mirrored) : "";
}

void require_natural_hands(const Topology& topology, std::span<const double> positions_nm,
                           const std::string& where) {
  const auto centres = stereocentres(topology);
  const std::size_t frame = 3 * topology.atoms.size();
  for (std::size_t start = 0; start < positions_nm.size(); start += frame) {
    const Stereocentre* mirrored = find_mirrored(centres, positions_nm.subspan(start, frame));
    if (!mirrored) continue;
    fail(where, frame < positions_nm.size() ? ": frame " + std::to_string(start / frame) : "", ": ",
         describe(topology, *mirrored),
         "; expected L amino acids, which is what models are of (arbg energy, minimize and convert "
         "take both hands)");
  }
}

}  // namespace arbg::md
