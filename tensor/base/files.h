// Whole files in, whole files out: a file that exists is complete.
//
// Writing goes to a temporary name beside the target, is synced to disk, then renamed over the
// target. A crash, a full disk or Ctrl-C leaves the old file, or none, never half of one.
#pragma once

#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace arbg {

// The bytes of a file, or the first `most` of them. Throws Error naming the path and the system's
// reason.
std::string read_file(const std::filesystem::path& path,
                      std::size_t most = std::numeric_limits<std::size_t>::max());

// A file read piece by piece: the same one to the end, even if its name is given to another
// meanwhile (write_file). Copies share it. Throws Error as read_file does.
class FileReader {
 public:
  explicit FileReader(const std::filesystem::path& path);

  std::size_t size() const;
  std::string read(std::size_t offset, std::size_t size) const;  // fewer bytes where the file ends

 private:
  std::filesystem::path path_;
  std::shared_ptr<const class Descriptor> file_;  // files.cpp
};

// `size` bytes from `offset` on, fewer where the file ends. Throws Error likewise.
std::string read_file_part(const std::filesystem::path& path, std::size_t offset, std::size_t size);

// Replaces `path` by `bytes` (temporary name, fsync, rename). Throws Error naming the path and the
// reason (no space left, no permission), with the old file untouched.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Throws Error, as write_file would, if `path` is a folder or no file can be made beside it, or if
// it is one of the files that are read, under whatever name: for commands to call before their
// work.
void require_writable(const std::filesystem::path& path,
                      const std::vector<std::filesystem::path>& read = {});

// Removes the temporary files that write_file left in a folder when it was killed: those of
// processes that are gone.
void remove_temporaries(const std::filesystem::path& folder);

// Creates the folder and its parents. Throws Error naming the path and the reason.
void create_folder(const std::filesystem::path& path);

}  // namespace arbg
