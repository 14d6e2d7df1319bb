// The processes that were started together to be the ranks of one run, by mpirun or srun.
//
// ranks_mpi.cpp asks MPI (-DARBG_MPI=ON, or AUTO where it is found), ranks_single.cpp knows of this
// process alone. MPI is started only where a launcher has left its marks in the environment:
// without one a program that was built with MPI is as quick to start as one without it.
#pragma once

#include <memory>

#include "tensor/base/ranks.h"

namespace arbg {

// To be called once, from the main thread, which alone makes the calls that are together; the ranks
// take their leave of each other when the object goes. Throws Error if a launcher has started
// several and this build knows of one.
std::unique_ptr<Ranks> start_ranks();

// The name of a variable by which a launcher tells how many or which of its processes this is, if
// there is one in the environment; otherwise null.
const char* mark_of_launcher();

// Ranks on one machine, as rank r sees them.
struct Neighbours {
  int before = 0;        // lower ranks on its machine: which of its GPUs is whose
  int on_same_cpus = 1;  // itself and those that may use the very CPUs that it may: they share them
};
Neighbours neighbours(const Ranks& ranks);  // together

// The member of a list "0,3,5", as CUDA_VISIBLE_DEVICES has it, for the rank with so many before it
// on its machine; they begin again where the list ends. Without a list all devices are in it.
std::string device_of_rank(const char* list, int before);

}  // namespace arbg
