// Energies and forces a second of a batch of conformations, without reading or writing files.
//
// Usage: arbg_bench_energy PDB POSITIONS.npy THREADS FORCEFIELD. Prints one JSON object:
// conformations a second by wall-clock and by processor time, the median of seven passes over the
// file. compare_md.py sets it beside OpenMM.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/error.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"

namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void measure(const char* pdb_path, const char* positions_path, int threads,
             const char* forcefield) {
  using Clock = std::chrono::steady_clock;
  arbg::set_thread_count(threads);
  const auto pdb = arbg::md::read_pdb(pdb_path);
  const auto positions = arbg::read_npy(positions_path).data;
  const auto frames =
      static_cast<double>(positions.size()) / static_cast<double>(3 * pdb.topology.atoms.size());
  const arbg::md::EnergyEngine energy(
      arbg::md::ForceField::named(forcefield).create_system(pdb.topology), arbg::Backend::cpu);
  std::vector<double> wall_rates, cpu_rates;
  for (int pass = 0; pass < 7; ++pass) {
    const auto start = Clock::now();
    const std::clock_t cpu_start = std::clock();
    energy.evaluate(positions, true);
    cpu_rates.push_back(frames * CLOCKS_PER_SEC / static_cast<double>(std::clock() - cpu_start));
    wall_rates.push_back(frames / std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::printf("{\"wall\": %.6g, \"cpu\": %.6g}\n", median(wall_rates), median(cpu_rates));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("Usage: arbg_bench_energy PDB POSITIONS.npy THREADS FORCEFIELD\n", stderr);
    return 2;
  }
  try {
    measure(argv[1], argv[2], std::atoi(argv[3]), argv[4]);
  } catch (const arbg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
