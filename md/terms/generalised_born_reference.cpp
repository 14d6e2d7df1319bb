// E = -1/2 tau sum_ij q_i q_j (1/f_ij - shift) + sum_i s (radius_i + probe)^2 (radius_i/B_i)^6
//
// (the rest of the formulas in the header). Four passes over x [N, 3]: ordered pairs i != j for the
// integrals I [N], atoms for the radii B [N], pairs i < j and atoms for E and dE/dB [N], ordered
// pairs again for the forces [N, 3] through the radii. Pairs beyond the cutoff take part in none.
#include <algorithm>

#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "md/terms/generalised_born.h"

namespace arbg::md {

namespace {

// Integral of 1/(4 pi d^4) over a sphere of radius `s` whose centre is `r` away, outside the sphere
// of radius `rho` around the atom, and its derivative with respect to r. Without `inside`, an atom
// inside the other sphere is not descreened by what surrounds it in all directions.
struct Descreening {
  double value, d_dr;
};

Descreening descreening(double r, double rho, double s, bool inside) {
  if (rho >= r + s) return {0, 0};  // swallowed by the atom itself
  const double lower = std::max(rho, std::abs(r - s)), upper = r + s;
  const double difference = 1 / (upper * upper) - 1 / (lower * lower);
  const double logarithm = std::log(lower / upper);
  double value = 1 / lower - 1 / upper + (r - s * s / r) / 4 * difference + logarithm / (2 * r);
  // The limits depend on r too, but what they contribute cancels.
  double d_dr = (1 + s * s / (r * r)) / 4 * difference - logarithm / (2 * r * r);
  if (rho < s - r) {  // the atom lies inside the other sphere
    if (inside)
      value += 2 * (1 / rho - 1 / lower);
    else
      d_dr += 2 / (lower * lower);  // here nothing cancels dL/dr
  }
  return {value / 2, d_dr / 2};
}

// Effective radii, and how they and the energy respond to the integrals: one entry an atom.
struct BornState {
  std::vector<double> radius;             // B
  std::vector<double> dradius_dintegral;  // dB/dI
  std::vector<double> dradius;            // dE/dB, filled by the energy terms
};

template <class Body>  // body(i, j, x_j - x_i, r) for the ordered pairs within the cutoff
void for_each_ordered_pair(const System& system, std::span<const double> positions_nm,
                           const Body& body) {
  for (int i = 0; i < system.atom_count(); ++i) {
    for (int j = 0; j < system.atom_count(); ++j) {
      if (i == j) continue;
      const Vector3 rij = at(positions_nm, j) - at(positions_nm, i);
      const double r = norm(rij);
      if (system.cutoff_nm > 0 && r > system.cutoff_nm) continue;
      body(static_cast<std::size_t>(i), static_cast<std::size_t>(j), rij, r);
    }
  }
}

double offset_radius(const System& system, std::size_t atom) {
  return system.born_atoms[atom].radius_nm - system.born.offset_nm;
}

double scaled_radius(const System& system, std::size_t atom) {
  return system.born_atoms[atom].scale * offset_radius(system, atom);
}

// Of atom i by atom j.
Descreening pair_descreening(const System& system, std::size_t i, std::size_t j, double r) {
  return descreening(r, offset_radius(system, i), scaled_radius(system, j),
                     system.born.descreens_inside);
}

BornState born_state(const System& system, std::span<const double> positions_nm) {
  const std::size_t atoms = system.born_atoms.size();
  std::vector<double> integral(atoms, 0);
  for_each_ordered_pair(system, positions_nm,
                        [&](std::size_t i, std::size_t j, const Vector3&, double r) {
                          integral[i] += pair_descreening(system, i, j, r).value;
                        });
  BornState state{std::vector<double>(atoms), std::vector<double>(atoms),
                  std::vector<double>(atoms, 0)};
  const BornModel& born = system.born;
  for (std::size_t i = 0; i < atoms; ++i) {
    const double rho = offset_radius(system, i), radius = system.born_atoms[i].radius_nm;
    const double psi = integral[i] * rho;
    const double tanh =
        std::tanh(born.alpha * psi - born.beta * psi * psi + born.gamma * psi * psi * psi);
    const double b = 1 / (1 / rho - tanh / radius);
    const double dtanh_dpsi =
        (1 - tanh * tanh) * (born.alpha - 2 * born.beta * psi + 3 * born.gamma * psi * psi);
    state.radius[i] = b;
    state.dradius_dintegral[i] = b * b / radius * dtanh_dpsi * rho;
  }
  return state;
}

double polarisation(const System& system, std::span<const double> positions_nm, BornState& state,
                    std::span<double> forces) {
  const double tau =
      kCoulomb * (1 / system.born.solute_dielectric - 1 / system.born.solvent_dielectric);
  const double shift = system.cutoff_nm > 0 ? 1 / system.cutoff_nm : 0;
  double energy = 0;
  for (std::size_t i = 0; i < state.radius.size(); ++i) {
    const double q = system.nonbonded[i].charge_e, b = state.radius[i];
    energy -= tau / 2 * q * q / b;
    state.dradius[i] += tau / 2 * q * q / (b * b);
  }
  for_each_ordered_pair(
      system, positions_nm, [&](std::size_t i, std::size_t j, const Vector3& rij, double r) {
        if (i > j) return;
        const double bb = state.radius[i] * state.radius[j];
        const double d = r * r / (4 * bb), exponential = std::exp(-d);
        const double f = std::sqrt(r * r + bb * exponential);
        const double strength = tau * system.nonbonded[i].charge_e * system.nonbonded[j].charge_e;
        energy -= strength * (1 / f - shift);

        const double dE_df2 = strength / (2 * f * f * f);  // with respect to f^2
        const double df2_dbb = exponential * (1 + d);
        state.dradius[i] += dE_df2 * df2_dbb * state.radius[j];
        state.dradius[j] += dE_df2 * df2_dbb * state.radius[i];
        const Vector3 force_j = -dE_df2 * (2 - exponential / 2) * rij;
        add_force(forces, static_cast<int>(j), force_j);
        add_force(forces, static_cast<int>(i), -1.0 * force_j);
      });
  return energy;
}

double surface(const System& system, BornState& state) {
  double energy = 0;
  for (std::size_t i = 0; i < state.radius.size(); ++i) {
    const double radius = system.born_atoms[i].radius_nm, reach = radius + system.born.probe_nm;
    const double ratio = radius / state.radius[i];
    const double term = system.born.surface_kj_mol_nm2 * reach * reach * std::pow(ratio, 6);
    energy += term;
    state.dradius[i] -= 6 * term / state.radius[i];
  }
  return energy;
}

// dE/dx through the radii: dE/dB dB/dI dI/dr.
void add_radius_forces(const System& system, std::span<const double> positions_nm,
                       const BornState& state, std::span<double> forces) {
  for_each_ordered_pair(
      system, positions_nm, [&](std::size_t i, std::size_t j, const Vector3& rij, double r) {
        const double dE_dr =
            state.dradius[i] * state.dradius_dintegral[i] * pair_descreening(system, i, j, r).d_dr;
        const Vector3 force_j = (-dE_dr / r) * rij;
        add_force(forces, static_cast<int>(j), force_j);
        add_force(forces, static_cast<int>(i), -1.0 * force_j);
      });
}

}  // namespace

double generalised_born_reference(const System& system, std::span<const double> positions_nm,
                                  std::span<double> forces) {
  if (system.born_atoms.empty()) return 0;
  BornState state = born_state(system, positions_nm);
  const double energy = polarisation(system, positions_nm, state, forces) + surface(system, state);
  if (!forces.empty()) add_radius_forces(system, positions_nm, state, forces);
  return energy;
}

std::vector<double> born_radii_reference(const System& system,
                                         std::span<const double> positions_nm) {
  return born_state(system, positions_nm).radius;
}

}  // namespace arbg::md
