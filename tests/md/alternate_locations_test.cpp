// One location of a residue and its neighbours: the most occupied that is complete.
#include "md/files/alternate_locations.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "md/files/pdb.h"
#include "tests/md/error_message.h"

namespace arbg::md {

namespace {

PdbAtom atom(const char* name, int residue, char location, double occupancy) {
  return {10 * residue, "1", name, {"SER", residue, 0, 0}, 'A', location, occupancy, {}};
}

struct Choice {
  std::string locations, note;  // "N CA CB.B"
};

Choice choose(const std::vector<PdbAtom>& model) {
  AlternateLocations locations;
  Choice choice;
  for (const PdbAtom& taken : locations.choose(model, "file.pdb")) {
    choice.locations += (choice.locations.empty() ? "" : " ") + taken.name;
    if (taken.location != ' ') choice.locations += std::string(".") + taken.location;
  }
  choice.note = locations.note();
  return choice;
}

Pdb read_case(const char* name) {
  return read_pdb(std::string(ARBG_GOLDEN_DIR "/cases/") + name + ".pdb");
}

double x_of(const Pdb& pdb, const char* name) {  // of SER3, in nm
  return pdb.positions_nm[static_cast<std::size_t>(3 * pdb.topology.find(2, name))];
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the more occupied location is taken, and what is there once belongs to both") {
    const Pdb pdb = read_case("altloc-occupancy");
    CHECK(x_of(pdb, "OG") == doctest::Approx(0.3645));
    CHECK(x_of(pdb, "HG") == doctest::Approx(0.3259));
    CHECK(
        pdb.note.ends_with(": of alternate locations one is read: SER3 B (occupancy 0.70; A "
                           "0.30)"));
  }

  TEST_CASE("a location without a letter is one of several") {
    const Pdb pdb = read_case("altloc-blank-then-b");
    CHECK(x_of(pdb, "OG") == doctest::Approx(0.3545));
    CHECK(pdb.note.ends_with("SER3 blank (occupancy 0.60; B 0.40)"));
    CHECK(
        choose({atom("N", 1, ' ', 1), atom("CB", 1, ' ', .3), atom("CB", 1, 'B', .7)}).locations ==
        "N CB.B");
    CHECK(
        choose({atom("N", 1, ' ', 1), atom("CB", 1, 'A', .3), atom("CB", 1, 'B', .7)}).locations ==
        "N CB.B");
  }

  TEST_CASE("of equally occupied locations the first letter is taken, whatever their order") {
    CHECK(choose({atom("CB", 1, 'B', .5), atom("CB", 1, 'A', .5)}).locations == "CB.A");
  }

  TEST_CASE("a location that lacks atoms is not taken, and the note says so") {
    const Choice choice =
        choose({atom("CB", 1, 'A', .3), atom("CB", 1, 'B', .7), atom("HB2", 1, 'A', .3)});
    CHECK(choice.locations == "CB.A HB2.A");
    CHECK(choice.note == "SER1 A (occupancy 0.30; B 0.70, which lacks SER1:HB2)");
    CHECK(error_message([] {
            choose({atom("CB", 1, 'A', .3), atom("CB", 1, 'B', .7), atom("HA", 1, 'B', .7),
                    atom("HB2", 1, 'A', .3)});
          }) ==
          "file.pdb:10: no alternate location of SER1 has all atoms (A lacks SER1:HA); keep "
          "one location of each atom");
  }

  TEST_CASE("neighbouring residues have the same location, others their own") {
    const std::vector<PdbAtom> model = {atom("CB", 1, 'A', .6), atom("CB", 1, 'B', .4),
                                        atom("CB", 2, 'A', .1), atom("CB", 2, 'B', .9),
                                        atom("CB", 3, ' ', 1),  atom("CB", 4, 'A', .8),
                                        atom("CB", 4, 'B', .2)};
    const Choice choice = choose(model);
    CHECK(choice.locations == "CB.B CB.B CB CB.A");
    CHECK(choice.note ==
          "SER1 to SER2 B (occupancy 0.65; A 0.35), SER4 A (occupancy 0.80; B 0.20)");
  }

  TEST_CASE("later models have the locations of the first") {
    AlternateLocations locations;
    locations.choose(std::vector{atom("CB", 1, 'A', .6), atom("CB", 1, 'B', .4)}, "");
    const auto second =
        locations.choose(std::vector{atom("CB", 1, 'A', .2), atom("CB", 1, 'B', .8)}, "");
    REQUIRE(second.size() == 1);
    CHECK(second[0].location == 'A');
  }
}

}  // namespace arbg::md
