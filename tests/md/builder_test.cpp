#include "md/dynamics/builder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "md/coordinates/coordinate_map.h"
#include "md/coordinates/zmatrix.h"
#include "md/dynamics/dynamics.h"
#include "md/energy/engine.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/structure_check.h"
#include "md/molecule/torsion_atoms.h"
#include "md/molecule/units.h"
#include "md/molecule/vector3.h"
#include "tensor/base/random.h"
#include "tensor/base/simd.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

struct Built {
  Topology topology;
  System system;
  std::vector<double> positions;

  Built(const std::string& sequence, const std::string& force_field,
        const BuildOptions& options = {}, std::vector<std::pair<int, int>> disulfides = {})
      : topology(Topology::from_sequence(sequence, {}, disulfides)),
        system(ForceField::named(force_field).create_system(topology)),
        positions(build_structure(topology, system, options)) {}

  double energy() const { return EnergyEngine(system).evaluate(positions, false).energy_kj_mol[0]; }
};

// How far below the mean potential energy of a short simulation at 300 K from there, in kJ/mol: one
// replica a lane, 0.5 ps at 10/ps to warm up, then 0.25 ps.
double thermal_margin(const Built& built) {
  constexpr int kReplicas = kLaneCount<float>;
  DynamicsOptions options;
  options.friction_per_ps = 10;
  options.temperatures_kelvin.assign(kReplicas, 300);
  Dynamics dynamics(built.system, options, built.positions);
  dynamics.run(500);
  constexpr int kSamples = 5;
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) {
    dynamics.run(50);
    for (const double energy : dynamics.potential_energy_kj_mol()) sum += energy;
  }
  return sum / (kSamples * kReplicas) - built.energy();
}

// What a harmonic molecule would have there: RT/2 for each of its 3N - 6 vibrations.
double harmonic_margin(const Built& built) {
  return 0.5 * (3 * built.topology.atom_count() - 6) * thermal_energy(300);
}

