#include "md/files/prmtop.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <sstream>

#include "md/files/prmtop_sections.h"
#include "md/files/prmtop_supported.h"
#include "md/forcefields/known_names.h"
#include "md/molecule/elements.h"
#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/quoted.h"

namespace arbg::md {

namespace {

constexpr double kKjPerKcal = 4.184;
constexpr double kAmberCharge = 18.2223;  // sqrt(332.0522 kcal Angstrom/mol): AMBER's unit
constexpr double kShortestBond = 0.5;     // Angstrom; a file in nm has less
constexpr double kHalfTurn = 3.15;        // pi and what rounding adds; a file in degrees has more

constexpr const char* kRemedy = "ParmEd's changeRadii mbondi2";

// Places in POINTERS, from 0.
enum Pointer {
  kAtoms = 0,
  kTypes = 1,
  kBondsWithHydrogen = 2,
  kBonds = 3,
  kAnglesWithHydrogen = 4,
  kAngles = 5,
  kDihedralsWithHydrogen = 6,
  kDihedrals = 7,
  kExcluded = 10,
  kResidues = 11,
  kBondTypes = 15,
  kAngleTypes = 16,
  kDihedralTypes = 17,
  kHydrogenBondTypes = 19,
  kExtraPoints = 30
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& path) : file_(text, path), path_(path) {}

  AmberMolecule read(ImplicitSolvent solvent) {
    check_supported(file_);
    read_pointers();
    read_names();
    check_virtual_sites();
    read_elements();
    read_bonds();
    read_angles();
    read_lennard_jones();
    read_exclusions();
    read_dihedrals();
    if (solvent != ImplicitSolvent::none) read_solvent(solvent);
    return std::move(molecule_);
  }

 private:
  void read_pointers() {
    const char* flag = "POINTERS";
    pointers_ = file_.integers(flag, PrmtopSections::kAny);
    file_.check(pointers_.size() >= 30, flag, 0, "expected at least 30 whole numbers, found ",
                pointers_.size());
    pointers_.resize(std::max<std::size_t>(pointers_.size(), kExtraPoints + 1), 0);
    for (std::size_t i = 0; i < pointers_.size(); ++i)
      file_.check(pointers_[i] >= 0, flag, i, "expected counts, found ", pointers_[i]);
    file_.check(pointers_[kAtoms] > 0 && pointers_[kTypes] > 0 && pointers_[kResidues] > 0, flag, 0,
                "expected at least one atom, atom type and residue, found ", pointers_[kAtoms],
                ", ", pointers_[kTypes], " and ", pointers_[kResidues]);
  }

  void read_names() {
    Topology& topology = molecule_.topology;
    const auto names = file_.words("ATOM_NAME", count(kAtoms));
    molecule_.system.mass_amu = file_.numbers("MASS", count(kAtoms));
    const auto labels = file_.words("RESIDUE_LABEL", count(kResidues));
    const auto firsts = file_.integers("RESIDUE_POINTER", count(kResidues));
    for (std::size_t r = 0; r < labels.size(); ++r) {
      const int first = firsts[r] - 1;
      const int next = r + 1 < firsts.size() ? firsts[r + 1] - 1 : pointers_[kAtoms];
      file_.check(first < next && next <= pointers_[kAtoms] && (r > 0 || first == 0),
                  "RESIDUE_POINTER", r, "expected first atoms that ascend from 1 to at most ",
                  pointers_[kAtoms], ", found ", firsts[r]);
      file_.check(!is_water(labels[r]), "RESIDUE_LABEL", r, "residue ", r + 1, " is water (",
                  labels[r], "), which needs constraints; only implicit solvent is supported");
      topology.residues.push_back({labels[r], static_cast<int>(r) + 1, first, next - first});
      for (int atom = first; atom < next; ++atom)
        topology.atoms.push_back({names[static_cast<std::size_t>(atom)], "", static_cast<int>(r)});
    }
  }

  void check_virtual_sites() const {
    const auto types = file_.words("AMBER_ATOM_TYPE", count(kAtoms));
    const auto numbers = atomic_numbers();
    const auto& masses = molecule_.system.mass_amu;
    for (std::size_t i = 0; i < types.size(); ++i) {
      const std::string atom = describe(static_cast<int>(i));
      file_.check(types[i] != "EP" && types[i] != "LP" && numbers[i] != 0, "AMBER_ATOM_TYPE", i,
                  atom, " is a virtual site (extra point), which is not supported");
      file_.check(masses[i] > 0, "MASS", i, "expected a mass above 0 for ", atom, ", found ",
                  masses[i], "; virtual sites (extra points) are not supported");
    }
    file_.check(pointers_[kExtraPoints] == 0, "POINTERS", kExtraPoints,
                "virtual sites (NUMEXTRA) are not supported");
  }

