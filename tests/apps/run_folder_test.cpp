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
  TEST_CASE("files that stand together are all there, or none is") {
    const TemporaryFolder here;
    const RunFolder folder(here.path() / "run", RunKind::sample);
    constexpr const char* kNames[] = {"a", "b"};
    write_file(folder.path() / "b", "old");
    folder.write_together(kNames, [&] { write_file(folder.path() / "a", "new"); });
    CHECK(fs::exists(folder.path() / "a"));
    CHECK_FALSE(fs::exists(folder.path() / "b"));
    CHECK(error_message([&] {
            folder.write_together(kNames, [&] {
              write_file(folder.path() / "a", "newer");
              fail("no space left");
            });
          }) == "no space left");
    CHECK_FALSE(fs::exists(folder.path() / "a"));
  }

  TEST_CASE("a folder that came in the place of the locked one keeps its files, and itself") {
    const TemporaryFolder here;
    const fs::path path = here.path() / "run", away = here.path() / "away";
    constexpr const char* kNames[] = {"a"};
    {
      const RunFolder folder(path, RunKind::sample);
      CHECK(error_message([&] {
              folder.write_together(kNames, [&] {
                fs::rename(path, away);
                fs::create_directory(path);
                write_file(path / "a", "of another run");
                fail("cannot write");
              });
            }) == "cannot write");
      CHECK(read_file(path / "a") == "of another run");
      CHECK(error_message([&] { folder.write_together(kNames, [] {}); }).find("was moved") !=
            std::string::npos);
      CHECK(read_file(path / "a") == "of another run");
      fs::remove(path / "a");
    }
    CHECK(fs::is_directory(path));
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