// A ring of PHE in the plane z = 0 and a bond of another residue, both by hand.
std::string ring_fault(const Vector3& from, const Vector3& to) {
  Topology topology;
  std::vector<double> x;
  const auto add = [&](const char* name, int residue, const Vector3& v) {
    topology.atoms.push_back({name, "C", residue});
    x.insert(x.end(), {v.x, v.y, v.z});
  };
  int corner = 0;
  for (const char* name : {"CG", "CD1", "CE1", "CZ", "CE2", "CD2"}) {
    const double turn = std::numbers::pi / 3 * corner++;
    add(name, 0, {0.14 * std::cos(turn), 0.14 * std::sin(turn), 0});
  }
  add("X", 1, from);
  add("Y", 1, to);
  topology.residues = {{"PHE", 1, 0, 6}, {"XXX", 2, 6, 2}};
  topology.bonds = {{6, 7}};
  return structure_fault(topology, x);
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("built peptides have L residues, trans bonds, free rings and less energy than at 300 K") {
  for (const std::string& force_field : ForceField::names()) {
    for (const char* sequence :
         {"Ace-A-Nme", "Ace-AA-Nhe", "GG", "Ace-TI-Nme", "PHP", "FW", "RKE"}) {
      CAPTURE(sequence);
      const Built built(sequence, force_field);
      CHECK(structure_fault(built.topology, built.positions) == "");
      CHECK(thermal_margin(built) > 0);
    }
  }
}

TEST_CASE("a gap in the chain is named: two residues are bonded from afar") {
  Built built("Ace-AAA-Nme", "amber14-obc1");
  CHECK(gap_in_chain(built.topology, built.positions) == "");
  const auto first = static_cast<std::size_t>(3 * built.topology.find(3, "N"));
  for (std::size_t i = first; i < built.positions.size(); i += 3) built.positions[i] += 0.4;
  const std::string gap = gap_in_chain(built.topology, built.positions);
  CAPTURE(gap);
  CHECK(gap.find("the bond ALA3:C - ALA4:N is 0.") == 0);
}

TEST_CASE("disulfide bonds close, between neighbours and across a chain") {
  using Pairs = std::vector<std::pair<int, int>>;
  for (const auto& [name, pairs] : {std::pair("CC", Pairs{{1, 2}}),
                                    {"Ace-CGGC-Nme", Pairs{{2, 5}}},
                                    {"GCCGGCSC", Pairs{{2, 6}, {3, 8}}}}) {
    const std::string sequence = name;
    CAPTURE(sequence);
    const Built built(sequence, "amber14-obc1", {}, pairs);
    CHECK(structure_fault(built.topology, built.positions) == "");
    for (const auto& [first, second] : pairs) {
      const Vector3 a = at(built.positions, built.topology.find(first - 1, "SG"));
      const Vector3 b = at(built.positions, built.topology.find(second - 1, "SG"));
      CHECK(norm(a - b) == doctest::Approx(0.2038).epsilon(0.05));
    }
  }
  BuildOptions idealised;
  idealised.minimize = false;
  CHECK(error_message([&] {
          Built("CGGC", "amber14-obc1", idealised, {{1, 4}});
        }).find("closes only during minimisation") != std::string::npos);
}

TEST_CASE("without minimisation phi and psi are as asked and bonds at equilibrium") {
  BuildOptions options;
  options.minimize = false;
  options.phi_rad = -1.0;
  options.psi_rad = -0.8;
  const Built built("Ace-SHWE-Nme", "amber99sbildn-obc2", options);
  const auto value = [&](const std::array<int, 4>& t) {
    const auto& x = built.positions;
    return dihedral(at(x, t[0]), at(x, t[1]), at(x, t[2]), at(x, t[3]));
  };
  const BackboneTorsions backbone = backbone_torsions(built.topology);
  for (const auto& phi : backbone.phi) CHECK(value(phi) == doctest::Approx(-1.0).epsilon(1e-3));
  for (const auto& psi : backbone.psi) CHECK(value(psi) == doctest::Approx(-0.8).epsilon(1e-3));
  for (const HarmonicBond& b : built.system.bonds) {
    const double length = norm(at(built.positions, b.i) - at(built.positions, b.j));
    CHECK(length == doctest::Approx(b.length_nm).epsilon(0.05));  // rings are strained
  }
}

TEST_CASE("a chain that cannot avoid itself is refused") {
  BuildOptions options;
  options.minimize = false;
  options.phi_rad = options.psi_rad = 0.0;
  CHECK(error_message([&] {
          Built("Ace-AAAAAAAA-Nme", "amber14-obc1", options);
        }).find("overlap; try other values of phi and psi") != std::string::npos);
}

TEST_CASE("faults of a structure are found") {
  BuildOptions idealised;
  idealised.minimize = false;
  const Built built("Ace-AT-Nme", "amber99sbildn-obc2", idealised);
  const auto fault = [&](const std::vector<double>& x) {
    return structure_fault(built.topology, x);
  };
  CHECK(fault(built.positions) == "");

  std::vector<double> mirrored = built.positions;
  for (std::size_t i = 0; i < mirrored.size(); i += 3) mirrored[i] = -mirrored[i];
  CHECK(fault(mirrored) == "ALA2 is a D residue");

  std::vector<double> swapped = built.positions;  // the branches of Thr
  const int og = built.topology.find(2, "OG1"), cg = built.topology.find(2, "CG2");
  set_position(swapped, og, at(built.positions, cg));
  set_position(swapped, cg, at(built.positions, og));
  CHECK(fault(swapped) == "the side chain of THR3 has the wrong hand");

  const ZMatrix zmatrix = grow_zmatrix(built.topology);
  std::vector<double> z(3 * zmatrix.size() - 6), cis = built.positions;
  internal_from_positions(zmatrix, cis, z);
  for (std::size_t m = 3; m < zmatrix.size(); ++m) {
    if (zmatrix[m].atom == built.topology.find(2, "CA"))
      z[static_cast<std::size_t>(first_coordinate(static_cast<int>(m))) + 2] = 0;
  }
  positions_from_internal(zmatrix, z, cis);
  CHECK(fault(cis) == "the peptide bond between ALA2 and THR3 is not trans");

  std::vector<double> torn = built.positions;
  torn[0] += 1;
  CHECK(fault(torn).find("is broken") != std::string::npos);

  CHECK(ring_fault({0.02, 0.01, -0.07}, {0.02, 0.01, 0.07}) ==
        "the bond XXX2:X - XXX2:Y passes through the ring of PHE1");
  CHECK(ring_fault({0.02, 0.01, 0.07}, {0.02, 0.01, 0.2}) == "");  // above
  CHECK(ring_fault({0.3, 0.01, -0.07}, {0.3, 0.01, 0.07}) == "");  // beside
  CHECK(ring_fault({0.14, 0, 0.05}, {0.14, 0, 0.15}) == "PHE1:CG and XXX2:X overlap");
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("slow");

TEST_CASE("all dipeptides and a hundred octapeptides build, with less energy than at 300 K") {
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  std::vector<std::string> sequences;
  for (const char first : letters) {
    for (const char second : letters) sequences.push_back({first, second});
  }
  const Random random(20261123, 1);
  for (std::uint64_t k = 0; k < 100; ++k) {
    std::string sequence;
    for (std::uint64_t i = 0; i < 8; ++i)
      sequence += letters[static_cast<std::size_t>(random.below(20, 8 * k + i))];
    sequences.push_back(sequence);
  }
  for (const std::string& force_field : ForceField::names()) {
    double least_kj_mol = INFINITY, least_of_harmonic = INFINITY;
    for (const std::string& sequence : sequences) {
      CAPTURE(force_field);
      CAPTURE(sequence);
      const Built built(sequence, force_field);
      CHECK(structure_fault(built.topology, built.positions) == "");
      CHECK(std::isfinite(built.energy()));
      const double margin = thermal_margin(built);
      CHECK(margin > 0);
      least_kj_mol = std::min(least_kj_mol, margin);
      least_of_harmonic = std::min(least_of_harmonic, margin / harmonic_margin(built));
    }
    MESSAGE(force_field << ": " << sequences.size() << " molecules, at least " << least_kj_mol
                        << " kJ/mol and " << least_of_harmonic
                        << " of the harmonic (3N - 6) RT/2 below the mean at 300 K");
  }
}

TEST_SUITE_END();

}  // namespace arbg::md
