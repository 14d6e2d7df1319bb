#include "tensor/base/folder_lock.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

#include "temporary_folder.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"

using namespace arbg;

namespace {

namespace fs = std::filesystem;

// What other file systems, and other processes at the worst moment, do to a lock: what comes before
// one call of the system, once, and the answer instead of its own.
struct Call {
  std::function<void()> before;
  int calls_until = 0;  // that `before` is run before
  int fails_with = 0;   // errno; 0: it does not

  bool fails() {
    if (before && --calls_until == 0) std::exchange(before, nullptr)();
    if (fails_with != 0) errno = fails_with;
    return fails_with != 0;
  }
};
Call flock_call, link_call, rename_call;

// Why the folder cannot be locked, or "" if it could.
std::string refusal(const fs::path& folder) {
  try {
    const FolderLock lock(folder, "arbg test");
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

Json lock_of_this_process(const fs::path& folder) {
  const FolderLock lock(folder, "arbg md");
  return Json::parse(read_file(folder / ".arbg.lock"), "lock");
}

// A lock that says so, and on which there is no flock.
void leave_lock(const fs::path& folder, const Json& holder) {
  write_file(folder / ".arbg.lock", holder.dump() + "\n");
}

// A process that runs `work` and is then there until it is killed; it has reported by then.
class Child {
 public:
  explicit Child(const std::function<void()>& work) {
    int pipe[2];
    require(::pipe(pipe) == 0, "no pipe");
    process_ = ::fork();
    require(process_ >= 0, "cannot fork");
    if (process_ == 0) {
      try {
        work();
      } catch (...) {
        ::_exit(1);
      }
      if (::write(pipe[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(pipe[1]);
    char reported;
    require(::read(pipe[0], &reported, 1) == 1, "the child failed");
    ::close(pipe[0]);
  }
  ~Child() { bury(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t process() const { return process_; }

  // Without waiting for it: a zombie is left. Never of an id below 1, which would mean many
  // processes.
  void kill() const {
    if (process_ > 0) ::kill(process_, SIGKILL);
  }
  void bury() {
    kill();
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

 private:
  pid_t process_ = 0;
};

// The lock of `folder`, held by a process of its own.
Child holder_of(const fs::path& folder) {
  return Child([&] { new FolderLock(folder, "arbg train"); });
}

// How many of `count` processes that try at the same time get the lock; the winners hold it until
// all have tried.
int winners(const fs::path& folder, int count) {
  int start[2], results[2], stop[2];
  require(::pipe(start) == 0 && ::pipe(results) == 0 && ::pipe(stop) == 0, "no pipes");
  for (int i = 0; i < count; ++i) {
    const pid_t process = ::fork();
    require(process >= 0, "cannot fork");
    if (process != 0) continue;
    ::close(start[1]);
    ::close(stop[1]);
    char ignored;
    if (::read(start[0], &ignored, 1) != 0) ::_exit(1);
    try {
      const FolderLock lock(folder, "arbg test");
      if (::write(results[1], "w", 1) != 1 || ::read(stop[0], &ignored, 1) != 0) ::_exit(1);
    } catch (const Error& error) {
      const bool held = std::string(error.what()).find("is being written by") != std::string::npos;
      if (::write(results[1], held ? "-" : "?", 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(start[0]);
  ::close(results[1]);
  ::close(stop[0]);
  ::close(start[1]);
  int out = 0;
  for (int i = 0; i < count; ++i) {
    char result = '?';
    require(::read(results[0], &result, 1) == 1 && result != '?', "a taker failed");
    out += result == 'w';
  }
  ::close(stop[1]);
  ::close(results[0]);
  for (int i = 0; i < count; ++i) ::wait(nullptr);
  return out;
}

}  // namespace

// These stand before those of the C library.
extern "C" {
int test_flock(int fd, int operation) noexcept __asm__("flock");
int test_link(const char* from, const char* to) noexcept __asm__("link");
int test_rename(const char* from, const char* to) noexcept __asm__("rename");

int test_flock(int fd, int operation) noexcept {
  if (flock_call.fails()) return -1;
  return static_cast<int>(::syscall(SYS_flock, fd, operation));
}

int test_link(const char* from, const char* to) noexcept {
  if (link_call.fails()) return -1;
  return ::linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int test_rename(const char* from, const char* to) noexcept {
  if (rename_call.fails()) return -1;
  return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}
}

TEST_SUITE("fast") {
  TEST_CASE("a held folder is refused in one line that names command, process and host") {
    const TemporaryFolder folder;
    const Child holder = holder_of(folder.path());
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    CHECK(refusal(folder.path()) == folder.path().string() +
                                        " is being written by 'arbg train', process " +
                                        std::to_string(holder.process()) + " on '" + host.data() +
                                        "': wait for it, stop it, or choose another folder");
    CHECK(refusal(folder / "inside").empty());
  }

  TEST_CASE("a process that holds a folder is refused it a second time, other folders not") {
    const TemporaryFolder folder;
    const FolderLock lock(folder.path(), "arbg demo");
    CHECK(refusal(folder.path()).find("process " + std::to_string(::getpid())) !=
          std::string::npos);
    CHECK(refusal(folder / "md").empty());
    CHECK(fs::exists(folder / ".arbg.lock"));
  }

  // A folder moved away from under a run: the run went on writing in the folder that took its
  // place.
  TEST_CASE("a lock whose folder was moved away, or that was deleted, is no longer held") {
    const TemporaryFolder folder;
    const fs::path here = folder / "run", away = folder / "away";
    const FolderLock lock(here, "arbg md");
    CHECK_NOTHROW(lock.require_held());
    fs::rename(here, away);
    CHECK_THROWS_WITH_AS(lock.require_held(), doctest::Contains("was moved or the lock deleted"),
                         Error);
    {
      const FolderLock other(here, "arbg md");
      CHECK_THROWS_AS(lock.require_held(), Error);
      CHECK_NOTHROW(other.require_held());
    }
    fs::remove_all(here);
    fs::rename(away, here);
    CHECK_NOTHROW(lock.require_held());
    fs::remove(here / ".arbg.lock");
    CHECK_THROWS_AS(lock.require_held(), Error);
  }

  TEST_CASE("the lock of a killed process is taken over, buried or not") {
    const TemporaryFolder folder;
    for (const bool buried : {false, true}) {
      Child holder = holder_of(folder.path());
      CHECK(!refusal(folder.path()).empty());
      if (buried)
        holder.bury();
      else
        holder.kill();
      for (int waited = 0; !refusal(folder.path()).empty() && waited < 1000; ++waited)
        ::usleep(10000);  // until the signal has arrived
      CHECK(refusal(folder.path()).empty());
      CHECK(!fs::exists(folder / ".arbg.lock"));
    }
  }

  TEST_CASE("a process whose id is that of a dead holder is not mistaken for it") {
    const TemporaryFolder folder;
    Json holder = lock_of_this_process(folder.path());
    CHECK(holder.at("started").integer() > 0);
    leave_lock(folder.path(), holder);  // this very process, and its flock got lost
    CHECK(refusal(folder.path()).find("is being written by 'arbg md'") != std::string::npos);
    holder["started"] = holder.at("started").integer() - 1;
    leave_lock(folder.path(), holder);
    CHECK(refusal(folder.path()).empty());
  }

  TEST_CASE("the lock of another host is refused, saying which file to delete") {
    const TemporaryFolder folder;
    Json holder = lock_of_this_process(folder.path());
    holder["host"] = "node\n17";
    holder["boot"] = "another";
    leave_lock(folder.path(), holder);
    const std::string file = (folder / ".arbg.lock").string(), why = refusal(folder.path());
    CHECK(why.find("is locked by 'arbg md', process " + std::to_string(::getpid()) +
                   " on 'node\\x0a17'") != std::string::npos);
    CHECK(why.ends_with("if it does not, delete " + file));
    CHECK(fs::exists(file));
    fs::remove(file);
    CHECK(refusal(folder.path()).empty());
  }

  TEST_CASE("a lock from before the machine was started anew is stale, in no container") {
    const TemporaryFolder folder;
    Json holder = lock_of_this_process(folder.path());
    const bool known = !holder.at("machine").string().empty() &&
                       holder.at("pid_namespace").string() == "pid:[4026531836]";
    holder["boot"] = "before";
    leave_lock(folder.path(), holder);
    CHECK(refusal(folder.path()).empty() == known);
    for (const char* other : {"host", "machine", "pid_namespace"}) {
      CAPTURE(other);
      Json of_another = holder;
      of_another[other] = "other";
      leave_lock(folder.path(), of_another);
      CHECK(refusal(folder.path()).find("cannot be seen from here") != std::string::npos);
    }
  }

  TEST_CASE("between containers of one machine the flock decides") {
    const TemporaryFolder folder;
    const fs::path file = folder / ".arbg.lock";
    const Child process = holder_of(folder.path());
    Json holder = Json::parse(read_file(file), "lock");
    holder["pid_namespace"] = "pid:[1]";
    holder["process"] = 1;
    std::ofstream(file) << holder.dump();  // the same file, with its flock
    CHECK(refusal(folder.path()).find("is being written by 'arbg train', process 1 on") !=
          std::string::npos);
    holder = lock_of_this_process(folder / "other");
    holder["pid_namespace"] = "pid:[1]";  // where the id of this process is that of another
    leave_lock(folder.path(), holder);    // without a flock
    CHECK(refusal(folder.path()).empty());
  }

  TEST_CASE(
      "of many that want a folder at once exactly one gets it, new, free or with a stale lock") {
    const TemporaryFolder folder;
    Json holder = lock_of_this_process(folder.path());
    holder["started"] = 0;
    for (int round = 0; round < 20; ++round) {
      CAPTURE(round);
      const fs::path path = folder / std::to_string(round);
      CHECK(winners(path, 12) == 1);
      create_folder(path);  // it may have been made by one of the others, and then it stays
      CHECK(winners(path, 12) == 1);
      leave_lock(path, holder);
      CHECK(winners(path, 12) == 1);
      CHECK(fs::is_empty(path));
    }
  }

  TEST_CASE("a taker that comes late finds the stale lock in use, or gone") {
    const TemporaryFolder folder;
    Json dead = lock_of_this_process(folder.path());
    dead["started"] = 0;
    leave_lock(folder.path(), dead);
    std::string other = "not tried";
    rename_call = {[&] { other = refusal(folder.path()); }, 1};  // the moment before it is replaced
    CHECK(refusal(folder.path()).empty());
    CHECK(other.find("is being written by") != std::string::npos);

    leave_lock(folder.path(), dead);
    const Json taker = lock_of_this_process(folder / "other");
    flock_call = {[&] { leave_lock(folder.path(), taker); }, 2};  // opened, not yet flocked
    CHECK(refusal(folder.path()).find("is being written by 'arbg md'") != std::string::npos);
    CHECK(Json::parse(read_file(folder / ".arbg.lock"), "lock").dump() == taker.dump());
  }

  TEST_CASE("without flocks a folder is locked, but no stale lock taken over") {
    const TemporaryFolder folder;
    flock_call.fails_with = ENOLCK;
    Json holder = lock_of_this_process(folder.path());
    {
      const FolderLock lock(folder.path(), "arbg md");
      CHECK(refusal(folder.path()).find("is being written by 'arbg md'") != std::string::npos);
    }
    holder["started"] = 0;
    leave_lock(folder.path(), holder);
    CHECK(refusal(folder.path()).find("if it does not, delete") != std::string::npos);
    flock_call = {};
    CHECK(refusal(folder.path()).empty());
  }

  TEST_CASE("without hard links, and where the answer to one gets lost, one gets the folder") {
    const TemporaryFolder folder;
    link_call.fails_with = EPERM;
    CHECK(winners(folder.path(), 12) == 1);
    {
      const FolderLock lock(folder.path(), "arbg md");
      CHECK(refusal(folder.path()).find("is being written by 'arbg md'") != std::string::npos);
    }
    link_call.fails_with = ENOSPC;
    CHECK(refusal(folder.path()).find("No space left") != std::string::npos);
    const auto link_it = [&] {
      const fs::path mine = fs::directory_iterator(folder.path())->path();
      ::linkat(AT_FDCWD, mine.c_str(), AT_FDCWD, (folder / ".arbg.lock").c_str(), 0);
    };
    link_call = {link_it, 1, EEXIST};
    const FolderLock lock(folder.path(), "arbg md");
    link_call = {};
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
    CHECK(!refusal(folder.path()).empty());
  }

  TEST_CASE("a lock goes with its object, and so do folders in which nothing was written") {
    const TemporaryFolder folder;
    {
      const FolderLock lock(folder / "a" / "b", "arbg test");
      CHECK(fs::exists(folder / "a" / "b" / ".arbg.lock"));
    }
    CHECK(fs::is_empty(folder.path()));
    {
      const FolderLock lock(folder / "a" / "b", "arbg test");
      write_file(folder / "a" / "file", "x");
    }
    CHECK(fs::exists(folder / "a" / "file"));
    CHECK(!fs::exists(folder / "a" / "b"));
    create_folder(folder / "empty");
    CHECK(refusal(folder / "empty").empty());
    CHECK(fs::is_empty(folder / "empty"));
    CHECK_THROWS_AS(
        [&] {
          const FolderLock lock(folder / "c", "arbg test");
          fail("something");
        }(),
        Error);
    CHECK(!fs::exists(folder / "c"));
  }

  TEST_CASE("a lock that was deleted and taken by another is not given back by the first") {
    const TemporaryFolder folder;
    const fs::path file = folder / ".arbg.lock";
    std::optional<FolderLock> first;
    first.emplace(folder.path(), "arbg test");
    fs::remove(file);
    const FolderLock second(folder.path(), "arbg test");
    first.reset();
    CHECK(fs::exists(file));
    CHECK(!refusal(folder.path()).empty());
  }

  TEST_CASE("folders that cannot be locked say why, and nothing is left") {
    const TemporaryFolder folder;
    write_file(folder / "file", "x");
    CHECK(refusal(folder / "file") ==
          "cannot create folder " + (folder / "file").string() + ": Not a directory");
    CHECK(refusal("/proc") == "cannot write /proc/.arbg.lock: No such file or directory");
    const fs::path file = folder / ".arbg.lock";
    write_file(file, "{\"process\": 1}");
    CHECK(refusal(folder.path()) ==
          file.string() + " does not say who holds it: if nobody writes there, delete it");
    CHECK(read_file(file) == "{\"process\": 1}");
    fs::remove(file);
    create_folder(file);
    CHECK(refusal(folder.path()).find("if nobody writes there") != std::string::npos);
    fs::remove(file);
    write_file(folder / ".arbg.lock.new-k1lled", "");
    CHECK(refusal(folder.path()).empty());
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  }
}
