// The hands of a peptide, and the refusal of the wrong ones.
#include "md/molecule/stereocentres.h"

#include <doctest/doctest.h>

#include "md/coordinates/coordinate_map.h"
#include "md/files/pdb.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/vector3.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

struct Ideal {
  Topology topology;
  std::vector<double> x;

  explicit Ideal(const char* sequence)
      : topology(Topology::from_sequence(sequence)),
        x(ideal_geometry(topology, ForceField::named("amber14-obc1").create_system(topology))) {}

  // Two atoms of a residue exchanged, which mirrors the centre between them.
  std::vector<double> exchanged(int residue, const char* first, const char* second) const {
    std::vector<double> out = x;
    const int a = topology.find(residue, first), b = topology.find(residue, second);
    set_position(out, a, at(x, b));
    set_position(out, b, at(x, a));
    return out;
  }
};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("idealised peptides have natural hands: CA of all but glycine, CB of ILE and THR") {
    const Ideal ideal("ACDEFGHIKLMNPQRSTVWY");
    CHECK(stereocentres(ideal.topology).size() == 19 + 2);
    CHECK(mirrored_centre(ideal.topology, ideal.x) == "");
  }

  TEST_CASE("each mirrored centre is named, that of a side chain too") {
    const Ideal ideal("Ace-ATI-Nme");
    CHECK(mirrored_centre(ideal.topology, ideal.exchanged(1, "HA", "CB")) == "ALA2 is a D residue");
    CHECK(mirrored_centre(ideal.topology, ideal.exchanged(2, "OG1", "CG2")) ==
          "the side chain of THR3 has the wrong hand");
    CHECK(mirrored_centre(ideal.topology, ideal.exchanged(3, "CG1", "CG2")) ==
          "the side chain of ILE4 has the wrong hand");
    CHECK(mirrored_centre(ideal.topology, ideal.exchanged(1, "HB1", "HB2")) == "");
  }

  TEST_CASE("a D residue is refused by name, in a frame by its number") {
    const Pdb pdb = read_pdb(ARBG_GOLDEN_DIR "/cases/one-d-residue.pdb");
    CHECK(error_message([&] {
            require_natural_hands(pdb.topology, pdb.positions_nm, "d.pdb");
          }).starts_with("d.pdb: ALA3 is a D residue; expected L amino acids"));

    const Ideal ideal("Ace-AA-Nme");
    std::vector<double> frames = ideal.x;
    for (const double x : ideal.exchanged(2, "HA", "CB")) frames.push_back(x);
    CHECK(error_message([&] {
            require_natural_hands(ideal.topology, frames, "frames.npy");
          }).starts_with("frames.npy: frame 1: ALA3 is a D residue"));
    CHECK(error_message([&] { require_natural_hands(ideal.topology, ideal.x, "frames.npy"); }) ==
          "");
  }
}

}  // namespace arbg::md
