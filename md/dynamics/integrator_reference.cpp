// kick, drift, noise, drift (formulas in integrator.h) in double: for each replica, for each step,
// loops over [N, 3].
#include <array>
#include <cmath>
#include <numbers>

#include "md/dynamics/integrator.h"
#include "md/energy/engine.h"
#include "md/molecule/units.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::md {

namespace {

// Three standard normals from the four words of a block, as integrator.h has it.
std::array<double, 3> normals(const std::array<std::uint32_t, 4>& words) {
  const auto uniform = [&](std::size_t k) { return (words[k] + 0.5) * 0x1p-32; };
  const auto radius = [&](std::size_t k) { return std::sqrt(-2 * std::log(uniform(k))); };
  const auto angle = [&](std::size_t k) { return 2 * std::numbers::pi * words[k] * 0x1p-32; };
  return {radius(0) * std::cos(angle(1)), radius(0) * std::sin(angle(1)),
          radius(2) * std::cos(angle(3))};
}

struct Replica {
  std::vector<double> x, v;  // [N, 3]
  double kelvin;
  Random random;
};

class ReferenceIntegrator : public Integrator {
 public:
  ReferenceIntegrator(const System& system, const DynamicsOptions& options)
      : engine_(system, Backend::reference),
        timestep_(options.timestep_ps),
        friction_(options.friction_per_ps) {
    const std::vector<double> zero(3 * system.mass_amu.size());
    for (const double kelvin : options.temperatures_kelvin) {
      const std::size_t replica = options.first_replica + replicas_.size();
      replicas_.push_back(
          {zero, zero, kelvin, Random(options.seed, stream_id(streams::kLangevin, replica))});
    }
  }

  void run(std::int64_t first_step, std::int64_t steps) override {
    for (Replica& replica : replicas_) {
      for (std::int64_t step = first_step; step < first_step + steps; ++step) {
        if (step % kStepsBetweenCentring == 0) centre(replica);
        kick(replica);
        drift(replica);
        if (friction_ > 0) noise(replica, step);
        drift(replica);
      }
    }
  }

  std::vector<double> positions_nm() const override { return joined(&Replica::x); }
  std::vector<double> velocities_nm_ps() const override { return joined(&Replica::v); }

  void set(std::span<const double> positions_nm,
           std::span<const double> velocities_nm_ps) override {
    for (std::size_t r = 0; r < replicas_.size(); ++r) {
      Replica& replica = replicas_[r];
      const std::size_t size = replica.x.size();
      for (std::size_t k = 0; k < size; ++k) {
        replica.x[k] = positions_nm[r * size + k];
        replica.v[k] = velocities_nm_ps[r * size + k];
      }
    }
  }

  void set_temperature(std::size_t replica, double kelvin, double speed_up) override {
    replicas_[replica].kelvin = kelvin;
    for (double& v : replicas_[replica].v) v *= speed_up;
  }

  void exchange(std::size_t i, std::size_t j, double speed_up) override {
    std::swap(replicas_[i].x, replicas_[j].x);
    std::swap(replicas_[i].v, replicas_[j].v);
    for (double& v : replicas_[j].v) v *= speed_up;
    for (double& v : replicas_[i].v) v /= speed_up;
  }

 private:
  double mass(std::size_t k) const { return engine_.system().mass_amu[k / 3]; }

  void kick(Replica& r) const {
    const std::vector<double> force = engine_.evaluate(r.x, true).forces_kj_mol_nm;
    for (std::size_t k = 0; k < r.v.size(); ++k) r.v[k] += timestep_ * force[k] / mass(k);
  }

  void drift(Replica& r) const {
    for (std::size_t k = 0; k < r.x.size(); ++k) r.x[k] += timestep_ / 2 * r.v[k];
  }

  void noise(Replica& r, std::int64_t step) const {
    const double a = std::exp(-friction_ * timestep_);
    const double renewed = -std::expm1(-2 * friction_ * timestep_);  // 1 - a^2
    const std::size_t atoms = r.v.size() / 3;
    for (std::size_t atom = 0; atom < atoms; ++atom) {
      const auto normal = normals(r.random.block(static_cast<std::uint64_t>(step) * atoms + atom));
      for (std::size_t k = 3 * atom; k < 3 * atom + 3; ++k) {
        const double spread = std::sqrt(renewed * thermal_energy(r.kelvin) / mass(k));
        r.v[k] = a * r.v[k] + spread * normal[k % 3];
      }
    }
  }

  void centre(Replica& r) const {
    std::array<double, 3> sum{};
    for (std::size_t k = 0; k < r.x.size(); ++k) sum[k % 3] += r.x[k];
    const double atoms = static_cast<double>(r.x.size() / 3);
    for (std::size_t k = 0; k < r.x.size(); ++k) r.x[k] -= sum[k % 3] / atoms;
  }

  std::vector<double> joined(std::vector<double> Replica::*part) const {
    std::vector<double> all;
    for (const Replica& replica : replicas_)
      all.insert(all.end(), (replica.*part).begin(), (replica.*part).end());
    return all;
  }

  EnergyEngine engine_;
  double timestep_, friction_;
  std::vector<Replica> replicas_;
};

}  // namespace

std::unique_ptr<Integrator> integrator_reference(const System& system,
                                                 const DynamicsOptions& options) {
  return std::make_unique<ReferenceIntegrator>(system, options);
}

}  // namespace arbg::md
