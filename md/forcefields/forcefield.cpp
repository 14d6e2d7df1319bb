#include "md/forcefields/forcefield.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "md/forcefields/impropers.h"
#include "md/forcefields/tables.h"
#include "md/forcefields/templates.h"
#include "tensor/base/defects.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

bool fits(int rule_class, int atom_class) {
  return rule_class == kAnyClass || rule_class == atom_class;
}

// Do the classes of a rule fit those of the atoms, read in either direction?
template <std::size_t n>
bool fits_either_way(const std::array<int, n>& rule, const std::array<int, n>& atoms) {
  return std::equal(rule.begin(), rule.end(), atoms.begin(), fits) ||
         std::equal(rule.begin(), rule.end(), atoms.rbegin(), fits);
}

// Fills a System list by list, in an order that only the topology decides.
class SystemBuilder {
 public:
  SystemBuilder(const ForceFieldTables& tables, const Topology& topology)
      : tables_(tables), topology_(topology), neighbours_(topology.neighbours()) {}

  System build() {
    add_atoms();
    add_bonds();
    add_angles();
    add_propers();
    add_impropers();
    add_exclusions();
    system_.born = tables_.born;
    system_.cutoff_nm = tables_.cutoff_nm;
    return std::move(system_);
  }

 private:
  void add_atoms() {
    for (const TemplateMatch& match : match_templates(tables_, topology_)) {
      for (const int template_atom : match.template_atoms) {
        const TemplateAtom& atom = match.residue->atoms[static_cast<std::size_t>(template_atom)];
        const AtomClass& atom_class = tables_.classes[static_cast<std::size_t>(atom.atom_class)];
        classes_.push_back(atom.atom_class);
        template_atoms_.push_back(template_atom);
        system_.mass_amu.push_back(atom_class.mass_amu);
        system_.nonbonded.push_back(
            {atom.charge_e, atom_class.sigma_nm, atom_class.epsilon_kj_mol});
        system_.born_atoms.push_back(atom.born);
      }
    }
  }

  void add_bonds() {
    for (const auto& [i, j] : topology_.bonds) {
      const std::array<int, 2> classes = {class_of(i), class_of(j)};
      const auto rule =
          std::find_if(tables_.bonds.begin(), tables_.bonds.end(),
                       [&](const BondRule& r) { return fits_either_way(r.classes, classes); });
      require(rule != tables_.bonds.end(), "force field ", tables_.name,
              " has no parameters for the bond ", topology_.describe(i), " - ",
              topology_.describe(j), " (", class_names(classes), ")");
      if (rule->k_kj_mol_nm2 != 0)
        system_.bonds.push_back({i, j, rule->length_nm, rule->k_kj_mol_nm2});
    }
  }

  void add_angles() {
    for (int j = 0; j < topology_.atom_count(); ++j) {
      for (const int i : bonded(j)) {
        for (const int k : bonded(j)) {
          if (i < k) add_angle(i, j, k);
        }
      }
    }
  }

  void add_angle(int i, int j, int k) {
    const std::array<int, 3> classes = {class_of(i), class_of(j), class_of(k)};
    const auto rule =
        std::find_if(tables_.angles.begin(), tables_.angles.end(),
                     [&](const AngleRule& r) { return fits_either_way(r.classes, classes); });
    require(rule != tables_.angles.end(), "force field ", tables_.name,
            " has no parameters for the angle ", topology_.describe(i), " - ",
            topology_.describe(j), " - ", topology_.describe(k), " (", class_names(classes), ")");
    if (rule->k_kj_mol_rad2 != 0)
      system_.angles.push_back({i, j, k, rule->angle_rad, rule->k_kj_mol_rad2});
  }

  void add_propers() {
    std::set<std::array<int, 4>> dihedrals;
    for (const auto& [j, k] : topology_.bonds) {
      for (const int i : bonded(j)) {
        for (const int l : bonded(k)) {
          if (i == k || l == j || i == l) continue;
          dihedrals.insert(i < l ? std::array<int, 4>{i, j, k, l} : std::array<int, 4>{l, k, j, i});
        }
      }
    }
    for (const std::array<int, 4>& atoms : dihedrals) {
      if (const TorsionRule* rule = match_proper(atoms)) add_torsion(*rule, atoms);
    }
  }