  // By number, or else by mass.
  void read_elements() {
    const auto numbers = atomic_numbers();
    const auto& masses = molecule_.system.mass_amu;
    std::vector<int> unknown;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      std::string_view element = element_of_number(numbers[i]);
      if (element.empty()) element = element_of_mass(masses[i]);
      if (element.empty()) unknown.push_back(static_cast<int>(i));
      molecule_.topology.atoms[i].element = element;
    }
    if (unknown.empty()) return;
    note(unknown.size(), " atoms have neither an atomic number nor the mass of an element, first ",
         describe(unknown[0]), ", ", masses[static_cast<std::size_t>(unknown[0])],
         " amu; energies do not need it");
  }

  // -1, as AMBER writes it, where the file does not say.
  std::vector<int> atomic_numbers() const {
    if (file_.has("ATOMIC_NUMBER")) return file_.integers("ATOMIC_NUMBER", count(kAtoms));
    return std::vector<int>(static_cast<std::size_t>(pointers_[kAtoms]), -1);
  }

  void read_bonds() {
    const auto k = file_.numbers("BOND_FORCE_CONSTANT", count(kBondTypes));
    const auto length = file_.numbers("BOND_EQUIL_VALUE", count(kBondTypes));
    auto& bonds = molecule_.topology.bonds;
    for_each_term<2>("BONDS_INC_HYDROGEN", "BONDS_WITHOUT_HYDROGEN", kBondsWithHydrogen, kBonds,
                     k.size(), [&](const Term<2>& term) {
                       const auto [i, j] = std::minmax(term.atoms[0], term.atoms[1]);
                       bonds.emplace_back(i, j);
                       const double k_kj_mol_nm2 =
                           2 * k[term.type] * kKjPerKcal / (kNmPerAngstrom * kNmPerAngstrom);
                       if (k_kj_mol_nm2 == 0) return;
                       file_.check(length[term.type] >= kShortestBond, "BOND_EQUIL_VALUE",
                                   term.type, "expected Angstrom, at least ", kShortestBond,
                                   ", found ", length[term.type]);
                       molecule_.system.bonds.push_back(
                           {i, j, length[term.type] * kNmPerAngstrom, k_kj_mol_nm2});
                     });
    std::sort(bonds.begin(), bonds.end());
    const auto twice = std::adjacent_find(bonds.begin(), bonds.end());
    require(twice == bonds.end(), path_, ": the bond ", describe_pair(twice), " stands twice");
  }

  void read_angles() {
    const auto k = file_.numbers("ANGLE_FORCE_CONSTANT", count(kAngleTypes));
    const auto angle = file_.numbers("ANGLE_EQUIL_VALUE", count(kAngleTypes));
    for_each_term<3>("ANGLES_INC_HYDROGEN", "ANGLES_WITHOUT_HYDROGEN", kAnglesWithHydrogen, kAngles,
                     k.size(), [&](const Term<3>& term) {
                       const auto [i, j, l] = term.atoms;
                       if (k[term.type] == 0) return;
                       file_.check(angle[term.type] >= 0 && angle[term.type] < kHalfTurn,
                                   "ANGLE_EQUIL_VALUE", term.type,
                                   "expected radians, 0 to pi, found ", angle[term.type]);
                       molecule_.system.angles.push_back(
                           {i, j, l, angle[term.type], 2 * k[term.type] * kKjPerKcal});
                     });
  }

