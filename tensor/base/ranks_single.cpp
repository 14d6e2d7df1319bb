// A build without MPI: this process is alone.
#include "tensor/base/world.h"

namespace arbg {

std::unique_ptr<Ranks> start_ranks() {
  const char* mark = mark_of_launcher();
  require(mark == nullptr, "started by mpirun or srun (", mark,
          " is set), but this program was built without MPI: install its headers and build again "
          "with -DARBG_MPI=ON, or start one process");
  return std::make_unique<Ranks>();
}

}  // namespace arbg
