// Which published figures stand beside a run: told by its molecule, force field and temperature.
#include "apps/runs/published_figures.h"

#include <doctest/doctest.h>

#include <cmath>

namespace arbg::apps {
namespace {

PublishedFigures of(const char* sequence, const char* forcefield, double kelvin) {
  return published_figures(md::Topology::from_sequence(sequence), forcefield, kelvin);
}

bool says(const PublishedFigures& figures, const char* what) {
  return figures.note.find(what) != std::string::npos;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a published molecule has its own point, at 200,000 energies") {
    const auto aaa = of("AAA", "amber14-obc1", 310);
    REQUIRE(aaa.curves.size() == 1);
    REQUIRE(aaa.curves[0].points.size() == 1);
    CHECK(aaa.curves[0].points[0].energies == 200000);
    CHECK(aaa.curves[0].points[0].energy_w2_kt == 0.202);
    CHECK(aaa.curves[0].points[0].torsion_w2_rad == 0.312);
    CHECK(says(aaa, "0.2 %"));
    CHECK(of("Ace-AAA-Nme", "amber99sbildn-obc2", 300).curves[0].points[0].energy_w2_kt == 0.449);
    CHECK(of("AAAAAA", "amber14-obc1", 310).curves[0].points[0].torsion_w2_rad == 1.094);
    CHECK(of("GYDPETGTWG", "amber14-obc1", 310).curves[0].name ==
          "published: generator of chignolin");
    CHECK(published_molecules().size() == 4);
  }

  TEST_CASE("eight amino acids without caps have the means over 30 others, named as such") {
    const auto eight = of("NHQYGSDP", "amber14-obc1", 310);
    REQUIRE(eight.curves.size() == 3);
    CHECK(eight.curves[0].name == "published: plain MD, mean of 30 other peptides");
    CHECK(eight.curves[0].points.back().energies == 200000000);
    CHECK(eight.curves[2].points[1].tica_w2 == 0.955);
    CHECK(says(eight, "not of this molecule"));
    for (const auto& curve : eight.curves) {
      for (std::size_t k = 1; k < curve.points.size(); ++k)
        CHECK(curve.points[k].energies > curve.points[k - 1].energies);
    }
  }

  TEST_CASE("another force field, temperature or molecule has none, and the reason") {
    const auto warm = of("AAA", "amber14-obc1", 320);
    CHECK(warm.curves.empty());
    CHECK(says(warm, "amber14-obc1 at 310 K, this run is of amber14-obc1 at 320 K"));
    CHECK(of("AAA", "amber99sbildn-obc2", 310).curves.empty());
    CHECK(says(of("NHQYGSDP", "amber14-obc1", 300), "are not shown"));
    for (const char* other : {"Ace-A-Nme", "AAAA", "Ace-AAAAAA-Nme", "Ace-NHQYGS-Nme", "NHQYGSD"}) {
      CHECK(of(other, "amber14-obc1", 310).curves.empty());
      CHECK(says(of(other, "amber14-obc1", 310), "No published figures"));
    }
    // A bridge of two cysteines is another molecule.
    const std::pair<int, int> bridge[] = {{1, 8}};
    const auto cystine = md::Topology::from_sequence("CAAAAAAC", {}, bridge);
    CHECK(published_figures(cystine, "amber14-obc1", 310).curves.empty());
    CHECK(of("CAAAAAAC", "amber14-obc1", 310).curves.size() == 3);
  }
}

}  // namespace arbg::apps
