#include "tensor/base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/quoted.h"

namespace arbg {

namespace fs = std::filesystem;

struct LockHolder {
  std::string command, host, machine, boot, pid_namespace;
  std::int64_t process = 0, started = 0;  // clock ticks from boot to its start
};

namespace {

constexpr const char* kCandidate = ".new-";
constexpr int kAttempts = 100;                               // while others come and go
constexpr int kWaits = 50;                                   // for a lock that is still empty
constexpr const char* kFirstNamespace = "pid:[4026531836]";  // of a kernel: in no container

// A line of a file of the system; "" where there is none.
std::string line_of(const fs::path& path) {
  try {
    const std::string text = read_file(path, 4096);
    return text.substr(0, text.find('\n'));
  } catch (const Error&) {
    return "";
  }
}

struct ProcessState {
  char state = '?';
  std::int64_t started = 0;
};

// Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold blanks and brackets.
std::optional<ProcessState> state_of(std::int64_t process) {
  const std::string stat = line_of("/proc/" + std::to_string(process) + "/stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(stat.substr(name_end + 1));
  ProcessState out;
  fields >> out.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> out.started;
  if (!fields) return {};
  return out;
}

LockHolder this_process(std::string_view command) {
  LockHolder self;
  self.command = command;
  self.process = ::getpid();
  if (const auto state = state_of(self.process)) self.started = state->started;
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  self.host = host.data();
  self.machine = line_of("/etc/machine-id");
  self.boot = line_of("/proc/sys/kernel/random/boot_id");
  std::error_code ignored;
  self.pid_namespace = fs::read_symlink("/proc/self/ns/pid", ignored).string();
  return self;
}

std::string text_of(const LockHolder& holder) {
  Json json = Json::object();
  json["command"] = holder.command;
  json["process"] = holder.process;
  json["started"] = holder.started;
  json["host"] = holder.host;
  json["machine"] = holder.machine;
  json["boot"] = holder.boot;
  json["pid_namespace"] = holder.pid_namespace;
  return json.dump() + "\n";
}

LockHolder holder_of(const std::string& text, const fs::path& file) {
  try {
    const Json json = Json::parse(text, file.string());
    const LockHolder holder{json.at("command").string(),       json.at("host").string(),
                            json.at("machine").string(),       json.at("boot").string(),
                            json.at("pid_namespace").string(), json.at("process").integer(),
                            json.at("started").integer()};
    require(holder.process > 0, "not the id of a process");
    return holder;
  } catch (const Error&) {
    fail(file.string(), " does not say who holds it: if nobody writes there, delete it");
  }
}

// Nothing of it writes any more: there is no such process, only its exit status is left, or the id
// has been given to another. One that cannot be looked at (hidepid) is there.
bool is_gone(const LockHolder& holder) {
  if (::kill(static_cast<pid_t>(holder.process), 0) != 0 && errno == ESRCH) return true;
  const auto state = state_of(holder.process);
  return state && (state->state == 'Z' || state->state == 'X' || state->started != holder.started);
}

enum class Life { there, gone, unknown };

// Of a holder without a flock.
Life judge(const LockHolder& holder, const LockHolder& self) {
  if (holder.boot == self.boot && !self.boot.empty()) {
    if (holder.pid_namespace != self.pid_namespace) return Life::gone;
    return is_gone(holder) ? Life::gone : Life::there;
  }
  // The same machine, started anew; containers get names and machine ids with their images.
  const bool same_machine = holder.host == self.host && holder.machine == self.machine &&
                            !self.machine.empty() && holder.pid_namespace == kFirstNamespace &&
                            self.pid_namespace == kFirstNamespace;
  return same_machine ? Life::gone : Life::unknown;
}

[[noreturn]] void cannot_write(const fs::path& file) {
  const int reason = errno;
  fail("cannot write ", file.string(), ": ", std::strerror(reason));
}

bool is_named(const fs::path& path, int fd) {
  struct stat named, opened;
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

// A lock under a name of its own, with its flock; the name goes with the object.
class Candidate {
 public:
  explicit Candidate(const fs::path& file) : name_(file.string() + kCandidate + "XXXXXX") {
    fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
  }
  ~Candidate() {
    if (fd_ < 0) return;
    ::unlink(name_.c_str());
    ::close(fd_);
  }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  bool is_there() const { return fd_ >= 0; }
  const std::string& name() const { return name_; }

  bool write(const std::string& text) const {
    ::flock(fd_, LOCK_EX | LOCK_NB);  // where there are none, the lock is never taken over
    if (::fchmod(fd_, 0644) != 0) return false;
    errno = ENOSPC;  // of a write that stops short
    return ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
           ::fsync(fd_) == 0;
  }

  // Gives it the name of the lock. False: another has it.
  bool claim(const fs::path& file) const {
    int failed = ::link(name_.c_str(), file.c_str()) == 0 ? 0 : errno;
    if (failed == EPERM || failed == EOPNOTSUPP) failed = claim_without_links(file);
    if (failed != 0 && failed != EEXIST && failed != ENOENT) {
      errno = failed;
      cannot_write(file);
    }
    return is_named(file, fd_);  // a server may link and lose its answer
  }

  // Its name is now that of the lock.
  int release() {
    ::unlink(name_.c_str());
    return std::exchange(fd_, -1);
  }

 private:
  // An empty file keeps the place for the moment. 0, or what went wrong.
  int claim_without_links(const fs::path& file) const {
    const int place = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (place < 0) return errno;
    ::close(place);
    if (::rename(name_.c_str(), file.c_str()) == 0) return 0;
    const int reason = errno;
    ::unlink(file.c_str());
    return reason;
  }

  std::string name_;
  int fd_;
};

// Those of killed processes; of others, who then look at the lock once more.
void remove_candidates(const fs::path& file) {
  const std::string prefix = file.filename().string() + kCandidate;
  std::error_code ignored;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(file.parent_path(), ignored)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  for (const auto& candidate : found) fs::remove(candidate, ignored);
}

enum class Flock { taken, busy, none };

// The lock of another, opened.
class OpenedLock {
 public:
  // Network file systems give a flock only to who may write.
  explicit OpenedLock(const fs::path& file) : fd_(::open(file.c_str(), O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0 && errno != ENOENT) fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  }
  ~OpenedLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenedLock(const OpenedLock&) = delete;
  OpenedLock& operator=(const OpenedLock&) = delete;

  bool is_there() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  Flock take_flock() const {
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return Flock::taken;
    return errno == EWOULDBLOCK ? Flock::busy : Flock::none;
  }

  std::string text() const {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

 private:
  int fd_;
};

std::string name_of(const LockHolder& holder) {
  std::ostringstream out;
  out << Quoted(holder.command) << ", process " << holder.process << " on " << Quoted(holder.host);
  return out.str();
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder)
    : folder_(folder.empty() ? "." : folder), file_(folder_ / ".arbg.lock") {}

// From the other constructor, so that the destructor clears up whatever happens here.
FolderLock::FolderLock(const fs::path& folder, std::string_view command) : FolderLock(folder) {
  const LockHolder self = this_process(command);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    create_folders();
    Candidate mine(file_);
    if (!mine.is_there() && errno == ENOENT) continue;  // the folder's maker has just removed it
    if (!mine.is_there() || !mine.write(text_of(self))) cannot_write(file_);
    if (!mine.claim(file_) && !take_over(mine.name(), self)) continue;
    fd_ = mine.release();
    remove_candidates(file_);
    return;
  }
  cannot_write(file_);
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) {
    const bool held = is_held();
    if (held) ::unlink(file_.c_str());
    ::close(fd_);
    if (!held) return;
  }
  for (const auto& folder : made_) ::rmdir(folder.c_str());  // empty ones only
}

bool FolderLock::is_held() const { return is_named(file_, fd_); }

void FolderLock::require_held() const {
  require(is_held(), "expected ", file_.string(),
          " to be the lock of this command, and it is not: ", folder_.string(),
          " was moved or the lock deleted, so nothing more is written there; start again");
}

void FolderLock::create_folders() {
  std::error_code ignored;  // create_folder says what is wrong
  for (fs::path path = folder_; !path.empty() && !fs::exists(path, ignored);
       path = path.parent_path())
    made_.push_back(path);
  create_folder(folder_);
}

// Gives `mine` the name of a stale lock. False: the lock has changed or gone meanwhile.
bool FolderLock::take_over(const fs::path& mine, const LockHolder& self) const {
  const OpenedLock there(file_);
  if (!there.is_there()) {
    if (errno == ENOENT) return false;
    const int reason = errno;
    fail("cannot open ", file_.string(), ": ", std::strerror(reason));
  }
  const Flock flock = there.take_flock();
  std::string text = there.text();
  for (int wait = 0; text.empty() && wait < kWaits; ++wait) {  // claim_without_links fills it
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (!is_named(file_, there.fd())) return false;
    text = there.text();
  }
  if (!is_named(file_, there.fd())) return false;
  const LockHolder holder = holder_of(text, file_);
  Life life = flock == Flock::busy ? Life::there : judge(holder, self);
  if (life == Life::gone && flock == Flock::none) life = Life::unknown;
  require(life != Life::there, folder_.string(), " is being written by ", name_of(holder),
          ": wait for it, stop it, or choose another folder");
  require(life != Life::unknown, folder_.string(), " is locked by ", name_of(holder),
          ", and whether that still runs cannot be seen from here, ", Quoted(self.host),
          ": if it does not, delete ", file_.string());
  if (::rename(mine.c_str(), file_.c_str()) == 0) return true;
  if (errno != ENOENT) cannot_write(file_);
  return false;
}

}  // namespace arbg
