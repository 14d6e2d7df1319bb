#include "apps/runs/recipes.h"

#include <doctest/doctest.h>

#include "md/molecule/topology.h"
#include "tensor/base/error.h"

namespace arbg::apps::test {

TEST_SUITE("fast") {
  TEST_CASE("the five published molecules have their force fields and sampling temperatures") {
    struct Row {
      const char *system, *sequence, *forcefield;
      int atoms;
      double cartesian_temperature;
    };
    std::vector<std::string_view> names;
    for (const Row& row : {Row{"dipeptide", "Ace-A-Nme", "amber99sbildn-obc2", 22, 1.03},
                           {"AAA", "AAA", "amber14-obc1", 33, 0.99},
                           {"Ace-AAA-Nme", "Ace-AAA-Nme", "amber99sbildn-obc2", 42, 1.02},
                           {"AAAAAA", "AAAAAA", "amber14-obc1", 63, 0.98},
                           {"chignolin", "GYDPETGTWG", "amber14-obc1", 138, 0.88}}) {
      CAPTURE(row.system);
      const Recipe recipe = recipe_of_system(row.system, "cartesian");
      CHECK(recipe.sequence == row.sequence);
      CHECK(recipe.forcefield == row.forcefield);
      CHECK(recipe.sampling_temperature == row.cartesian_temperature);
      CHECK(md::Topology::from_sequence(recipe.sequence).atom_count() == row.atoms);
      names.push_back(row.system);
    }
    CHECK(recipe_systems() == names);
  }

  TEST_CASE("every recipe has heads that divide its channels, and frames for distances of 10,000") {
    for (const auto system : recipe_systems()) {
      for (const char* coordinates : {"internal", "cartesian"}) {
        CAPTURE(system);
        CAPTURE(coordinates);
        const Recipe recipe = recipe_of_system(system, coordinates);
        CHECK(recipe.channels % recipe.heads == 0);
        CHECK(24 * recipe.steps / recipe.save_interval >= 2 * 10000);  // in two halves
        CHECK(recipe.expectation.starts_with(std::string(system) + ", " + coordinates +
                                             " coordinates: about "));
      }
    }
  }

  TEST_CASE("another sequence has the settings of the system next in size") {
    const auto system = [](const char* sequence) {
      return recipe_of_sequence(sequence, "amber14-obc1", "internal").system;
    };
    CHECK(system("Ace-G-Nme") == "dipeptide");   // 19 atoms
    CHECK(system("Ace-V-Nme") == "AAA");         // 28
    CHECK(system("Ace-AA-Nme") == "AAA");        // 32
    CHECK(system("AAAA") == "AAAAAA");           // 43
    CHECK(system("WWWWWWWWWW") == "chignolin");  // larger than any
    const Recipe other = recipe_of_sequence("Ace-G-Nme", "amber14-obc1", "internal");
    CHECK(other.sequence == "Ace-G-Nme");
    CHECK(other.forcefield == "amber14-obc1");
    CHECK(other.expectation.find("19 atoms: the settings of dipeptide") != std::string::npos);
  }

  TEST_CASE("what is expected of a system is said of its own molecule in its own force field") {
    const auto expected = [](const char* sequence, const char* forcefield) {
      return recipe_of_sequence(sequence, forcefield, "internal").expectation;
    };
    CHECK(expected("AAA", "amber14-obc1") == recipe_of_system("AAA", "internal").expectation);
    CHECK(expected("AAA", "amber99sbildn-obc2") != recipe_of_system("AAA", "internal").expectation);
  }

  TEST_CASE("an unknown system is refused with the nearest name") {
    CHECK_THROWS_WITH_AS(
        recipe_of_system("chignolim", "internal"),
        "--system expects one of dipeptide, AAA, Ace-AAA-Nme, AAAAAA, chignolin, got "
        "\"chignolim\"; the nearest name is \"chignolin\"",
        Error);
    CHECK_THROWS_AS(recipe_of_system("AAA", "spherical"), Error);
  }
}

}  // namespace arbg::apps::test
