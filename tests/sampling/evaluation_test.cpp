// Figures of weighted samples whose distances and densities are known.
#include "sampling/evaluation/evaluation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tests/sampling/small_generators.h"
#include "tests/sampling/turned_torsions.h"

namespace arbg::sampling {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// `count` times one conformation of alanine dipeptide, psi turned by that angle.
std::vector<double> turned_psi(const TurnedTorsions& molecule, double angle, std::size_t count) {
  auto x = molecule.start;
  turn(molecule.topology, x, molecule.topology.find(1, "CA"), molecule.topology.find(1, "C"),
       angle);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.insert(out.end(), x.begin(), x.end());
  return out;
}

// Forty frames of energy 1; twenty samples like them, and twenty of energy 5 whose psi is turned by
// 0.3, which weigh nothing, one of them of infinite energy.
struct Setting {
  TurnedTorsions molecule;
  std::vector<double> reference_x = turned_psi(molecule, 0, 40), reference_u;
  std::vector<double> x = turned_psi(molecule, 0, 20), u, log_weight;

  Setting() : reference_u(40, 1.0), u(20, 1.0), log_weight(20, 0.0) {
    const auto off = turned_psi(molecule, 0.3, 20);
    x.insert(x.end(), off.begin(), off.end());
    u.resize(40, 5.0);
    u.back() = kInfinity;
    log_weight.resize(40, -kInfinity);
  }
  ReferenceEnsemble reference() const { return {molecule.topology, 4, reference_x, reference_u}; }
  WeightedEnsemble samples() const { return {x, u, log_weight}; }
};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("distances are those of the weights, of the samples as drawn, and of the two halves") {
    const Setting s;
    EvaluationOptions options;
    options.points = 20;
    const auto e = evaluate(s.samples(), s.reference(), nullptr, options);
    CHECK(e.points == 20);
    CHECK(e.weights.ess == doctest::Approx(20));
    CHECK(e.weights.zero_count == 20);
    CHECK(e.weight[0] == doctest::Approx(1.0 / 20));
    CHECK(e.weight[39] == 0);
    CHECK(e.energy_w2_kt.weighted.estimate == doctest::Approx(0));
    CHECK(e.energy_w2_kt.floor.estimate == doctest::Approx(0));
    // Every second sample: ten at 0 and ten 4 kT above.
    CHECK(e.energy_w2_kt.raw.estimate == doctest::Approx(std::sqrt(8.0)));
    CHECK(e.torsion_w2_rad.weighted.estimate == doctest::Approx(0).epsilon(1e-6));
    CHECK(e.torsion_w2_rad.raw.estimate == doctest::Approx(0.3 * std::sqrt(0.5)).epsilon(1e-5));
    CHECK(e.torsion_w2_rad.floor.estimate == doctest::Approx(0).epsilon(1e-6));
    REQUIRE(e.angles.size() == 1);
    CHECK(e.angles[0].residue == "ALA2");
    CHECK(std::cos(e.angles[0].samples.psi[39] - e.angles[0].reference.psi[39]) ==
          doctest::Approx(std::cos(0.3)));
    CHECK(e.angles[0].samples.phi.size() == 40);
    CHECK(e.likelihood_frames == 0);
  }

  TEST_CASE("the published protocol takes the first frames, in the order of the file") {
    Setting s;
    // Of four replicas in turn; the second half of each is 10 kT above.
    for (std::size_t f = 0; f < s.reference_u.size(); ++f)
      s.reference_u[f] = f < s.reference_u.size() / 2 ? 0 : 10;
    std::ranges::fill(s.u, 0.0);
    EvaluationOptions options;
    options.points = s.reference_u.size() / 2;
    CHECK(evaluate(s.samples(), s.reference(), nullptr, options).energy_w2_kt.weighted.estimate ==
          doctest::Approx(10 * std::sqrt(0.4)));  // frames 0, 2 and 4 of ten, and 6 and 8
    options.published = true;
    CHECK(evaluate(s.samples(), s.reference(), nullptr, options).energy_w2_kt.weighted.estimate ==
          doctest::Approx(0));
  }

  TEST_CASE("samples of infinite energy have weights and no place in a distance as drawn") {
    const Setting s;
    EvaluationOptions options;
    options.points = 40;
    options.seed = 2;
    const auto few = evaluate(s.samples(), s.reference(), nullptr, options);
    CHECK(few.points == 20);  // of the reference no more than its half
    auto u = s.u;
    for (std::size_t i = 20; i < 40; ++i) u[i] = kInfinity;
    const auto e = evaluate({s.x, u, s.log_weight}, s.reference(), nullptr, options);
    CHECK(e.energy_w2_kt.raw.estimate == doctest::Approx(0));
    CHECK(e.torsion_w2_rad.raw.estimate == doctest::Approx(0).epsilon(1e-6));
  }

