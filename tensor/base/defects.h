// Known defects that a test build plants to prove that `arbg audit` sees them.
//
// `if (planted(Defect::x))` is constant and false in ordinary builds: no code is left of it. Only
// tests/audit compiles the few .cpp files with hooks a second time, with ARBG_PLANT_DEFECTS, and
// plants one defect at a time. Hooks stand in .cpp files only, one line each.
#pragma once

namespace arbg {

enum class Defect {
  none,
  bins_rounded,           // as published: rounding with spacing range/(V-1), noise of range/V
  bins_without_width,     // log q is a sum of log probabilities, not of log densities
  outside_clamped,        // values outside the support get the nearest bin
  start_shares_bin_0,     // although the network has a row for it
  sees_own_token,         // position t looks at token t: a causal mask off by one
  cached_position_early,  // the cache adds the embedding of the position before
  stale_cache_row,        // keys and values of position 1 are overwritten by those of position 2
  selection_keeps_rows,   // resampling copies everything but keys and values
  selection_keeps_z,      // resampling copies everything but the coordinates drawn so far
  candidates_beside,      // placement energies of a dihedral's bin are of the bin beside
  curve_bent,             // a placement energy in float32 has 0.1 kT too much
  curve_sees_itself,      // placement energies of a coordinate change with its own draw
  slope_of_bin_above,     // the slope within a bin is that of the bin above
  slope_downhill,         // draws fall within a bin where their density rises
  slope_without_density,  // draws are sloped, log q is of uniform bins
  float32_total,          // the sum over a conditional in float32
  float32_log_q,          // the sum of log probabilities in float32
  volume_power,           // r instead of r^2
  unscaled_1_4,           // full Coulomb interaction of 1-4 pairs
  lost_solvent,           // lanes leave the solvent out of the total
  energy_sees_place,      // x of the first atom enters the energy
  lost_force,             // the last atom's force along z is left out
  torsion_phase,          // phases of torsions are 0.1 rad too large
  coordinates_see_place,  // x of the first atom enters the first bond
  dihedral_sign_lost,     // |phi| where the support has one sign only
  mirrored_accepted,      // molecules of the other hand count
};

#ifdef ARBG_PLANT_DEFECTS
inline Defect planted_defect = Defect::none;
static inline bool planted(Defect defect) { return planted_defect == defect; }
#else
// Internal linkage: translation units with and without defects meet in one test program.
static inline constexpr bool planted(Defect) { return false; }
#endif

}  // namespace arbg
