// The folder that a command writes a run in: whose run is there, and that nobody else writes it.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "tensor/base/folder_lock.h"

namespace arbg::apps {

// The commands that leave runs; `other` is another program, with a run.json of its own.
enum class RunKind { none, md, train, refine, sample, energy, evaluate, demo, other };

const char* name_of(RunKind kind);  // "arbg md"

// Whose run, complete or not, a folder holds, by the files there; none without any, or without a
// folder. Throws Error for a run.json that is not JSON.
RunKind kind_of(const std::filesystem::path& folder);

// For as long as a command may write in `folder`; taken before its work begins. Throws Error, with
// nothing changed, if another process writes there, if it cannot be written, or if it holds a run
// of a kind that is not among `goes_on` (by default: of any but this one). Clears up what writers
// that were killed left half-written.
class RunFolder {
 public:
  RunFolder(const std::filesystem::path& folder, RunKind kind, std::vector<RunKind> goes_on = {});

  // For before each writing: throws Error if the folder is no longer the one that was locked.
  void require_ours() const { lock_.require_held(); }

  // Files that stand together or not at all: removes those of these names, calls `write`, which
  // makes them, and removes them again if it throws. Nothing is removed from a folder that is no
  // longer the one that was locked.
  void write_together(std::span<const char* const> names,
                      const std::function<void()>& write) const;

  const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path folder_;
  FolderLock lock_;
};

}  // namespace arbg::apps
