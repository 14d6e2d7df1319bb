#include "md/molecule/structure_check.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numbers>
#include <sstream>
#include <vector>

#include "md/molecule/stereocentres.h"
#include "md/molecule/vector3.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

constexpr double kLongestBondNm = 0.25, kShortestContactNm = 0.12;
constexpr double kWorstOmega = 120.0 / 180.0 * std::numbers::pi;

class Checker {
 public:
  Checker(const Topology& topology, std::span<const double> positions_nm)
      : topology_(topology), positions_(positions_nm) {}

  std::string first_fault() const {
    for (const auto check : {&Checker::wrong_hand, &Checker::broken_bond, &Checker::cis_bond,
                             &Checker::threaded_ring, &Checker::clash}) {
      if (const std::string fault = (this->*check)(); !fault.empty()) return fault;
    }
    return "";
  }

 private:
  std::string broken_bond() const {
    for (const auto& [i, j] : topology_.bonds) {
      if (!(norm(position(i) - position(j)) < kLongestBondNm))
        return "the bond " + bond_name(i, j) + " is broken";
    }
    return "";
  }

  std::string wrong_hand() const { return mirrored_centre(topology_, positions_); }

  std::string cis_bond() const {
    for (int r = 0; r + 1 < residue_count(); ++r) {
      // A cap's methyl carbon stands for CA.
      const int from = either(r, "CA", "CH3"), c = topology_.find(r, "C");
      const int n = topology_.find(r + 1, "N"), to = either(r + 1, "CA", "C");
      if (from < 0 || c < 0 || n < 0 || to < 0) continue;
      const double omega = dihedral(position(from), position(c), position(n), position(to));
      if (!(std::abs(omega) > kWorstOmega))
        return "the peptide bond between " + describe(r) + " and " + describe(r + 1) +
               " is not trans";
    }
    return "";
  }

  std::string threaded_ring() const {
    for (int r = 0; r < residue_count(); ++r) {
      for (const std::vector<int>& ring : rings(r)) {
        for (const auto& [i, j] : topology_.bonds) {
          if (passes_through(ring, i, j))
            return "the bond " + bond_name(i, j) + " passes through the ring of " + describe(r);
        }
      }
    }
    return "";
  }

  std::string clash() const {
    for (int i = 0; i < topology_.atom_count(); ++i) {
      for (int j = i + 1; j < topology_.atom_count(); ++j) {
        if (norm(position(i) - position(j)) < kShortestContactNm &&
            !std::ranges::binary_search(topology_.bonds, std::pair(i, j)))
          return topology_.describe(i) + " and " + topology_.describe(j) + " overlap";
      }
    }
    return "";
  }

  // Five- and six-membered rings of a residue, atoms in order around them.
  std::vector<std::vector<int>> rings(int r) const {
    struct Ring {
      const char* first_letters;  // of the residue's name: HIS, HID, HIE and HIP alike
      std::vector<const char*> atoms;
    };
    static const Ring kRings[] = {
        {"PRO", {"N", "CA", "CB", "CG", "CD"}},
        {"PHE", {"CG", "CD1", "CE1", "CZ", "CE2", "CD2"}},
        {"TYR", {"CG", "CD1", "CE1", "CZ", "CE2", "CD2"}},
        {"HI", {"CG", "ND1", "CE1", "NE2", "CD2"}},
        {"TRP", {"CG", "CD1", "NE1", "CE2", "CD2"}},
        {"TRP", {"CD2", "CE2", "CZ2", "CH2", "CZ3", "CE3"}},
    };
    std::vector<std::vector<int>> result;
    for (const Ring& ring : kRings) {
      if (!residue(r).name.starts_with(ring.first_letters)) continue;
      auto& atoms = result.emplace_back();
      for (const char* name : ring.atoms) atoms.push_back(topology_.find(r, name));
    }
    return result;
  }

  // Does the bond cut one of the triangles between the ring's centre and its sides?
  bool passes_through(const std::vector<int>& ring, int i, int j) const {
    Vector3 centre;
    for (const int atom : ring) {
      if (atom < 0 || atom == i || atom == j) return false;
      centre = centre + (1.0 / static_cast<double>(ring.size())) * position(atom);
    }
    const Vector3 start = position(i), along = position(j) - start;
    for (std::size_t k = 0; k < ring.size(); ++k) {
      const Vector3 a = position(ring[k]), b = position(ring[(k + 1) % ring.size()]);
      // start + t along = centre + u (a - centre) + v (b - centre), solved by Cramer's rule.
      const Vector3 side_a = a - centre, side_b = b - centre, from = start - centre;
      const double volume = dot(along, cross(side_b, side_a));
      if (volume == 0) continue;
      const double t = dot(from, cross(side_a, side_b)) / volume;
      const double u = dot(along, cross(side_b, from)) / volume;
      const double v = dot(along, cross(from, side_a)) / volume;
      if (t >= 0 && t <= 1 && u >= 0 && v >= 0 && u + v <= 1) return true;
    }
    return false;
  }

  int either(int r, const char* name, const char* otherwise) const {
    const int atom = topology_.find(r, name);
    return atom >= 0 ? atom : topology_.find(r, otherwise);
  }

