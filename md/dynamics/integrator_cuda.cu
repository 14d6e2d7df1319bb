// kick, drift, noise, drift (formulas in integrator.h) in float32: a block a replica, which stays
// in shared memory for all steps of a launch.
//
// A step is three passes (block_energy.cuh) with three barriers: random numbers are drawn in the
// first, beside bonds and Born radii; the last moves the atoms, into a second array of places, as
// others may still read the first. Launch: R blocks of the threads that the largest molecule asks
// for; 116 N + 12 slots bytes of shared memory, and 4 N^2 for up to 64 atoms: 8.5 KiB for alanine
// dipeptide. Bound by instructions, and operations on the N (N - 1) sides of pairs (KERNELS.md).
#include <algorithm>
#include <cmath>

#include "md/dynamics/replicas_cuda.h"
#include "md/energy/block_energy.cuh"
#include "md/molecule/units.h"
#include "tensor/base/philox.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::md {

namespace cuda {
namespace {

constexpr tensor::Device kDevice{Backend::cuda};

struct ReplicaRow {
  int molecule;
  float root_thermal_energy;  // sqrt(RT)
  std::uint64_t stream;
  std::int64_t first;  // of its numbers among all
};

struct MassRow {
  float kick, inverse_root;  // dt/m and 1/sqrt(m)
};

struct Rule {
  float half_timestep, keep, renew;  // dt/2, a, sqrt(1 - a^2)
  std::uint64_t seed;
};

struct Atom {
  Vector<float> x, v;

  __device__ void kick(float factor, const Vector<float>& force) { v += scaled(factor, force); }
  __device__ void drift(float time) { x += scaled(time, v); }
  __device__ void noise(float keep, const Vector<float>& renewed) { v = scaled(keep, v) + renewed; }
};

// Three standard normals from the four words of a block, as integrator.h has it.
__device__ Vector<float> normals(const philox::Block& words) {
  float radius[2], sine[2], cosine[2];
  ARBG_UNROLL
  for (std::size_t k = 0; k < 2; ++k) {
    const float uniform = (static_cast<float>(words[2 * k]) + 0.5F) * 0x1p-32F;
    radius[k] = sqrtf(-2.0F * logf(uniform));
    sincospif(static_cast<float>(words[2 * k + 1]) * 0x1p-31F, &sine[k], &cosine[k]);
  }
  return {radius[0] * cosine[0], radius[0] * sine[0], radius[1] * cosine[1]};
}

// Places [N, 4], of which the fourth number stays.
__device__ void set_place(const Shared<float>& places, int a, const Vector<float>& x,
                          float charge) {
  places[4 * a] = x.x;
  places[4 * a + 1] = x.y;
  places[4 * a + 2] = x.z;
  places[4 * a + 3] = charge;
}

// The same places around the origin.
__device__ void centre(const Shared<float>& from, const Shared<float>& to, int atoms) {
  Vector<float> sum = {};
  for (int a = 0; a < atoms; ++a) {
    const Four<float> place = row_of_four(from, a);
    sum += Vector<float>{place[0], place[1], place[2]};
  }
  const Vector<float> centroid = scaled(1.0F / static_cast<float>(atoms), sum);
  for (int a = this_thread(); a < atoms; a += block_threads()) {
    const Four<float> place = row_of_four(from, a);
    set_place(to, a, Vector<float>{place[0], place[1], place[2]} - centroid, place[3]);
  }
}

__device__ void swap(Shared<float>& a, Shared<float>& b) {
  const Shared<float> first = a;
  a = b;
  b = first;
}

__global__ void __launch_bounds__(kMostThreads)
    langevin(Span<float> x, Span<float> v, Span<const ReplicaRow> replicas,
             Span<const MassRow> masses, Tables<float> tables, Rule rule, bool centre_first,
             std::int64_t first_step, std::int64_t steps) {
  using Slots = Shared<float>;
  ARBG_DYNAMIC_SHARED(float, memory);
  ARBG_SHARED(DeviceMolecule<float>, of_block, 1);
  const ReplicaRow replica = replicas[blockIdx.x];
  if (this_thread() == 0) of_block[0] = tables.molecules[replica.molecule];
  __syncthreads();
  const DeviceMolecule<float>& molecule = of_block[0];
  const int atoms = molecule.atoms;
  Shared<float> now = memory, next = memory + 4 * atoms;
  const Shared<float> velocity = next + kNumbersAnAtom * atoms, renewed = velocity + 3 * atoms;
  auto at = workspace<float, Slots>(next, molecule, renewed + 3 * atoms);
  const auto energy_at = [&](const Shared<float>& places) {
    at.place = places;
    return BlockEnergy<float, Slots>(molecule, tables, at);
  };

  energy_at(now).load_parameters();
  for (int i = this_thread(); i < 3 * atoms; i += block_threads()) {
    now[i / 3 * 4 + i % 3] = x[replica.first + i];
    velocity[i] = v[replica.first + i];
  }
  __syncthreads();
  if (centre_first) {
    centre(now, next, atoms);
    __syncthreads();
    swap(now, next);
  }
  Energies<float> unused;
  for (std::int64_t step = first_step; step < first_step + steps; ++step) {
    const auto energy = energy_at(now);
    int begun = 0;
    if (rule.renew > 0) {
      in_turn(begun, atoms, [&](int a) {
        const auto index = static_cast<std::uint64_t>(step * atoms + a);
        const MassRow mass = masses[molecule.first_atom + a];
        const float spread = rule.renew * replica.root_thermal_energy * mass.inverse_root;
        set_three(renewed, a,
                  scaled(spread, normals(philox::block(rule.seed, replica.stream, index))));
      });
    }
    energy.terms(begun, unused);
    __syncthreads();
    energy.pair_forces(unused);
    __syncthreads();
    energy.with_forces([&](int a, const Vector<float>& force) {
      const Four<float> place = row_of_four(now, a);
      Atom atom{{place[0], place[1], place[2]}, row_of_three(velocity, a)};
      const MassRow mass = masses[molecule.first_atom + a];
      atom.kick(mass.kick, force);
      atom.drift(rule.half_timestep);
      if (rule.renew > 0) atom.noise(rule.keep, row_of_three(renewed, a));
      atom.drift(rule.half_timestep);
      set_place(next, a, atom.x, place[3]);
      set_three(velocity, a, atom.v);
    });
    __syncthreads();
    swap(now, next);
  }
  for (int i = this_thread(); i < 3 * atoms; i += block_threads()) {
    x[replica.first + i] = now[i / 3 * 4 + i % 3];
    v[replica.first + i] = velocity[i];
  }
}

// Numbers of the device with a copy on the host; each is brought up to date when it is asked for.
class Mirrored {
 public:
  explicit Mirrored(std::size_t size) : device_(size, kDevice), host_(size) {}

