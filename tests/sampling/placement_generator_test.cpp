// Generators whose network is told placement energies of their molecule: what is exact without them
// is exact with them, and a network that they tell everything has equal weights.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "md/forcefields/forcefield.h"
#include "metrics/weights/weights.h"
#include "sampling/audit/placement.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/smc/twisted_smc.h"
#include "sampling/targets/target.h"
#include "tensor/base/threads.h"
#include "tests/backends.h"
#include "tests/sampling/known_answers.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

std::unique_ptr<md::CoordinateMap> map_of(const md::Molecule& m) {
  return md::make_internal_map(m.topology, m.system, kTemperature);
}

Generator lively_peptide(const char* sequence, nn::Backend backend) {
  md::Molecule m;
  m.topology = md::Topology::from_sequence(sequence);
  m.system = md::ForceField::named("amber99sbildn-obc2").create_system(m.topology);
  auto map = map_of(m);
  auto closures = md::ring_closures(m.topology, m.system, *map, kTemperature);
  return lively_generator(
      std::move(map), 32, backend,
      Told{m.system, md::placement_born_radii(m.topology, m.system), std::move(closures)});
}

Generator lively_dipeptide(nn::Backend backend) { return lively_peptide("Ace-A-Nme", backend); }

constexpr double kBondWidth = 0.012, kAngleWidth = 0.2, kBarrier = 2.5;  // the barrier in kT

// A chain of four; its ends are neutral, or attract and repel each other, so that the curve of the
// dihedral depends on all other coordinates.
md::Molecule butane(double charge_e) {
  auto m = chain(4, kBondWidth, kAngleWidth);
  m.system.torsions.push_back({0, 1, 2, 3, 3, 0.5, kBarrier * kRt});
  m.system.exclusions = {{0, 1}, {0, 2}, {1, 2}, {1, 3}, {2, 3}};
  if (charge_e == 0) return m;
  m.system.nonbonded.front() = {charge_e, 0.25, 1};
  m.system.nonbonded.back() = {-charge_e, 0.25, 1};
  return m;
}

// Three atoms around one: the last is held by the angles to the others, so that its own angle and
// the phase after it have curves.
md::Molecule star() {
  auto m = md::molecule({"C1", "C2", "C3", "C4"}, {{0, 1}, {0, 2}, {0, 3}},
                        kRt / (kBondWidth * kBondWidth), kRt / (kAngleWidth * kAngleWidth));
  m.system.nonbonded.assign(4, {0, 0.1, 0});
  return m;
}

SampleOptions options_for(std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  return options;
}

// Near the target but for coordinates of the last atom whose energies are told: these are left to
// them.
Generator near(const md::Molecule& m, bool told) {
  auto map = map_of(m);
  const bool phase = !map->coordinates().back().periodic;
  const auto density = [=](const md::Coordinate& c, double value) {
    if (told && c.order == 3 && c.kind > (phase ? 0 : 1)) return 1.0;
    if (c.kind == 0) return boltzmann(value, kLength, 1.2 * kBondWidth);
    if (c.kind == 1) return boltzmann(value, kAngle, 1.2 * kAngleWidth);
    return c.periodic ? 1.0 : boltzmann(value, (c.low + c.high) / 2, 0.4);
  };
  return near_generator(std::move(map), 96, density, nn::Backend::cpu,
                        told ? std::optional(Told{m.system}) : std::nullopt);
}

metrics::WeightSummary weights_of(const md::Molecule& m, bool told) {
  const auto samples = near(m, told).sample(options_for(40000));
  const Target target(m.topology, m.system, kTemperature);
  return metrics::summarise_weights(
      log_weights(target.reduced_energy(samples.positions_nm), samples.log_volume, samples.log_q));
}

