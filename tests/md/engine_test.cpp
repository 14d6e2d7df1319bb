// One engine, many calls: nothing of one is left for the next, and threads do not meet.
#include "md/energy/engine.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "md/forcefields/forcefield.h"
#include "md/molecule/topology.h"
#include "tensor/base/npy.h"
#include "tensor/base/threads.h"
#include "tests/backends.h"

namespace arbg::md {

namespace {

// Tables and conformations [24, N, 3] of a golden molecule.
struct Molecule {
  EnergyEngine engine;
  std::vector<double> positions;

  Molecule(const std::string& force_field, const std::string& sequence, Backend backend)
      : engine(ForceField::named(force_field).create_system(Topology::from_sequence(sequence)),
               backend),
        positions(
            read_npy(ARBG_GOLDEN_DIR "/energies/" + force_field + "/" + sequence + "/positions.npy")
                .data) {}

  EnergyResult evaluate() const { return engine.evaluate(positions, true); }
};

bool same(const EnergyResult& a, const EnergyResult& b) {
  return a.energy_kj_mol == b.energy_kj_mol && a.terms_kj_mol == b.terms_kj_mol &&
         a.forces_kj_mol_nm == b.forces_kj_mol_nm;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("energies do not depend on what was evaluated before, nor on calls at the same time") {
    const int threads = thread_count();
    set_thread_count(1);  // every call in the thread that makes it
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      const Molecule small("amber99sbildn-obc2", "Ace-A-Nme", backend),
          large("amber14-obc1", "AAA", backend);
      const EnergyResult of_small = small.evaluate(), of_large = large.evaluate();
      CHECK(same(small.evaluate(), of_small));
      std::vector<double> broken = large.positions;
      for (double& x : broken) x /= 0.0;
      large.engine.evaluate(broken, true);
      CHECK(same(small.evaluate(), of_small));

      // Long enough for threads to meet, also where there are more of them than processors.
      const int turns = is_slow(backend) ? 5 : 500;
      bool all_same[4];
      std::vector<std::thread> callers;
      for (bool& mine : all_same) {
        callers.emplace_back([&] {
          mine = true;
          for (int turn = 0; turn < turns; ++turn)
            mine = mine && same(small.evaluate(), of_small) && same(large.evaluate(), of_large);
        });
      }
      for (std::thread& caller : callers) caller.join();
      for (const bool mine : all_same) CHECK(mine);
    }
    set_thread_count(threads);
  }

  TEST_CASE("a copy of an engine goes on when the original is gone") {
    const Molecule whole("amber99sbildn-obc2", "Ace-A-Nme", Backend::reference);
    for (const Backend backend : backends_here()) {
      CAPTURE(std::string(name_of(backend)));
      auto original = std::make_unique<EnergyEngine>(whole.engine.system(), backend);
      const EnergyEngine copy = *original;
      const EnergyResult expected = original->evaluate(whole.positions, true);
      original.reset();
      CHECK(copy.backend() == backend);
      CHECK(same(copy.evaluate(whole.positions, true), expected));
    }
  }
}

}  // namespace arbg::md