  std::span<const float> on_host() const {
    if (host_is_old_) host_ = device_.values();
    host_is_old_ = false;
    return host_;
  }
  std::span<float> change() {
    on_host();
    device_is_old_ = true;
    return host_;
  }
  Span<float> change_on_device() {
    if (device_is_old_) device_.set(host_);
    device_is_old_ = false;
    host_is_old_ = true;
    return elements(device_);
  }

 private:
  tensor::DeviceArray<float> device_;
  mutable std::vector<float> host_;
  mutable bool host_is_old_ = false;
  bool device_is_old_ = true;
};

Rule rule_of(const DynamicsOptions& options) {
  const double decay = options.friction_per_ps * options.timestep_ps;
  return {static_cast<float>(options.timestep_ps / 2), static_cast<float>(std::exp(-decay)),
          static_cast<float>(std::sqrt(-std::expm1(-2 * decay))), options.seed};
}

std::vector<MassRow> masses_of(std::span<const System> systems, double timestep_ps) {
  std::vector<MassRow> rows;
  for (const System& system : systems) {
    for (const double mass : system.mass_amu) {
      rows.push_back(
          {static_cast<float>(timestep_ps / mass), static_cast<float>(1 / std::sqrt(mass))});
    }
  }
  return rows;
}

float root_thermal_energy(double kelvin) {
  return static_cast<float>(std::sqrt(thermal_energy(kelvin)));
}

// All numbers of a replica stand behind those of the one before.
std::vector<ReplicaRow> rows_of(std::span<const System> systems,
                                std::span<const ReplicaOnDevice> replicas) {
  std::vector<ReplicaRow> rows;
  std::int64_t first = 0;
  for (const ReplicaOnDevice& replica : replicas) {
    rows.push_back({static_cast<int>(replica.system), root_thermal_energy(replica.kelvin),
                    replica.stream, first});
    first += 3 * systems[replica.system].atom_count();
  }
  return rows;
}

// Of the numbers of all.
std::size_t end_of(const DeviceTables<float>& tables, const std::vector<ReplicaRow>& rows) {
  if (rows.empty()) return 0;
  const auto& last = tables.molecules[static_cast<std::size_t>(rows.back().molecule)];
  return static_cast<std::size_t>(rows.back().first + 3 * last.atoms);
}

std::size_t shared_bytes(const DeviceMolecule<float>& molecule) {
  constexpr int kBesides = 4 + 3 + 3;  // the second place, velocity, random numbers
  const int of_atoms = (kNumbersAnAtom + kBesides) * molecule.atoms;
  return sizeof(float) * (static_cast<std::size_t>(of_atoms) + numbers_behind(molecule));
}

// What the largest molecule asks for.
Launch shape_of(const DeviceTables<float>& tables, std::size_t replicas) {
  Launch shape{static_cast<std::int64_t>(replicas), 0, 0};
  for (const DeviceMolecule<float>& molecule : tables.molecules) {
    const std::size_t bytes = shared_bytes(molecule);
    require(bytes <= kMostShared, "dynamics of ", molecule.atoms, " atoms needs ", bytes,
            " bytes, and a block of a CUDA device holds ", kMostShared, "; use --backend cpu");
    shape.shared_bytes = std::max(shape.shared_bytes, asked_for(bytes, kDeclaredShared));
    shape.threads = std::max<std::int64_t>(shape.threads, threads_of_block(molecule.atoms));
  }
  return shape;
}

}  // namespace
}  // namespace cuda

