// Energies of [B, N, 3] on a CUDA device, all in double: a block a conformation
// (block_energy.cuh), a warp's sums of energies after the other.
//
// Slots and slopes are in global memory, so that molecules of a thousand atoms fit into a block's
// shared memory. Launch: B blocks of threads_of_block(N) threads; 152 N bytes of shared memory.
// Bound by operations in double: some 200, and those of logarithm and exponential, for each of the
// N (N - 1) sides of pairs.
#include <algorithm>
#include <mutex>

#include "md/energy/block_energy.cuh"
#include "md/energy/engine.h"

namespace arbg::md {

namespace cuda {
namespace {

using Slots = SpanBesideShared<double>;

constexpr int kSumsOfWarps = kMostThreads / kWarp * kTermCount;
constexpr std::size_t kAtOnce = 4096;  // conformations a launch: what slots cost memory

// Sums of a warp for every term, then those of the warps in their order, by one thread each.
__device__ void add_up(const Energies<double>& mine, const Shared<double>& warps,
                       const Span<double>& terms) {
  const double sums[kTermCount] = {warp_sum(mine.bond), warp_sum(mine.angle),
                                   warp_sum(mine.torsion), warp_sum(mine.nonbonded),
                                   warp_sum(mine.solvent)};
  for (int term = 0; term < kTermCount; ++term) {
    if (this_lane() == 0) warps[this_warp() * kTermCount + term] = sums[term];
  }
  __syncthreads();
  const int term = this_thread();
  if (term >= kTermCount) return;
  double sum = 0;
  for (int warp = 0; warp < block_threads() / kWarp; ++warp) sum += warps[warp * kTermCount + term];
  terms[static_cast<std::int64_t>(blockIdx.x) * kTermCount + term] = sum;
}

// Forces only where there is room for them; `behind` numbers of slots and slopes a block.
__global__ void __launch_bounds__(kMostThreads)
    evaluate(Span<double> terms, Span<double> forces, Span<double> slots, Span<const double> x,
             Tables<double> tables, std::int64_t behind) {
  ARBG_DYNAMIC_SHARED(double, memory);
  ARBG_SHARED(double, warps, kSumsOfWarps);
  const DeviceMolecule<double> molecule = tables.molecules[0];
  const auto block = static_cast<std::int64_t>(blockIdx.x);
  const std::int64_t first = block * molecule.atoms * 3;
  const auto at = workspace<double, Slots>(memory, molecule, Slots(slots + block * behind));
  const BlockEnergy<double, Slots> energy(molecule, tables, at);
  energy.load_parameters();
  for (int i = this_thread(); i < 3 * molecule.atoms; i += block_threads()) {
    at.place[i / 3 * 4 + i % 3] = x[first + i];
  }
  __syncthreads();
  Energies<double> energies;
  int begun = 0;
  energy.terms(begun, energies);
  __syncthreads();
  energy.pair_forces(energies);
  __syncthreads();
  if (forces.size() > 0) {
    energy.with_forces(
        [&](int a, const Vector<double>& force) { set_three(forces + first, a, force); });
  }
  add_up(energies, warps, terms);
}

class Engine {
 public:
  explicit Engine(const System& system) : Engine(device_tables<double>(std::span(&system, 1))) {}

  void run(std::span<const double> positions_nm, EnergyResult& result) const {
    // One after the other: there is one stream for all callers.
    static std::mutex one_caller;
    const std::lock_guard lock(one_caller);
    const std::size_t size = 3 * static_cast<std::size_t>(atoms_);
    for (std::size_t first = 0; first < result.energy_kj_mol.size(); first += kAtOnce) {
      const std::size_t count = std::min(kAtOnce, result.energy_kj_mol.size() - first);
      std::span<double> forces = result.forces_kj_mol_nm;
      if (!forces.empty()) forces = forces.subspan(first * size, count * size);
      run_some(positions_nm.subspan(first * size, count * size),
               std::span(result.terms_kj_mol).subspan(first * kTermCount, count * kTermCount),
               forces);
    }
    for (std::size_t b = 0; b < result.energy_kj_mol.size(); ++b) {
      for (std::size_t term = 0; term < kTermCount; ++term)
        result.energy_kj_mol[b] += result.terms_kj_mol[b * kTermCount + term];
    }
  }

 private:
  static constexpr tensor::Device kDevice{Backend::cuda};

  explicit Engine(const DeviceTables<double>& tables)
      : atoms_(tables.molecules[0].atoms),
        behind_(numbers_behind(tables.molecules[0])),
        tables_(tables, kDevice) {
    require(shared_bytes() <= kMostShared, "a molecule of ", atoms_,
            " atoms is more than a block of a CUDA device holds, ",
            kMostShared / (sizeof(double) * kNumbersAnAtom), "; use --backend cpu");
  }

  std::size_t shared_bytes() const {
    return sizeof(double) * kNumbersAnAtom * static_cast<std::size_t>(atoms_);
  }

  void run_some(std::span<const double> positions, std::span<double> terms,
                std::span<double> forces) const {
    const std::size_t count = terms.size() / kTermCount;
    const tensor::DeviceArray<double> x(positions, kDevice);
    tensor::DeviceArray<double> of_terms(terms.size(), kDevice), of_forces(forces.size(), kDevice),
        slots(count * behind_, kDevice);
    launch(evaluate,
           {static_cast<std::int64_t>(count), threads_of_block(atoms_),
            asked_for(shared_bytes(), kDeclaredShared)},
           elements(of_terms), elements(of_forces), elements(slots), elements(x), tables_.view(),
           static_cast<std::int64_t>(behind_));
    std::ranges::copy(of_terms.values(), terms.begin());
    std::ranges::copy(of_forces.values(), forces.begin());
  }

  int atoms_;
  std::size_t behind_;  // slots and slopes of a conformation
  TablesOnDevice<double> tables_;
};

}  // namespace
}  // namespace cuda

EnergyEngine::Kernel engine_cuda(const System& system) {
  const auto engine = std::make_shared<const cuda::Engine>(system);
  return [engine](std::span<const double> positions_nm, EnergyResult& result) {
    engine->run(positions_nm, result);
  };
}

}  // namespace arbg::md
