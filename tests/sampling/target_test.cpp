// Reduced energies and the support: mirrored or broken conformations weigh nothing.
#include "sampling/targets/target.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "md/coordinates/coordinate_map.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/units.h"
#include "metrics/weights/weights.h"
#include "tests/md/error_message.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Peptide {
  md::Topology topology;
  md::System system;
  std::vector<double> x;

  explicit Peptide(const char* sequence)
      : topology(md::Topology::from_sequence(sequence)),
        system(md::ForceField::named("amber99sbildn-obc2").create_system(topology)),
        x(md::ideal_geometry(topology, system)) {}

  Target target() const { return {topology, system, 310}; }
};

std::vector<double> mirrored(std::vector<double> x) {
  for (std::size_t i = 2; i < x.size(); i += 3) x[i] = -x[i];
  return x;
}

// x with the places of two atoms of residue 1 exchanged.
std::vector<double> exchanged(const Peptide& p, const char* a, const char* b) {
  auto x = p.x;
  const int i = p.topology.find(1, a), j = p.topology.find(1, b);
  REQUIRE(i >= 0);
  REQUIRE(j >= 0);
  for (int axis = 0; axis < 3; ++axis)
    std::swap(x[static_cast<std::size_t>(3 * i + axis)], x[static_cast<std::size_t>(3 * j + axis)]);
  return x;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("reduced energy is the energy over RT at the target's temperature") {
  const Peptide p("Ace-A-Nme");
  const double kj_mol =
      md::EnergyEngine(p.system, Backend::reference).evaluate(p.x, false).energy_kj_mol.at(0);
  CHECK(p.target().reduced_energy(p.x).at(0) ==
        doctest::Approx(kj_mol / (8.31446261815324e-3 * 310)).epsilon(1e-10));
}

TEST_CASE(
    "mirrored conformations have infinite energy and weight 0, although their energy is the same") {
  for (const char* sequence : {"Ace-A-Nme", "Ace-AVS-Nme", "Ace-I-Nme", "Ace-T-Nme", "Ace-C-Nme"}) {
    CAPTURE(sequence);
    const Peptide p(sequence);
    const auto target = p.target();
    auto both = p.x;
    const auto mirror = mirrored(p.x);
    both.insert(both.end(), mirror.begin(), mirror.end());
    const auto energies = target.energy().evaluate(both, false).energy_kj_mol;
    CHECK(energies[0] == doctest::Approx(energies[1]).epsilon(1e-9));
    const auto u = target.reduced_energy(both);
    CHECK(std::isfinite(u[0]));
    CHECK(u[1] == kInfinity);
    const auto log_w = log_weights(u, std::vector<double>{1, 1}, std::vector<double>{2, 2});
    CHECK(log_w[0] == -u[0] + 1 - 2);
    CHECK(log_w[1] == -kInfinity);
    CHECK(metrics::normalised_weights(log_w) == std::vector<double>{1, 0});
  }
}

TEST_CASE("glycine has no hand: its mirror image is as good") {
  const Peptide p("Ace-G-Nme");
  CHECK(p.target().has_right_hand(p.x));
  CHECK(p.target().has_right_hand(mirrored(p.x)));
}

TEST_CASE(
    "the second stereocentres of isoleucine and threonine are held, those of valine's equal "
    "methyls are not") {
  const Peptide ile("Ace-I-Nme"), thr("Ace-T-Nme"), val("Ace-V-Nme");
  CHECK(ile.target().has_right_hand(ile.x));
  CHECK_FALSE(ile.target().has_right_hand(exchanged(ile, "CG1", "CG2")));
  CHECK(thr.target().has_right_hand(thr.x));
  CHECK_FALSE(thr.target().has_right_hand(exchanged(thr, "OG1", "CG2")));
  CHECK(val.target().has_right_hand(exchanged(val, "CG1", "CG2")));
}

TEST_CASE("atoms on top of each other weigh nothing and leave their neighbours alone") {
  const Peptide p("Ace-A-Nme");
  auto x = p.x;
  x.insert(x.end(), p.x.begin(), p.x.end());
  for (std::size_t axis = 0; axis < 3; ++axis) x[axis] = x[3 + axis];
  const auto u = p.target().reduced_energy(x);
  CHECK(u[0] == kInfinity);
  CHECK(u[1] == p.target().reduced_energy(p.x).at(0));
}

TEST_CASE("what does not fit is refused in a sentence") {
  const Peptide p("Ace-A-Nme");
  CHECK(error_message([&] {
          Target(p.topology, p.system, 0);
        }).find("temperature must be positive") != std::string::npos);
  CHECK(error_message([&] {
          log_weights(std::vector<double>(2), std::vector<double>(2), std::vector<double>(3));
        }) != "");
}

TEST_SUITE_END();