  int residue_count() const { return static_cast<int>(topology_.residues.size()); }
  const Residue& residue(int r) const { return topology_.residues[static_cast<std::size_t>(r)]; }
  std::string describe(int r) const { return residue(r).label(); }
  std::string bond_name(int i, int j) const {
    return topology_.describe(i) + " - " + topology_.describe(j);
  }
  Vector3 position(int atom) const { return at(positions_, atom); }

  const Topology& topology_;
  std::span<const double> positions_;
};

}  // namespace

std::string structure_fault(const Topology& topology, std::span<const double> positions_nm) {
  return Checker(topology, positions_nm).first_fault();
}

std::string gap_in_chain(const Topology& topology, std::span<const double> positions_nm) {
  std::string gap;
  for (const auto& [i, j] : topology.bonds) {
    const double length = norm(at(positions_nm, i) - at(positions_nm, j));
    if (length < kLongestBondNm) continue;
    const Atom &a = topology.atoms[static_cast<std::size_t>(i)],
               &b = topology.atoms[static_cast<std::size_t>(j)];
    const bool is_peptide = a.residue != b.residue && a.name == "C" && b.name == "N";
    if (!is_peptide) return "";  // another kind of fault, with a message of its own
    if (!gap.empty()) continue;
    std::ostringstream text;
    text << "the bond " << topology.describe(i) << " - " << topology.describe(j) << " is "
         << std::setprecision(2) << length << " nm long";
    gap = text.str();
  }
  return gap;
}

std::string conformation_fault(std::span<const double> positions_nm) {
  if (!std::ranges::all_of(positions_nm, [](double x) { return std::isfinite(x); }))
    return "holds a number that is not finite (NaN or infinity)";
  for (std::size_t i = 3; i < positions_nm.size(); ++i) {
    if (positions_nm[i] != positions_nm[i - 3]) return "";
  }
  return positions_nm.size() > 3
             ? "has all atoms at one place, as where a run was killed before it wrote"
             : "";
}

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Of each bond of the force field that has a length: the median length in at most 100 frames,
// evenly spaced, over that length.
struct BondRatio {
  HarmonicBond bond;
  double length_nm, ratio;
};

std::vector<BondRatio> bond_ratios(const Topology& topology, const System& system,
                                   std::span<const double> positions_nm) {
  constexpr std::size_t kMostFrames = 100;
  const std::size_t size = 3 * topology.atoms.size(), frames = positions_nm.size() / size,
                    used = std::min(frames, kMostFrames);
  std::vector<BondRatio> out;
  std::vector<double> lengths(used);
  if (frames == 0) return out;
  for (const HarmonicBond& bond : system.bonds) {
    if (bond.length_nm <= 0) continue;
    for (std::size_t k = 0; k < used; ++k) {
      const auto x = positions_nm.subspan(k * frames / used * size, size);
      lengths[k] = norm(at(x, bond.i) - at(x, bond.j));
    }
    const double length = median(lengths);
    out.push_back({bond, length, length / bond.length_nm});
  }
  return out;
}

bool is_angstrom(const std::vector<BondRatio>& bonds) {
  std::vector<double> ratios;
  for (const BondRatio& bond : bonds) ratios.push_back(bond.ratio);
  if (ratios.empty()) return false;
  const double typical = median(ratios);
  return typical > 5 && typical < 20;
}

std::string lengths_text(const Topology& topology, const BondRatio& wrong) {
  std::ostringstream text;
  text << "the bond " << topology.describe(wrong.bond.i) << " - " << topology.describe(wrong.bond.j)
       << " is " << wrong.length_nm << " nm long, it should be about " << wrong.bond.length_nm;
  return text.str();
}

constexpr double kTolerance = 0.4;  // of a bond's length, relatively
constexpr double kAngstromPerNm = 10;
constexpr const char* kInAngstrom = "positions must be in nm, these are in Angstrom";

}  // namespace

void require_bonded(const Topology& topology, const System& system,
                    std::span<const double> positions_nm, const std::string& where) {
  const auto bonds = bond_ratios(topology, system, positions_nm);
  const auto wrong = std::ranges::find_if(
      bonds, [](const BondRatio& bond) { return !(std::abs(bond.ratio - 1) <= kTolerance); });
  if (wrong == bonds.end()) return;
  fail(where, ": ", lengths_text(topology, *wrong), "; ",
       is_angstrom(bonds)
           ? kInAngstrom
           : "positions must be in nm, and atoms must have the order of the topology");
}

void require_nanometres(const Topology& topology, const System& system,
                        std::span<const double> positions_nm, const std::string& where) {
  const auto bonds = bond_ratios(topology, system, positions_nm);
  const bool all = std::ranges::all_of(bonds, [](const BondRatio& bond) {
    return std::abs(bond.ratio / kAngstromPerNm - 1) <= kTolerance;
  });
  if (all && !bonds.empty())
    fail(where, ": ", lengths_text(topology, bonds.front()), "; ", kInAngstrom);
}

std::string closest_atoms(const Topology& topology, std::span<const double> positions_nm) {
  double least = std::numeric_limits<double>::infinity();
  std::string out;
  for (int i = 0; i < topology.atom_count(); ++i) {
    for (int j = i + 1; j < topology.atom_count(); ++j) {
      const double distance = norm(at(positions_nm, i) - at(positions_nm, j));
      if (distance >= least) continue;
      least = distance;
      out = topology.describe(i) + " and " + topology.describe(j);
    }
  }
  return out;
}

}  // namespace arbg::md
