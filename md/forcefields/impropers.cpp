#include "md/forcefields/impropers.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace arbg::md {

namespace {

bool fits(int rule_class, int atom_class) {
  return rule_class == kAnyClass || rule_class == atom_class;
}

// Default: the first two outer atoms in ascending index if they are the same element; otherwise
// carbon first, then the heavier. The third outer atom is the one the rule names last.
void order_by_element(const ForceFieldTables& tables, std::array<OuterAtom, 3>& outer) {
  const AtomClass& first = tables.classes[static_cast<std::size_t>(outer[0].atom_class)];
  const AtomClass& second = tables.classes[static_cast<std::size_t>(outer[1].atom_class)];
  const bool swap =
      first.element == second.element
          ? outer[0].atom > outer[1].atom
          : first.element != "C" && (second.element == "C" || first.mass_amu < second.mass_amu);
  if (swap) std::swap(outer[0], outer[1]);
}

// AMBER: atoms that the rule cannot tell apart ascend by place in the chain. Without wildcards
// these are atoms of the same class; with them, atoms of the same element, and the first two
// always.
void order_by_place(const ForceFieldTables& tables, bool wildcard,
                    std::array<OuterAtom, 3>& outer) {
  const auto alike = [&](const OuterAtom& a, const OuterAtom& b) {
    return wildcard ? tables.classes[static_cast<std::size_t>(a.atom_class)].element ==
                          tables.classes[static_cast<std::size_t>(b.atom_class)].element
                    : a.atom_class == b.atom_class;
  };
  const auto after = [](const OuterAtom& a, const OuterAtom& b) {
    return std::tie(a.residue, a.template_atom) > std::tie(b.residue, b.template_atom);
  };
  if (alike(outer[0], outer[2]) && after(outer[0], outer[2])) std::swap(outer[0], outer[2]);
  if (alike(outer[1], outer[2]) && after(outer[1], outer[2])) std::swap(outer[1], outer[2]);
  if ((wildcard || alike(outer[0], outer[1])) && after(outer[0], outer[1]))
    std::swap(outer[0], outer[1]);
}

}  // namespace

ImproperMatch match_improper(const ForceFieldTables& tables, int centre, int centre_class,
                             const std::array<OuterAtom, 3>& outer) {
  ImproperMatch match;
  for (const TorsionRule& rule : tables.impropers) {
    if (match.rule && rule.has_wildcard()) continue;
    if (!fits(rule.classes[0], centre_class)) continue;
    std::array<int, 3> order = {0, 1, 2};
    do {
      std::array<OuterAtom, 3> trial;
      bool all_fit = true;
      for (std::size_t i = 0; i < 3; ++i) {
        trial[i] = outer[static_cast<std::size_t>(order[i])];
        all_fit = all_fit && fits(rule.classes[i + 1], trial[i].atom_class);
      }
      if (!all_fit) continue;
      if (tables.amber_improper_order) {
        order_by_place(tables, rule.has_wildcard(), trial);
      } else {
        order_by_element(tables, trial);
      }
      match = {&rule, {trial[0].atom, trial[1].atom, centre, trial[2].atom}};
      break;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return match;
}

}  // namespace arbg::md
