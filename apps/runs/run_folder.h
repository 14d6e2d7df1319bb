// The folder that a command writes a run in: whose run is there, and that nobody else writes it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tensor/base/folder_lock.h"

namespace arbg::apps {

// The command whose run, complete or not, a folder holds: "arbg md", "arbg train", ... by the files
// there; "another program" with a run.json of its own; "" for none, or no folder. Throws Error for
// a run.json that is not JSON.
std::string run_in(const std::filesystem::path& folder);

// For as long as a command may write in `folder`; taken before its work begins. Throws Error, with
// nothing changed, if another process writes there, if it cannot be written, or if it holds a run
// of a command that is not among `runs` (by default: of any but this one). Clears up what writers
// that were killed left half-written.
class RunFolder {
 public:
  RunFolder(const std::filesystem::path& folder, const std::string& command,
            std::vector<std::string> runs = {});

 private:
  FolderLock lock_;
};

}  // namespace arbg::apps