  // Each dihedral is one cosine. A negative third atom: its ends have no 1-4 interaction (it is one
  // of several cosines, or in a ring); a negative fourth: improper, without one either.
  void read_dihedrals() {
    const auto k = file_.numbers("DIHEDRAL_FORCE_CONSTANT", count(kDihedralTypes));
    const auto phase = file_.numbers("DIHEDRAL_PHASE", count(kDihedralTypes));
    const auto periodicity = file_.numbers("DIHEDRAL_PERIODICITY", count(kDihedralTypes));
    const auto scee = scale_factors("SCEE_SCALE_FACTOR", 1.2);
    const auto scnb = scale_factors("SCNB_SCALE_FACTOR", 2.0);
    std::set<std::pair<int, int>> pairs;
    for_each_term<4>(
        "DIHEDRALS_INC_HYDROGEN", "DIHEDRALS_WITHOUT_HYDROGEN", kDihedralsWithHydrogen, kDihedrals,
        k.size(), [&](const Term<4>& term) {
          const auto [a, b, c, d] = term.atoms;
          if (k[term.type] != 0) {
            const double n = periodicity[term.type];
            file_.check(n == std::round(n) && n >= 1 && n <= kMostPeriodicity,
                        "DIHEDRAL_PERIODICITY", term.type, "expected a whole number from 1 to ",
                        kMostPeriodicity, ", found ", n);
            file_.check(std::abs(phase[term.type]) < 2 * kHalfTurn, "DIHEDRAL_PHASE", term.type,
                        "expected radians, at most 2 pi, found ", phase[term.type]);
            molecule_.system.torsions.push_back(
                {a, b, c, d, static_cast<int>(n), phase[term.type], k[term.type] * kKjPerKcal});
          }
          if (term.negative[2] || term.negative[3]) return;
          const std::pair<int, int> pair = std::minmax(a, d);
          file_.check(pairs.insert(pair).second, term.flag, term.item, "the 1-4 pair ",
                      describe(pair.first), " - ", describe(pair.second), " stands twice");
          file_.check(is_excluded(pair), term.flag, term.item, "the 1-4 pair ",
                      describe(pair.first), " - ", describe(pair.second),
                      " is missing in EXCLUDED_ATOMS_LIST");
          file_.check(scee[term.type] > 0 && scnb[term.type] > 0, term.flag, term.item,
                      "expected SCEE and SCNB above 0 for a 1-4 pair, found ", scee[term.type],
                      " and ", scnb[term.type]);
          add_scaled_pair(pair, scee[term.type], scnb[term.type]);
        });
  }

  void add_scaled_pair(const std::pair<int, int>& pair, double scee, double scnb) {
    const auto& atoms = molecule_.system.nonbonded;
    const auto i = static_cast<std::size_t>(pair.first), j = static_cast<std::size_t>(pair.second);
    const LennardJones lj = lennard_jones(types_[i], types_[j]);
    molecule_.system.scaled_pairs.push_back({pair.first, pair.second,
                                             atoms[i].charge_e * atoms[j].charge_e / scee,
                                             lj.sigma_nm, lj.epsilon_kj_mol / scnb});
  }

  std::vector<double> scale_factors(const char* flag, double fallback) const {
    if (file_.has(flag)) return file_.numbers(flag, count(kDihedralTypes));
    return std::vector<double>(static_cast<std::size_t>(pointers_[kDihedralTypes]), fallback);
  }

  struct LennardJones {
    double sigma_nm, epsilon_kj_mol;
  };

  void read_lennard_jones() {
    const std::int64_t types = count(kTypes), pairs = types * (types + 1) / 2;
    lj_index_ = file_.integers("NONBONDED_PARM_INDEX", types * types);
    lj_a_ = file_.numbers("LENNARD_JONES_ACOEF", pairs);
    lj_b_ = file_.numbers("LENNARD_JONES_BCOEF", pairs);
    for (const char* flag : {"HBOND_ACOEF", "HBOND_BCOEF"}) {
      const auto values = file_.numbers(flag, count(kHydrogenBondTypes));
      for (std::size_t i = 0; i < values.size(); ++i)
        file_.check(values[i] == 0, flag, i, "10-12 terms are not supported");
    }
    for (std::size_t i = 0; i < lj_index_.size(); ++i) {
      file_.check(lj_index_[i] != 0 && lj_index_[i] <= pairs && -lj_index_[i] <= pairs,
                  "NONBONDED_PARM_INDEX", i, "expected 1 to ", pairs, ", found ", lj_index_[i]);
    }
    std::vector<LennardJones> own(static_cast<std::size_t>(types));
    for (std::size_t t = 0; t < own.size(); ++t)
      own[t] = lennard_jones(static_cast<int>(t), static_cast<int>(t));
    for (int s = 0; s < types; ++s) {
      for (int t = s; t < types; ++t) check_mixing(s, t, own);
    }

    types_ = file_.integers("ATOM_TYPE_INDEX", count(kAtoms));
    const auto charges = file_.numbers("CHARGE", count(kAtoms));
    for (std::size_t i = 0; i < types_.size(); ++i) {
      file_.check(types_[i] >= 1 && types_[i] <= types, "ATOM_TYPE_INDEX", i, "expected 1 to ",
                  types, ", found ", types_[i]);
      --types_[i];
      const LennardJones& lj = own[static_cast<std::size_t>(types_[i])];
      molecule_.system.nonbonded.push_back(
          {charges[i] / kAmberCharge, lj.sigma_nm, lj.epsilon_kj_mol});
    }
  }

