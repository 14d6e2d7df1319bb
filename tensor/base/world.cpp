#include "tensor/base/world.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace arbg {
namespace {

// What is alike of ranks that share something.
struct Place {
  std::array<char, 64> machine{};  // the boot id: containers have one name, and more have another
  cpu_set_t cpus{};
};

Place this_place() {
  Place place;
  std::ifstream("/proc/sys/kernel/random/boot_id").read(place.machine.data(), 36);
  CPU_ZERO(&place.cpus);
  ::sched_getaffinity(0, sizeof place.cpus, &place.cpus);
  return place;
}

}  // namespace

const char* mark_of_launcher() {
  // Open MPI; PMIx, of Slurm and others; PMI, of MPICH, Intel MPI and Slurm.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (std::getenv(name) != nullptr) return name;
  return nullptr;
}

Neighbours neighbours(const Ranks& ranks) {
  const Place own = this_place();
  const auto places = ranks.gather(std::span(&own, 1));
  Neighbours out{0, 0};
  for (int r = 0; r < ranks.count(); ++r) {
    const Place& place = places[static_cast<std::size_t>(r)];
    if (place.machine != own.machine) continue;
    if (r < ranks.rank()) ++out.before;
    if (CPU_EQUAL(&place.cpus, &own.cpus)) ++out.on_same_cpus;
  }
  return out;
}

std::string device_of_rank(const char* list, int before) {
  if (list == nullptr) return std::to_string(before);
  std::vector<std::string> devices;
  std::istringstream text(list);
  for (std::string device; std::getline(text, device, ',');) devices.push_back(device);
  return devices.empty() ? "" : devices[static_cast<std::size_t>(before) % devices.size()];
}

}  // namespace arbg