class ReplicasOnDevice::Part {
 public:
  Part(std::span<const System> systems, std::span<const ReplicaOnDevice> replicas,
       const DynamicsOptions& options)
      : Part(device_tables<float>(systems), cuda::rows_of(systems, replicas),
             cuda::masses_of(systems, options.timestep_ps), cuda::rule_of(options)) {}

  void run(std::int64_t first_step, std::int64_t steps) {
    if (rows_are_new_) rows_on_device_.set(rows_);
    rows_are_new_ = false;
    while (steps > 0) {  // the centroid is moved at the beginning of a launch alone
      const std::int64_t since = first_step % kStepsBetweenCentring;
      const std::int64_t some = std::min(steps, kStepsBetweenCentring - since);
      cuda::launch(cuda::langevin, shape_, x.change_on_device(), v.change_on_device(),
                   cuda::elements(std::as_const(rows_on_device_)), cuda::elements(masses_),
                   tables_.view(), rule_, since == 0, first_step, some);
      first_step += some;
      steps -= some;
    }
  }

  std::span<const float> of(const cuda::Mirrored& all, std::size_t replica) const {
    return all.on_host().subspan(first_of(replica), first_of(replica + 1) - first_of(replica));
  }
  std::span<float> change(cuda::Mirrored& all, std::size_t replica) const {
    return all.change().subspan(first_of(replica), first_of(replica + 1) - first_of(replica));
  }
  void set_temperature(std::size_t replica, double kelvin) {
    rows_[replica].root_thermal_energy = cuda::root_thermal_energy(kelvin);
    rows_are_new_ = true;
  }

 private:
  Part(const DeviceTables<float>& tables, std::vector<cuda::ReplicaRow> rows,
       const std::vector<cuda::MassRow>& masses, const cuda::Rule& rule)
      : tables_(tables, cuda::kDevice),
        masses_(masses, cuda::kDevice),
        rows_(std::move(rows)),
        rows_on_device_(rows_.size(), cuda::kDevice),
        shape_(cuda::shape_of(tables, rows_.size())),
        rule_(rule),
        end_(cuda::end_of(tables, rows_)),
        x(end_),
        v(end_) {}

  std::size_t first_of(std::size_t replica) const {
    return replica < rows_.size() ? static_cast<std::size_t>(rows_[replica].first) : end_;
  }