  // A/r^12 - B/r^6 of two types, in kcal/mol and Angstrom. A negative index is a 10-12 term, and
  // those are all 0.
  std::pair<double, double> coefficients(int s, int t) const {
    const int index =
        lj_index_[static_cast<std::size_t>(s) * static_cast<std::size_t>(pointers_[kTypes]) +
                  static_cast<std::size_t>(t)];
    if (index < 0) return {0, 0};
    return {lj_a_[static_cast<std::size_t>(index - 1)], lj_b_[static_cast<std::size_t>(index - 1)]};
  }

  LennardJones lennard_jones(int s, int t) const {
    const auto [a, b] = coefficients(s, t);
    if (a == 0 || b == 0) return {kNmPerAngstrom, 0};
    return {std::pow(a / b, 1.0 / 6) * kNmPerAngstrom, b * b / (4 * a) * kKjPerKcal};
  }

  // Does the pair follow from its two types? To 1e-6, as the file has eight digits.
  void check_mixing(int s, int t, const std::vector<LennardJones>& own) const {
    const auto [a, b] = coefficients(s, t);
    const LennardJones &x = own[static_cast<std::size_t>(s)], &y = own[static_cast<std::size_t>(t)];
    const double sigma = (x.sigma_nm + y.sigma_nm) / (2 * kNmPerAngstrom);
    const double epsilon = std::sqrt(x.epsilon_kj_mol * y.epsilon_kj_mol) / kKjPerKcal;
    const double expected_b = 4 * epsilon * std::pow(sigma, 6);
    const double expected_a = expected_b * std::pow(sigma, 6);
    const bool good = a >= 0 && b >= 0 && std::abs(a - expected_a) <= 1e-6 * a &&
                      std::abs(b - expected_b) <= 1e-6 * b;
    file_.check(good, "LENNARD_JONES_ACOEF", 0, "atom types ", s + 1, " and ", t + 1,
                " do not mix by the Lorentz-Berthelot rules (A ", a, ", B ", b, "; expected ",
                expected_a, ", ", expected_b, "); pair parameters (NBFIX) are not supported");
  }

