// The folder that a command writes a run in: whose run is there, and that nobody else writes it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tensor/base/folder_lock.h"
#include "tensor/base/json.h"
#include "tensor/base/ranks.h"

namespace arbg::apps {

// The commands that leave runs; `other` is another program, with a run.json of its own.
enum class RunKind { none, md, train, refine, sample, energy, evaluate, demo, other };

const char* name_of(RunKind kind);  // "arbg md"

// Whose run, complete or not, a folder holds, by the files there; none without any, or without a
// folder. Throws Error for a run.json that is not JSON.
RunKind kind_of(const std::filesystem::path& folder);

// For as long as a command may write in `folder`; taken before its work begins. Throws Error, with
// nothing changed, if another process writes there, if it cannot be written, or if it holds a run
// of a kind that is not among `goes_on` (by default: of any but this one), or, where there is no
// run, files that this one would replace. Clears up what writers that were killed left
// half-written. Of several ranks, which make and end it together, the first does all that; the
// others only read.
class RunFolder {
 public:
  RunFolder(const std::filesystem::path& folder, RunKind kind, std::vector<RunKind> goes_on = {},
            const Ranks& ranks = Ranks::alone());

  // For before each writing: throws Error if the folder is no longer the one that was locked.
  void require_ours() const {
    if (lock_) lock_->require_held();
  }

  const Ranks& ranks() const { return ranks_; }
  const std::filesystem::path& path() const { return folder_; }

  // Of the first rank.
  operator const FolderLock&() const { return lock_.value(); }

 private:
  void take(RunKind kind, std::vector<RunKind> goes_on);

  std::filesystem::path folder_;
  const Ranks& ranks_;
  std::optional<FolderLock> lock_;
};

// Members that have another value, or that only one of the two has, for messages: "batch is 32
// there and 64 here". What is too long to print is only named.
std::string differences(const Json& there, const Json& here);

// Files that stand together. `write` makes the new ones, all of these names or some, in the folder
// that it is given, inside the locked one. When they are there, all old ones go, in the order of
// their names, and the new ones come, the last name first. If `write` throws, as for a full disk,
// or the folder is no longer the one that was locked, the old ones stay as they were.
void replace_together(const FolderLock& lock, std::span<const char* const> names,
                      const std::function<void(const std::filesystem::path&)>& write);

}  // namespace arbg::apps