  TEST_CASE("raw figures stay beside those of trimmed weights, which distances are of") {
    Setting s;
    s.log_weight[3] = std::log(20.0);
    s.u[3] = 1000;
    EvaluationOptions options;
    options.trim = 1.0 / 40;
    const auto e = evaluate(s.samples(), s.reference(), nullptr, options);
    CHECK(e.weights.ess == doctest::Approx(39.0 * 39 / 419));
    CHECK(e.trimmed.ess == doctest::Approx(19));
    CHECK(e.weight[3] == 0);
    CHECK(e.energy_w2_kt.weighted.estimate == doctest::Approx(0));
  }

  TEST_CASE("the interval of effective samples holds their share, where weights have a variance") {
    const Setting s;
    const std::size_t count = 1000;
    const auto x = turned_psi(s.molecule, 0, count);
    const std::vector<double> u(count, 1.0);
    EvaluationOptions options;
    options.points = 2;
    options.only_distances = true;
    const auto interval = [&](std::uint64_t seed, double width) {
      const Random random(seed, 0);
      std::vector<double> log_weight;
      for (std::size_t i = 0; i < count; ++i)
        log_weight.push_back(width * random.normal_pair(i)[0]);
      return evaluate({x, u, log_weight}, s.reference(), nullptr, options).ess_fraction;
    };
    // Of log-normal weights exp(-width^2) are effective. 57 of 60, with a standard error of 1.7.
    int held = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed)
      held += interval(seed, 0.3).contains(std::exp(-0.09));
    CHECK(held >= 52);
    CHECK(held < 60);
    CHECK(std::isnan(interval(1, 3).low));
    CHECK(interval(1, 3).estimate > 0);
  }

  TEST_CASE("the reference's likelihood is the model's, frame by frame") {
    const auto m = chain(3, 0.012, 0.4);
    const auto generator = three_atoms(8, nn::Backend::cpu);
    const Target target(m.topology, m.system, kTemperature);
    SampleOptions drawing;
    drawing.count = 60;
    Decoding decoding;
    decoding.temperature = 1.1;
    const auto samples = generator.sample(drawing, decoding);
    drawing.stream = stream_id("other");
    const auto frames = generator.sample(drawing, decoding);
    auto log_w =
        log_weights(target.reduced_energy(samples.positions_nm), samples.log_volume, samples.log_q);
    const auto u = target.reduced_energy(samples.positions_nm),
               v = target.reduced_energy(frames.positions_nm);
    EvaluationOptions options;
    options.held_out = 1;
    const auto e = evaluate({samples.positions_nm, u, log_w, 0, decoding},
                            {m.topology, 1, frames.positions_nm, v}, &generator, options);
    CHECK(e.likelihood_frames == 60);
    CHECK(e.reference_outside == 0);
    double nats = 0;
    for (const double log_q : generator.log_density(frames.coordinates)) nats -= log_q / 60;
    CHECK(e.reference_nats.estimate ==
          doctest::Approx(nats / generator.map().size()).epsilon(1e-9));
    const auto reference_log_w =
        log_weights(v, frames.log_volume, generator.log_density(frames.coordinates, decoding));
    REQUIRE(e.bennett);
    CHECK(e.bennett->log_z ==
          doctest::Approx(metrics::bennett_log_z(log_w, reference_log_w).log_z).epsilon(1e-6));
    CHECK(e.reverse_ess_fraction.estimate ==
          doctest::Approx(metrics::reverse_ess_fraction(reference_log_w)).epsilon(1e-6));
  }

  TEST_CASE("a reference without energies, and too few points, samples or frames, are refused") {
    const Setting s;
    CHECK_THROWS_WITH_AS(
        evaluate(s.samples(), {s.molecule.topology, 4, s.reference_x, {}}, nullptr, {}),
        doctest::Contains("an energy for each of 40 reference frames, found 0"), Error);
    EvaluationOptions one;
    one.points = 1;
    CHECK_THROWS_WITH_AS(evaluate(s.samples(), s.reference(), nullptr, one),
                         doctest::Contains("at least 2 points a side, got 1"), Error);
    auto two = s.reference();
    two.positions_nm = two.positions_nm.first(two.positions_nm.size() / 20);
    two.reduced_energy = two.reduced_energy.first(2);
    CHECK_THROWS_WITH_AS(
        evaluate(s.samples(), two, nullptr, {}),
        doctest::Contains("2 samples and 4 reference frames, 2 in each half; found 40 and 2"),
        Error);
    const auto samples = s.samples();
    const WeightedEnsemble lone{samples.positions_nm.first(samples.positions_nm.size() / 40),
                                samples.reduced_energy.first(1), samples.log_weight.first(1)};
    CHECK_THROWS_WITH_AS(evaluate(lone, s.reference(), nullptr, {}),
                         doctest::Contains("found 1 and 40"), Error);
  }
}

}  // namespace arbg::sampling