  void read_exclusions() {
    const char *counts_flag = "NUMBER_EXCLUDED_ATOMS", *list_flag = "EXCLUDED_ATOMS_LIST";
    const auto counts = file_.integers(counts_flag, count(kAtoms));
    const auto list = file_.integers(list_flag, count(kExcluded));
    auto& exclusions = molecule_.system.exclusions;
    std::size_t at = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto left = list.size() - at;
      file_.check(counts[i] >= 0 && static_cast<std::size_t>(counts[i]) <= left, counts_flag, i,
                  "expected at most ", left, ", what is left of the list, found ", counts[i]);
      for (const std::size_t end = at + static_cast<std::size_t>(counts[i]); at < end; ++at) {
        if (list[at] == 0) continue;  // stands for none
        const int atom = static_cast<int>(i), other = list[at] - 1;
        file_.check(other >= 0 && other < pointers_[kAtoms] && other != atom, list_flag, at,
                    "expected another atom, 1 to ", pointers_[kAtoms], ", found ", list[at]);
        exclusions.push_back(std::minmax(atom, other));
      }
    }
    std::sort(exclusions.begin(), exclusions.end());
    exclusions.erase(std::unique(exclusions.begin(), exclusions.end()), exclusions.end());
  }

  bool is_excluded(const std::pair<int, int>& pair) const {
    const auto& exclusions = molecule_.system.exclusions;
    return std::binary_search(exclusions.begin(), exclusions.end(), pair);
  }

  void read_solvent(ImplicitSolvent solvent) {
    System& system = molecule_.system;
    for (const char* flag : {"RADII", "SCREEN"})
      require(file_.has(flag), path_, ": the section %FLAG ", flag,
              ", which implicit solvent needs, is missing; if the file is whole, ", kRemedy,
              " adds it");
    const auto radii = file_.numbers("RADII", count(kAtoms));
    const auto screen = file_.numbers("SCREEN", count(kAtoms));
    if (solvent == ImplicitSolvent::obc1) {
      system.born.alpha = 0.8;
      system.born.beta = 0;
      system.born.gamma = 2.909125;
      system.born.descreens_inside = false;
    }
    system.born.solvent_dielectric = 78.5;
    for (std::size_t i = 0; i < radii.size(); ++i) {
      const double radius = radii[i] * kNmPerAngstrom;
      file_.check(radius > system.born.offset_nm, "RADII", i, "expected a radius above ",
                  system.born.offset_nm / kNmPerAngstrom, " Angstrom for ",
                  describe(static_cast<int>(i)), ", found ", radii[i], "; ", kRemedy, " sets it");
      file_.check(screen[i] >= 0, "SCREEN", i, "expected a factor of at least 0, found ",
                  screen[i]);
      system.born_atoms.push_back({radius, screen[i]});
    }
    check_radius_set(solvent);
  }

  // Both models were fitted with the radii that AMBER calls mbondi2 (Onufriev et al., 2004).
  void check_radius_set(ImplicitSolvent solvent) {
    const auto lines = file_.has("RADIUS_SET") ? file_.words("RADIUS_SET", PrmtopSections::kAny)
                                               : std::vector<std::string>();
    const std::string set = lines.empty() ? "without a name" : lines[0];
    if (set.find("(mbondi2)") != std::string::npos) return;
    Quoted name(set);
    name.most = 80;
    note("the radii are ", name, " (RADIUS_SET), not those that ",
         solvent == ImplicitSolvent::obc1 ? "OBC1" : "OBC2", " was fitted with (mbondi2); ",
         kRemedy, " sets those");
  }

  template <class... Parts>
  void note(const Parts&... parts) {
    std::ostringstream text;
    ((text << path_ << ": ") << ... << parts);
    molecule_.notes.push_back(text.str());
  }

  // One bond, angle or dihedral: its atoms, which of them were negative, its type from 0, and where
  // it stands.
  template <std::size_t n>
  struct Term {
    std::array<int, n> atoms;
    std::array<bool, n> negative;
    std::size_t type;
    const char* flag;
    std::size_t item;
  };

  // Terms are n coordinate indices (three times the atom's, from 0) and a type (from 1).
  template <std::size_t n, class Use>
  void for_each_term(const char* with_hydrogen, const char* without, Pointer count_with,
                     Pointer count_without, std::size_t types, const Use& use) {
    for (const auto& [flag, pointer] :
         {std::pair(with_hydrogen, count_with), std::pair(without, count_without)}) {
      const auto numbers = file_.integers(flag, count(pointer) * static_cast<std::int64_t>(n + 1));
      for (std::size_t item = 0; item < numbers.size(); item += n + 1) {
        Term<n> term{{}, {}, 0, flag, item};
        for (std::size_t k = 0; k < n; ++k) {
          const std::int64_t index = std::abs(std::int64_t{numbers[item + k]});
          term.negative[k] = numbers[item + k] < 0;
          file_.check(
              index % 3 == 0 && index / 3 < pointers_[kAtoms] && (!term.negative[k] || k > 1), flag,
              item + k, "expected three times the index of an atom, at most ",
              3 * (count(kAtoms) - 1), ", found ", numbers[item + k]);
          term.atoms[k] = static_cast<int>(index / 3);
          file_.check(std::count(term.atoms.begin(), term.atoms.begin() + k, term.atoms[k]) == 0,
                      flag, item, "expected different atoms, found ", describe(term.atoms[k]),
                      " twice");
        }
        const int type = numbers[item + n];
        file_.check(type >= 1 && static_cast<std::size_t>(type) <= types, flag, item + n,
                    "expected a type from 1 to ", types, ", found ", type);
        term.type = static_cast<std::size_t>(type - 1);
        use(term);
      }
    }
  }

  std::int64_t count(Pointer pointer) const { return pointers_[pointer]; }
  std::string describe(int atom) const { return molecule_.topology.describe(atom); }
  std::string describe_pair(std::vector<std::pair<int, int>>::const_iterator bond) const {
    if (bond == molecule_.topology.bonds.end()) return "";
    return describe(bond->first) + " - " + describe(bond->second);
  }

  PrmtopSections file_;
  std::string path_;
  std::vector<int> pointers_;
  std::vector<int> lj_index_, types_;  // [types, types] from 1; of each atom from 0
  std::vector<double> lj_a_, lj_b_;    // kcal/mol Angstrom^12 and ^6
  AmberMolecule molecule_;
};

}  // namespace

ImplicitSolvent implicit_solvent_named(std::string_view name) {
  if (name == "none") return ImplicitSolvent::none;
  if (name == "obc1") return ImplicitSolvent::obc1;
  if (name == "obc2") return ImplicitSolvent::obc2;
  fail("there is no implicit solvent named '", name, "'; there are: none, obc1, obc2");
}

AmberMolecule parse_prmtop(std::string_view text, const std::string& name,
                           ImplicitSolvent solvent) {
  return Reader(text, name).read(solvent);
}

AmberMolecule read_prmtop(const std::filesystem::path& path, ImplicitSolvent solvent) {
  return parse_prmtop(read_file(path), path.string(), solvent);
}

}  // namespace arbg::md