// Rows of the network's outputs, [B, K V].
std::vector<double> outputs_of(const Generator& generator, const std::vector<double>& z) {
  const autograd::NoGradient no_graph;
  return nn::parameters_of(generator.network(), generator.head(),
                           nn::host_rows(z, generator.map().size()))
      .value()
      .values();
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("placement: log q of draws is log_density, bitwise on the reference") {
  for (const char* sequence : {"Ace-A-Nme", "Ace-F-Nme"}) {
    for (const auto backend : backends_here()) {
      const auto generator = lively_peptide(sequence, backend);
      for (const Decoding& decoding : {Decoding{}, Decoding{1.3, 0, 1, 0}}) {
        const auto samples = generator.sample(options_for(12), decoding);
        const auto found = generator.log_density(samples.coordinates, decoding);
        for (std::size_t i = 0; i < found.size(); ++i) {
          if (backend == nn::Backend::reference)
            CHECK(found[i] == samples.log_q[i]);
          else
            CHECK(std::abs(found[i] - samples.log_q[i]) < 5e-6 * generator.map().size());
        }
      }
    }
  }
}

TEST_CASE("placement: a sample does not depend on lanes, threads or the first of its company") {
  const int threads = thread_count();
  const auto generator = lively_dipeptide(nn::Backend::cpu);
  const auto whole = generator.sample(options_for(9));
  const auto K = static_cast<std::size_t>(generator.map().size());
  for (const std::int64_t lanes : {1, 4}) {
    for (const int used : {1, 2}) {
      set_thread_count(used);
      auto options = options_for(6);
      options.lanes = lanes;
      options.first = 3;
      const auto part = generator.sample(options);
      CHECK(std::ranges::equal(part.coordinates, std::span(whole.coordinates).subspan(3 * K)));
      CHECK(std::ranges::equal(part.log_q, std::span(whole.log_q).subspan(3)));
    }
  }
  set_thread_count(threads);
}

TEST_CASE("placement: the density of small molecules sums to 1 over all cells") {
  for (const auto backend : backends_here()) {
    for (const auto& m : {butane(0.2), star()}) {
      const auto generator = lively_generator(map_of(m), 3, backend, Told{m.system});
      double volume = 1, total = 0;
      for (std::int64_t j = 0; j < generator.map().size(); ++j) volume *= generator.bins().width(j);
      const auto cells = all_sequences(3, generator.map().size());
      for (const double log_q : generator.log_density(middles(generator, cells)))
        total += std::exp(log_q) * volume;
      CHECK(std::abs(total - 1) < (backend == nn::Backend::reference ? 1e-12 : 1e-5));
    }
  }
}

TEST_CASE("placement: what the network is told of a coordinate is of those before it alone") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const auto backend : backends_here()) {
    const auto generator = lively_peptide("Ace-F-Nme", backend);
    const auto z = generator.sample(options_for(1)).coordinates;
    const std::int64_t K = generator.map().size();
    const auto told = [&](const std::vector<double>& rows, std::int64_t j) {
      return generator.head().placement_rows(nn::host_rows(rows, K), j, 1, backend);
    };
    std::int64_t curves = 0, bonds = 0;
    for (std::int64_t j = 0; j < K; ++j) {
      auto unknown = z;
      std::fill(unknown.begin() + j, unknown.end(), kNan);
      const auto expected = told(z, j), found = told(unknown, j);
      CHECK(expected.energies.defined() == generator.head().placement()->has_curve(j));
      bonds += expected.energies.defined() &&
               generator.map().coordinates()[static_cast<std::size_t>(j)].kind == 0;
      if (!expected.energies.defined()) continue;
      ++curves;
      CHECK(found.energies.values() == expected.energies.values());
      CHECK(found.features.values() == expected.features.values());
    }
    CHECK(curves > 29);  // of 29 dihedrals, and of angles
    CHECK(bonds == 2);   // the last of the ring
  }
}

TEST_CASE(
    "placement: an audit passes a molecule with rings, the one that closures hold and Pro's") {
  const md::Topology topology = md::Topology::from_sequence("Ace-FP-Nme");
  const Target target(topology, md::ForceField::named("amber99sbildn-obc2").create_system(topology),
                      kTemperature);
  for (const auto backend : backends_here()) {
    const auto generator = lively_peptide("Ace-FP-Nme", backend);
    const auto samples = generator.sample(options_for(2));
    const auto checks = audit_placement(generator, target, samples.positions_nm);
    CHECK(checks.size() == 2);
    for (const Check& check : checks) {
      CAPTURE(check.name);
      CAPTURE(check.measured);
      CHECK(check.verdict == Verdict::pass);
    }
  }
}

