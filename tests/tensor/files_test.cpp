#include "tensor/base/files.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "temporary_folder.h"
#include "tensor/base/error.h"

using namespace arbg;

TEST_SUITE("fast") {
  TEST_CASE("a file is read back byte for byte, and replaced whole") {
    const TemporaryFolder folder;
    const auto path = folder / "bytes";
    std::string bytes(200000, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 % 256);
    write_file(path, bytes);
    CHECK(read_file(path) == bytes);
    for (const std::size_t most : {0u, 1u, 65536u, 70000u, 200000u, 300000u})
      CHECK(read_file(path, most) == bytes.substr(0, most));
    write_file(path, "short");
    CHECK(read_file(path) == "short");
    write_file(path, "");
    CHECK(read_file(path).empty());
  }

  TEST_CASE("writing leaves no temporary file behind") {
    const TemporaryFolder folder;
    write_file(folder / "only", "x");
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      files += entry.exists();
    CHECK(files == 1);
  }

  TEST_CASE("a failed write says why and leaves what was there") {
    const TemporaryFolder folder;
    const auto target = folder / "folder";
    create_folder(target / "inside");
    CHECK_THROWS_AS(write_file(target, "x"), Error);  // a folder cannot be replaced by a file
    CHECK(std::filesystem::is_directory(target / "inside"));
    int entries = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      entries += entry.exists();
    CHECK(entries == 1);
    const auto missing = folder / "missing" / "file";
    CHECK_THROWS_WITH_AS(
        write_file(missing, "x"),
        ("cannot write " + missing.string() + ": No such file or directory").c_str(), Error);
  }

  TEST_CASE("temporary files of dead writers are cleared up, of living ones and other files not") {
    const TemporaryFolder folder;
    const pid_t alive = ::fork();
    REQUIRE(alive >= 0);
    while (alive == 0) ::pause();
    const std::string self = std::to_string(::getpid()), other = std::to_string(alive);
    const std::vector<std::string> kept = {"a",      "a.tmp",         "a.tmp12x",
                                           "a.tmp0", "a.tmp" + other, "a.tmp99999999999"};
    for (const auto& name : kept) write_file(folder / name, "x");
    write_file(folder / "b.tmp99999999", "x");
    write_file(folder / ("c.tmp" + self), "x");
    remove_temporaries(folder.path());
    ::kill(alive, SIGKILL);
    ::waitpid(alive, nullptr, 0);
    std::size_t left = 0;
    for (const auto& name : kept) left += std::filesystem::exists(folder / name);
    CHECK(left == kept.size());
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) ==
          std::ssize(kept));
    remove_temporaries(folder / "missing");
  }

  TEST_CASE("where no file can be written is known without writing one") {
    const TemporaryFolder folder;
    write_file(folder / "file", "x");
    require_writable(folder / "file");
    require_writable(folder / "new");
    CHECK(read_file(folder / "file") == "x");
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    const auto refused = [](const std::filesystem::path& path, const char* reason) {
      CHECK_THROWS_WITH_AS(require_writable(path),
                           ("cannot write " + path.string() + ": " + reason).c_str(), Error);
    };
    refused(folder.path(), "Is a directory; expected a file");
    refused(folder / "file" / "x", "Not a directory");
    refused(folder / "missing" / "x", "No such file or directory");
    refused("/proc/x", "No such file or directory");
    refused(folder / std::string(300, 'x'), "File name too long");
    refused(folder / std::string(300, 'x') / "y", "File name too long");
  }

  TEST_CASE("a file that is read is not written, whatever it is called") {
    const TemporaryFolder folder;
    write_file(folder / "file", "x");
    std::filesystem::create_symlink("file", folder / "link");
    require_writable(folder / "other", {folder / "file", folder / "missing", ""});
    for (const char* name : {"file", "./file", "link"}) {
      CHECK_THROWS_WITH_AS(require_writable(folder / name, {"", folder / "file"}),
                           doctest::Contains("it is the file that is read"), Error);
    }
  }

  TEST_CASE("what cannot be read is named with the reason") {
    const TemporaryFolder folder;
    const auto missing = folder / "missing";
    CHECK_THROWS_WITH_AS(
        read_file(missing),
        ("cannot open " + missing.string() + ": No such file or directory").c_str(), Error);
    CHECK_THROWS_AS(read_file(folder.path()), Error);
  }

  TEST_CASE("folders are made with their parents, twice without harm, never over a file") {
    const TemporaryFolder folder;
    create_folder(folder / "a" / "b" / "c");
    create_folder(folder / "a" / "b" / "c");
    CHECK(std::filesystem::is_directory(folder / "a" / "b" / "c"));
    write_file(folder / "file", "x");
    CHECK_THROWS_AS(create_folder(folder / "file" / "under"), Error);
  }
}
