// One writer at a time in a folder: FolderLock lock("runs/x", "arbg md") for as long as it writes.
//
// The lock is the file FOLDER/.arbg.lock, a line of JSON that says who holds it: command, process
// id and start time, host, boot id, pid namespace. Three things make it right:
//
// * It is written under another name and gets its own by link(): of many, one succeeds, on network
//   file systems too, and there is never half a lock.
// * Its holder keeps a flock on it. A lock whose flock is free is stale if, on the same boot of the
//   same kernel, the process is gone or its id is of one that started at another time (the flock
//   alone decides between containers, where ids mean nothing), or if the machine was started anew.
//   That of another host cannot be judged and is refused. flock alone would not do: network file
//   systems may keep it within one host, or lose it.
// * A stale lock is replaced, by rename(), only by who has its flock and then still finds it under
//   its name: of many takers one, because the others fail to get the flock or find another file.
//   Takers are always of the dead holder's own host, where flock holds whatever the file system.
//
// It goes with the object, so after errors and Ctrl-C as well; after kill -9 it is stale.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace arbg {

class FolderLock {
 public:
  // Creates the folder and its parents where they are missing. Throws Error, in one line: naming
  // the holder and what to do if there is one, this process included (a lock is held once); naming
  // the system's reason if the folder cannot be created or written. Never waits.
  FolderLock(const std::filesystem::path& folder, std::string_view command);

  // Gives the lock back; the folders that it made go with it if nothing has been written there. If
  // the lock is no longer held, what stands under its name is another's and stays.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  // For before each writing: throws Error, in one line, if the lock is no longer under its name,
  // because the folder was moved away (another may be in its place) or the lock deleted.
  void require_held() const;
  bool is_held() const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit FolderLock(const std::filesystem::path& folder);
  void create_folders();
  bool take_over(const std::filesystem::path& mine, const struct LockHolder& self) const;

  std::filesystem::path folder_, file_;
  std::vector<std::filesystem::path> made_;  // folders, the innermost first
  int fd_ = -1;                              // of the lock; -1: not held
};

}  // namespace arbg