  // The first rule without wildcards that matches, or else the first that matches, or none.
  const TorsionRule* match_proper(const std::array<int, 4>& atoms) const {
    std::array<int, 4> classes;
    std::transform(atoms.begin(), atoms.end(), classes.begin(),
                   [&](int atom) { return class_of(atom); });
    const TorsionRule* match = nullptr;
    for (const TorsionRule& rule : tables_.propers) {
      if (!fits_either_way(rule.classes, classes)) continue;
      if (!rule.has_wildcard()) return &rule;
      if (!match) match = &rule;
    }
    return match;
  }

  void add_torsion(const TorsionRule& rule, const std::array<int, 4>& atoms) {
    for (const TorsionTerm& term : rule.terms) {
      if (term.k_kj_mol == 0) continue;
      system_.torsions.push_back({atoms[0], atoms[1], atoms[2], atoms[3], term.periodicity,
                                  term.phase_rad + (planted(Defect::torsion_phase) ? 0.1 : 0),
                                  term.k_kj_mol});
    }
  }

  void add_impropers() {
    for (int centre = 0; centre < topology_.atom_count(); ++centre) {
      const std::vector<int>& outer = bonded(centre);
      for (std::size_t a = 0; a < outer.size(); ++a) {
        for (std::size_t b = a + 1; b < outer.size(); ++b) {
          for (std::size_t c = b + 1; c < outer.size(); ++c) {
            const ImproperMatch match =
                match_improper(tables_, centre, class_of(centre),
                               {outer_atom(outer[a]), outer_atom(outer[b]), outer_atom(outer[c])});
            if (match.rule) add_torsion(*match.rule, match.atoms);
          }
        }
      }
    }
  }

  OuterAtom outer_atom(int atom) const {
    const auto index = static_cast<std::size_t>(atom);
    return {atom, classes_[index], topology_.atoms[index].residue, template_atoms_[index]};
  }

  // Pairs up to three bonds apart; those three apart by the shortest way keep a scaled interaction.
  void add_exclusions() {
    for (int i = 0; i < topology_.atom_count(); ++i) {
      for (const auto& [j, bonds_apart] : within_three_bonds(i)) {
        if (j < i) continue;
        system_.exclusions.emplace_back(i, j);
        if (bonds_apart < 3) continue;
        const Nonbonded& a = system_.nonbonded[static_cast<std::size_t>(i)];
        const Nonbonded& b = system_.nonbonded[static_cast<std::size_t>(j)];
        system_.scaled_pairs.push_back(
            {i, j,
             (planted(Defect::unscaled_1_4) ? 1 : tables_.coulomb_scale14) * a.charge_e *
                 b.charge_e,
             (a.sigma_nm + b.sigma_nm) / 2,
             tables_.lennard_jones_scale14 * std::sqrt(a.epsilon_kj_mol * b.epsilon_kj_mol)});
      }
    }
  }

  // Other atoms and how many bonds away they are, ascending by atom.
  std::map<int, int> within_three_bonds(int atom) const {
    std::map<int, int> distance = {{atom, 0}};
    std::vector<int> shell = {atom};
    for (int bonds_apart = 1; bonds_apart <= 3; ++bonds_apart) {
      std::vector<int> next_shell;
      for (const int inner : shell) {
        for (const int outer : bonded(inner)) {
          if (distance.emplace(outer, bonds_apart).second) next_shell.push_back(outer);
        }
      }
      shell = std::move(next_shell);
    }
    distance.erase(atom);
    return distance;
  }

  int class_of(int atom) const { return classes_[static_cast<std::size_t>(atom)]; }
  const std::vector<int>& bonded(int atom) const {
    return neighbours_[static_cast<std::size_t>(atom)];
  }

  template <std::size_t n>
  std::string class_names(const std::array<int, n>& classes) const {
    std::string text = "classes";
    for (const int c : classes) text += " " + tables_.classes[static_cast<std::size_t>(c)].name;
    return text;
  }

  const ForceFieldTables& tables_;
  const Topology& topology_;
  std::vector<std::vector<int>> neighbours_;
  std::vector<int> classes_, template_atoms_;  // of each atom
  System system_;
};

}  // namespace

const ForceField& ForceField::named(std::string_view name) {
  static const std::map<std::string, ForceField, std::less<>> fields = [] {
    std::map<std::string, ForceField, std::less<>> made;
    for (const std::string& known : names()) made.emplace(known, ForceField(tables_named(known)));
    return made;
  }();
  return fields.at(tables_named(name).name);
}

std::vector<std::string> ForceField::names() {
  std::vector<std::string> result;
  for (const EmbeddedTable& table : embedded_tables()) result.emplace_back(table.name);
  return result;
}

System ForceField::create_system(const Topology& topology) const {
  return SystemBuilder(*tables_, topology).build();
}

}  // namespace arbg::md
