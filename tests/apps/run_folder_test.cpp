#include "apps/runs/run_folder.h"

#include <doctest/doctest.h>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;

TEST_SUITE("fast") {
  TEST_CASE("files that stand together are replaced together, or the old ones stay") {
    const TemporaryFolder here;
    const RunFolder folder(here.path() / "run", RunKind::sample);
    constexpr const char* kNames[] = {"a", "b"};
    for (const char* name : kNames) write_file(folder.path() / name, "old");
    CHECK(error_message([&] {
            replace_together(folder, kNames, [&](const fs::path& fresh) {
              write_file(fresh / "a", "new");
              fail("no space left");
            });
          }) == "no space left");
    for (const char* name : kNames) CHECK(read_file(folder.path() / name) == "old");
    replace_together(folder, kNames,
                     [&](const fs::path& fresh) { write_file(fresh / "a", "new"); });
    CHECK(read_file(folder.path() / "a") == "new");
    CHECK_FALSE(fs::exists(folder.path() / "b"));
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 2);  // a and the lock
  }

  TEST_CASE("a folder that came in the place of the locked one keeps its files, and itself") {
    const TemporaryFolder here;
    const fs::path path = here.path() / "run", away = here.path() / "away";
    constexpr const char* kNames[] = {"a"};
    {
      const RunFolder folder(path, RunKind::sample);
      const auto refusal = error_message([&] {
        replace_together(folder, kNames, [&](const fs::path& fresh) {
          write_file(fresh / "a", "new");
          fs::rename(path, away);
          fs::create_directory(path);
          write_file(path / "a", "of another run");
        });
      });
      CHECK(refusal.find("was moved") != std::string::npos);
      CHECK(read_file(path / "a") == "of another run");
      fs::remove(path / "a");
    }
    CHECK(fs::is_directory(path));
  }

  TEST_CASE("arrays of no run are not replaced") {
    for (const char* name : {"positions.npy", "energy.npy"}) {
      const TemporaryFolder here;
      write_file(here.path() / name, "somebody's");
      for (const auto kind : {RunKind::md, RunKind::sample, RunKind::energy})
        CHECK(error_message([&] { RunFolder(here.path(), kind); }).find(name) != std::string::npos);
      CHECK(read_file(here.path() / name) == "somebody's");
    }
  }

  TEST_CASE("dynamics that have lost their run.json keep their folder from other commands") {
    const TemporaryFolder here;
    write_file(here.path() / "checkpoint.bin", "");
    CHECK(kind_of(here.path()) == RunKind::md);
  }

  TEST_CASE("samples that were begun keep their folder from other commands") {
    const TemporaryFolder here;
    write_file(here.path() / "tokens.npy", "");
    CHECK(kind_of(here.path()) == RunKind::sample);
    CHECK(error_message([&] { RunFolder(here.path(), RunKind::md); }).find("arbg sample") !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace arbg::apps