  cuda::TablesOnDevice<float> tables_;
  const tensor::DeviceArray<cuda::MassRow> masses_;
  std::vector<cuda::ReplicaRow> rows_;
  tensor::DeviceArray<cuda::ReplicaRow> rows_on_device_;
  bool rows_are_new_ = true;
  tensor::cuda::Launch shape_;
  cuda::Rule rule_;
  std::size_t end_;

 public:
  cuda::Mirrored x, v;
};

ReplicasOnDevice::ReplicasOnDevice(std::span<const System> systems,
                                   std::span<const ReplicaOnDevice> replicas,
                                   const DynamicsOptions& options)
    : part_(std::make_unique<Part>(systems, replicas, options)) {}
ReplicasOnDevice::~ReplicasOnDevice() = default;

void ReplicasOnDevice::run(std::int64_t first_step, std::int64_t steps) {
  part_->run(first_step, steps);
}
std::span<const float> ReplicasOnDevice::positions(std::size_t replica) const {
  return part_->of(part_->x, replica);
}
std::span<const float> ReplicasOnDevice::velocities(std::size_t replica) const {
  return part_->of(part_->v, replica);
}
std::span<float> ReplicasOnDevice::change_positions(std::size_t replica) {
  return part_->change(part_->x, replica);
}
std::span<float> ReplicasOnDevice::change_velocities(std::size_t replica) {
  return part_->change(part_->v, replica);
}
void ReplicasOnDevice::set_temperature(std::size_t replica, double kelvin) {
  part_->set_temperature(replica, kelvin);
}

namespace {

class CudaIntegrator : public Integrator {
 public:
  CudaIntegrator(const System& system, const DynamicsOptions& options)
      : count_(options.temperatures_kelvin.size()),
        replicas_(std::span(&system, 1), listed(options), options) {}

  void run(std::int64_t first_step, std::int64_t steps) override {
    replicas_.run(first_step, steps);
  }

  std::vector<double> positions_nm() const override {
    return joined([&](std::size_t r) { return replicas_.positions(r); });
  }
  std::vector<double> velocities_nm_ps() const override {
    return joined([&](std::size_t r) { return replicas_.velocities(r); });
  }

  void set(std::span<const double> positions_nm,
           std::span<const double> velocities_nm_ps) override {
    for (std::size_t r = 0; r < count_; ++r) {
      fill(replicas_.change_positions(r), positions_nm, r);
      fill(replicas_.change_velocities(r), velocities_nm_ps, r);
    }
  }

  void set_temperature(std::size_t replica, double kelvin, double speed_up) override {
    replicas_.set_temperature(replica, kelvin);
    for (float& v : replicas_.change_velocities(replica)) v *= static_cast<float>(speed_up);
  }

  void exchange(std::size_t i, std::size_t j, double speed_up) override {
    const auto factor = static_cast<float>(speed_up);
    std::ranges::swap_ranges(replicas_.change_positions(i), replicas_.change_positions(j));
    std::ranges::swap_ranges(replicas_.change_velocities(i), replicas_.change_velocities(j));
    for (float& v : replicas_.change_velocities(j)) v *= factor;
    for (float& v : replicas_.change_velocities(i)) v /= factor;
  }

 private:
  static std::vector<ReplicaOnDevice> listed(const DynamicsOptions& options) {
    std::vector<ReplicaOnDevice> replicas;
    for (const double kelvin : options.temperatures_kelvin)
      replicas.push_back(
          {0, stream_id(streams::kLangevin, options.first_replica + replicas.size()), kelvin});
    return replicas;
  }

  template <class Numbers>
  std::vector<double> joined(const Numbers& of_replica) const {
    std::vector<double> all;
    for (std::size_t r = 0; r < count_; ++r) {
      const std::span<const float> one = of_replica(r);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  // The numbers of a replica from those of all.
  static void fill(std::span<float> to, std::span<const double> all, std::size_t replica) {
    const auto from = all.subspan(replica * to.size(), to.size());
    std::ranges::transform(from, to.begin(), [](double x) { return static_cast<float>(x); });
  }

  std::size_t count_;
  ReplicasOnDevice replicas_;
};

}  // namespace

std::unique_ptr<Integrator> integrator_cuda(const System& system, const DynamicsOptions& options) {
  return std::make_unique<CudaIntegrator>(system, options);
}

}  // namespace arbg::md
