// A sample, coordinate by coordinate: what it was drawn from is the sampler's own.
#include "sampling/proposals/roll_out.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "md/forcefields/forcefield.h"
#include "md/placement/ring_closure.h"
#include "tests/backends.h"
#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

Generator lively_dipeptide(nn::Backend backend, nn::WithinBins within = nn::WithinBins::uniform) {
  const auto topology = md::Topology::from_sequence("Ace-A-Nme");
  const auto system = md::ForceField::named("amber99sbildn-obc2").create_system(topology);
  return lively_generator(md::make_internal_map(topology, system, kTemperature), 32, backend,
                          Told{system, md::placement_born_radii(topology, system)}, within);
}

// Of rows [rows, V]: the largest |sum - 1| of exp.
double worst_sum(const std::vector<double>& log_p, std::size_t V) {
  double worst = 0;
  for (std::size_t row = 0; row < log_p.size(); row += V) {
    double sum = 0;
    for (std::size_t v = 0; v < V; ++v) sum += std::exp(log_p[row + v]);
    worst = std::max(worst, std::abs(sum - 1));
  }
  return worst;
}

double log_q_of(const RollOut& steps, const Generator& generator) {
  const auto V = static_cast<std::size_t>(generator.bins().bins());
  double log_q = -generator.bins().log_volume();
  for (std::size_t j = 0; j < steps.token.size(); ++j) {
    log_q += steps.log_drawn[j];
    if (generator.within_bins() == nn::WithinBins::uniform)
      CHECK(steps.log_drawn[j] == steps.log_p[j * V + static_cast<std::size_t>(steps.token[j])]);
  }
  return log_q;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("conditionals of a roll-out sum to 1, and to the log q that the sampler states") {
    for (const auto backend : backends_here()) {
      CAPTURE(name_of(backend));
      const double bound = backend == Backend::reference ? 1e-11 : 1e-4;
      for (const char* which : {"cartesian", "told", "told, sloped"}) {
        CAPTURE(which);
        const bool told = which[0] == 't';
        const auto within = which[4] == ',' ? nn::WithinBins::sloped : nn::WithinBins::uniform;
        const Generator generator =
            told ? lively_dipeptide(backend, within) : two_atoms_cartesian(16, backend);
        for (const Decoding& decoding :
             {Decoding{}, Decoding{1.3, 0, 1, 0}, Decoding{1, 5, 1, 0}}) {
          SampleOptions options;
          options.count = 3;
          const Samples drawn = generator.sample(options, decoding);
          const auto K = static_cast<std::size_t>(generator.map().size());
          for (std::size_t i = 0; i < 3; ++i) {
            const auto steps =
                roll_out(generator, std::span(drawn.coordinates).subspan(i * K, K), decoding);
            CHECK(worst_sum(steps.log_p, static_cast<std::size_t>(generator.bins().bins())) <
                  1e-12);
            CHECK(std::abs(log_q_of(steps, generator) - drawn.log_q[i]) < bound);
          }
        }
      }
    }
  }

  TEST_CASE("a roll-out has the distributions of placement energies where there are curves") {
    const Generator generator = lively_dipeptide(Backend::reference);
    const auto V = static_cast<std::size_t>(generator.bins().bins());
    SampleOptions options;
    options.count = 1;
    const auto z = generator.sample(options).coordinates;
    const auto steps = roll_out(generator, z, {});
    const auto rows = generator.head().placement_rows(nn::host_rows(z, std::ssize(z)), 0,
                                                      std::ssize(z), Backend::reference);
    CHECK(steps.curve == rows.slot.indices());
    const auto u = rows.energies.values();  // [1, curves, 3, V]
    REQUIRE(3 * steps.log_placed.size() == u.size());
    CHECK(worst_sum(steps.log_placed, V) < 1e-12);
    // Differences between bins are those of the energies.
    double worst = 0;
    for (std::size_t s = 0; s < steps.log_placed.size() / V; ++s) {
      const auto total = [&](std::size_t v) {
        return u[3 * s * V + v] + u[(3 * s + 1) * V + v] + u[(3 * s + 2) * V + v];
      };
      for (std::size_t v = 1; v < V; ++v)
        worst = std::max(worst, std::abs(steps.log_placed[s * V + v] - steps.log_placed[s * V] +
                                         total(v) - total(0)));
    }
    CHECK(worst < 1e-10);
  }

  TEST_CASE("a roll-out refuses coordinates outside the support, and another number of them") {
    const Generator generator = two_atoms_cartesian(16, Backend::reference);
    std::vector<double> z(6, 0.1);
    z[2] = 99;
    CHECK(error_message([&] { roll_out(generator, z, {}); }) == "coordinate 2 is outside its bins");
    z.pop_back();
    CHECK(error_message([&] { roll_out(generator, z, {}); }) == "expected 6 coordinates, found 5");
  }
}
