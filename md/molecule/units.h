// Constants and units of this project: nm, ps, amu, elementary charge, K, kJ/mol, radians.
#pragma once

namespace arbg::md {

inline constexpr double kGasConstant = 8.31446261815324e-3;  // R in kJ/mol/K (CODATA 2018, exact)
inline constexpr double kNmPerAngstrom = 0.1;                // of files
inline constexpr double kCoulomb = 138.935456;  // 1/(4 pi eps0) in kJ/mol nm / e^2, OpenMM's value

// RT in kJ/mol; reduced energies u = E/RT are in units of it.
inline constexpr double thermal_energy(double temperature_kelvin) {
  return kGasConstant * temperature_kelvin;
}

}  // namespace arbg::md
