#include "md/dynamics/integrator.h"

#include "tensor/base/error.h"

namespace arbg::md {

std::unique_ptr<Integrator> make_integrator(const System& system, const DynamicsOptions& options) {
  require(options.timestep_ps > 0, "expected a timestep above 0 ps, found ", options.timestep_ps);
  require(options.friction_per_ps >= 0, "expected a friction of at least 0 per ps, found ",
          options.friction_per_ps);
  for (const double mass : system.mass_amu)
    require(mass > 0, "expected masses above 0 amu, found ", mass);
  require(!options.temperatures_kelvin.empty(),
          "expected a temperature for each replica, found none");
  for (const double t : options.temperatures_kelvin)
    require(t > 0, "expected temperatures above 0 K, found ", t);
  switch (options.backend) {
    case Backend::reference:
      return integrator_reference(system, options);
    case Backend::cpu:
      return integrator_lanes(system, options);
    case Backend::cuda:
#if defined(ARBG_CUDA)
      return integrator_cuda(system, options);
#else
      break;
#endif
  }
  fail("this build has no dynamics on the ", name_of(options.backend),
       " backend; choose reference or cpu");
}

}  // namespace arbg::md