TEST_CASE("placement: a coordinate moves no output at or before its place, and one behind it") {
  for (const auto backend : backends_here()) {
    const auto generator = lively_dipeptide(backend);
    const auto z = generator.sample(options_for(1)).coordinates;
    const std::size_t K = z.size(), V = static_cast<std::size_t>(generator.bins().bins());
    // Row j has coordinate j moved within its bin: only energies hear of it.
    std::vector<double> same, moved;
    for (std::size_t j = 0; j < K; ++j) {
      same.insert(same.end(), z.begin(), z.end());
      moved.insert(moved.end(), z.begin(), z.end());
      const auto coordinate = static_cast<std::int64_t>(j);
      const auto bin = generator.bins().encode(coordinate, z[j]);
      const double low = generator.bins().decode(coordinate, bin, 0.1),
                   high = generator.bins().decode(coordinate, bin, 0.9);
      moved[j * K + j] = z[j] < (low + high) / 2 ? high : low;
    }
    const auto before = outputs_of(generator, same), after = outputs_of(generator, moved);
    std::size_t without_effect = 0;
    for (std::size_t j = 0; j < K; ++j) {
      const auto first = std::span(before).subspan(j * K * V, K * V),
                 second = std::span(after).subspan(j * K * V, K * V);
      CHECK(std::ranges::equal(first.first((j + 1) * V), second.first((j + 1) * V)));
      without_effect += std::ranges::equal(first, second);
    }
    CHECK(without_effect == 1);  // of the last one
  }
}

TEST_CASE("placement: copies carry their coordinates, log q of every survivor is its own") {
  const auto m = butane(0.2);
  const Target target(m.topology, m.system, kTemperature);
  for (const auto backend : backends_here()) {
    const auto generator = lively_generator(map_of(m), 16, backend, Told{m.system});
    SmcOptions options;
    options.populations = 1;
    options.count = 30;
    options.ess_threshold = 1;
    const AutoregressiveProposal proposal(generator);
    const auto population = sample_twisted(proposal, target, {1, true, {2, 3}}, options)[0];
    CHECK(population.ancestor_share() < 0.9);
    const auto& found = population.samples.log_q;
    const auto expected = proposal.log_density(population.samples.coordinates);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (backend == nn::Backend::reference)
        CHECK(found[i] == expected[i]);
      else
        CHECK(std::abs(found[i] - expected[i]) < 5e-6 * generator.map().size());
    }
  }
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("placement: weights average to Z of a torsion, which the energies tell all of") {
  const auto m = butane(0);
  const double z =
      std::pow(bond_z(kBondWidth), 3) * std::pow(angle_z(kAngleWidth), 2) *
      simpson([](double phi) { return std::exp(-kBarrier * (1 + std::cos(3 * phi - 0.5))); }, -kPi,
              kPi);
  const auto told = weights_of(m, true), plain = weights_of(m, false);
  INFO("log Z ", told.log_z, " +- ", told.log_z_error, ", exactly ", std::log(z), "; ESS ",
       told.ess_fraction, ", without ", plain.ess_fraction);
  CHECK(told.log_z_error < 0.01);
  CHECK(std::abs(told.log_z - std::log(z)) < 4 * told.log_z_error);
  CHECK(told.ess_fraction > 1.5 * plain.ess_fraction);
}

TEST_CASE("placement: log Z is that of a network that is not told, of pairs and of phases") {
  for (const auto& m : {butane(0.2), star()}) {
    const auto told = weights_of(m, true), plain = weights_of(m, false);
    INFO("log Z ", told.log_z, " +- ", told.log_z_error, " and ", plain.log_z, " +- ",
         plain.log_z_error, "; ESS ", told.ess_fraction, " and ", plain.ess_fraction);
    CHECK(told.log_z_error < 0.03);
    CHECK(std::abs(told.log_z - plain.log_z) < 4 * std::hypot(told.log_z_error, plain.log_z_error));
    CHECK(told.ess_fraction > 1.5 * plain.ess_fraction);
  }
}

TEST_SUITE_END();
