// Steepest descent far from the minimum, L-BFGS near it.
// Source of the latter: Nocedal, Wright, Numerical Optimization, algorithm 7.4.
#include <cmath>
#include <deque>

#include "md/dynamics/dynamics.h"
#include "tensor/base/error.h"

namespace arbg::md {

namespace {

using Vector = std::vector<double>;

struct Point {
  Vector x, force;
  double energy;
};

Point evaluate(const EnergyEngine& energy, Vector x) {
  EnergyResult result = energy.evaluate(x, true);
  return {std::move(x), std::move(result.forces_kj_mol_nm), result.energy_kj_mol[0]};
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  // Spelled out, or where the compiler fuses depends on the width of the machine's vectors.
  for (std::size_t i = 0; i < a.size(); ++i) sum = std::fma(a[i], b[i], sum);
  return sum;
}

double largest(const Vector& a) {
  double most = 0;
  for (const double v : a) most = std::max(most, std::abs(v));
  return most;
}

double root_mean_square(const Vector& a) {
  return std::sqrt(dot(a, a) / static_cast<double>(a.size()));
}

Vector moved(const Vector& x, double step, const Vector& direction) {
  Vector y = x;
  for (std::size_t i = 0; i < x.size(); ++i) y[i] += step * direction[i];
  return y;
}

// Moves no coordinate by more than `reach_nm`, which grows after a step downhill and shrinks after
// one uphill.
void descend(const EnergyEngine& energy, Point& here, double rough_tolerance, int& steps_left) {
  double reach_nm = 0.005;
  while (steps_left > 0 && root_mean_square(here.force) > rough_tolerance && reach_nm > 1e-9) {
    --steps_left;
    Point next = evaluate(energy, moved(here.x, reach_nm / largest(here.force), here.force));
    const bool better = next.energy < here.energy;
    reach_nm *= better ? 1.2 : 0.4;
    if (better) here = std::move(next);
  }
}

struct Correction {
  Vector dx, dforce;  // dforce = -(change of gradient)
  double curvature;   // dx . (change of gradient) > 0
};

// The inverse Hessian that the corrections imply, times the force: a direction downhill.
Vector two_loop_direction(const std::deque<Correction>& memory, const Vector& force) {
  Vector direction = force;
  Vector weight(memory.size());
  for (std::size_t k = memory.size(); k-- > 0;) {
    weight[k] = dot(memory[k].dx, direction) / memory[k].curvature;
    direction = moved(direction, weight[k], memory[k].dforce);
  }
  if (!memory.empty()) {
    const Correction& last = memory.back();
    const double scale = last.curvature / dot(last.dforce, last.dforce);
    for (double& v : direction) v *= scale;
  }
  for (std::size_t k = 0; k < memory.size(); ++k) {
    const double back = -dot(memory[k].dforce, direction) / memory[k].curvature;
    direction = moved(direction, weight[k] - back, memory[k].dx);
  }
  return direction;
}

void quasi_newton(const EnergyEngine& energy, Point& here, double tolerance, int& steps_left) {
  constexpr std::size_t kMemory = 10;
  constexpr double kFarthestNm = 0.02;
  std::deque<Correction> memory;
  while (steps_left > 0 && root_mean_square(here.force) > tolerance) {
    const Vector direction = two_loop_direction(memory, here.force);
    double step = std::min(memory.empty() ? 1e-5 : 1.0, kFarthestNm / largest(direction));
    const double downhill = dot(direction, here.force);
    Point next = here;
    bool accepted = false;
    for (int halvings = 0; halvings < 30 && steps_left > 0 && !accepted; ++halvings, step /= 2) {
      --steps_left;
      next = evaluate(energy, moved(here.x, step, direction));
      accepted = next.energy <= here.energy - 1e-4 * step * downhill;
    }
    if (!accepted) {
      if (memory.empty()) return;  // as low as double precision can tell
      memory.clear();
      continue;
    }
    Correction correction{moved(next.x, -1, here.x), moved(next.force, -1, here.force), 0};
    correction.curvature = -dot(correction.dx, correction.dforce);
    if (correction.curvature > 0) memory.push_back(std::move(correction));
    if (memory.size() > kMemory) memory.pop_front();
    here = std::move(next);
  }
}

}  // namespace

double minimize(const EnergyEngine& energy, std::vector<double>& positions_nm,
                double tolerance_kj_mol_nm, int most_steps) {
  require(positions_nm.size() == 3 * energy.system().mass_amu.size(),
          "expected one conformation of ", energy.system().atom_count(),
          " atoms to minimise, found ", positions_nm.size(), " numbers");
  Point here = evaluate(energy, positions_nm);
  require(std::isfinite(here.energy),
          "cannot minimise: the energy of the start is not finite; do atoms coincide?");
  int steps_left = most_steps;
  descend(energy, here, std::max(1000.0, tolerance_kj_mol_nm), steps_left);
  quasi_newton(energy, here, tolerance_kj_mol_nm, steps_left);
  positions_nm = std::move(here.x);
  return here.energy;
}

}  // namespace arbg::md
