#include "tensor/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <system_error>
#include <vector>

#include "tensor/base/error.h"

namespace arbg {

const std::string kTemporary = ".tmp";  // then the process id

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : fd_(::open(path.c_str(), flags, 0666)) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool close() {
    const bool ok = fd_ < 0 || ::close(fd_) == 0;
    fd_ = -1;
    return ok;
  }

 private:
  int fd_;
};

namespace {

[[noreturn]] void fail_with_errno(const char* action, const std::filesystem::path& path) {
  const int reason = errno;
  fail("cannot ", action, " ", path.string(), ": ", std::strerror(reason),
       reason == EISDIR ? "; expected a file" : "");
}

std::filesystem::path temporary_of(const std::filesystem::path& path) {
  return path.string() + kTemporary + std::to_string(::getpid());
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t most) {
  Descriptor file(path, O_RDONLY | O_CLOEXEC);
  if (file.get() < 0) fail_with_errno("open", path);
  std::string bytes;
  std::error_code ignored;
  const std::size_t size = std::filesystem::file_size(path, ignored);
  if (!ignored) bytes.reserve(std::min(size, most));
  std::string buffer(1 << 16, '\0');
  while (bytes.size() < most) {
    const std::size_t wanted = std::min(buffer.size(), most - bytes.size());
    const ssize_t got = ::read(file.get(), buffer.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno("read", path);
    if (got == 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return bytes;
}

FileReader::FileReader(const std::filesystem::path& path)
    : path_(path), file_(std::make_shared<const Descriptor>(path, O_RDONLY | O_CLOEXEC)) {
  if (file_->get() < 0) fail_with_errno("open", path);
}

std::size_t FileReader::size() const {
  struct stat status;
  if (::fstat(file_->get(), &status) != 0) fail_with_errno("read", path_);
  return static_cast<std::size_t>(status.st_size);
}

std::string FileReader::read(std::size_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(file_->get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno("read", path_);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

void remove_temporaries(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::vector<std::filesystem::path> stale;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto mark = name.rfind(kTemporary);
    if (mark == std::string::npos) continue;
    const char* end = name.data() + name.size();
    pid_t writer = 0;
    const auto parsed = std::from_chars(name.data() + mark + kTemporary.size(), end, writer);
    if (parsed.ec != std::errc{} || parsed.ptr != end || writer <= 0) continue;
    const bool gone = writer == ::getpid() || (::kill(writer, 0) != 0 && errno == ESRCH);
    if (gone) stale.push_back(entry.path());
  }
  for (const auto& file : stale) std::filesystem::remove(file, ignored);
}

std::string read_file_part(const std::filesystem::path& path, std::size_t offset,
                           std::size_t size) {
  return FileReader(path).read(offset, size);
}

void require_writable(const std::filesystem::path& path,
                      const std::vector<std::filesystem::path>& read) {
  std::error_code not_there;  // nor, then, can a file be made, for the same reason
  for (const auto& input : read) {
    require(!std::filesystem::equivalent(path, input, not_there), "cannot write ", path.string(),
            ": it is the file that is read; choose another name");
  }
  errno = EISDIR;
  if (std::filesystem::is_directory(path, not_there)) fail_with_errno("write", path);
  const auto temporary = temporary_of(path);
  const Descriptor file(temporary, O_WRONLY | O_CREAT | O_CLOEXEC);
  if (file.get() < 0) fail_with_errno("write", path);
  ::unlink(temporary.c_str());
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  const auto temporary = temporary_of(path);
  Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (file.get() < 0) fail_with_errno("write", path);
  if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0 || !file.close() ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail_with_errno("write", path);
  }
}

void create_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail("cannot create folder ", path.string(), ": ", error.message());
}

}  // namespace arbg
