#include "apps/cli/several_processes.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tensor/base/available_cpus.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/threads.h"
#include "tensor/base/world.h"

namespace arbg::apps {

void prepare_several_processes(const Ranks& ranks, const std::vector<std::string>& words) {
  if (ranks.count() == 1) return;
  ranks.agree("a program", read_file("/proc/self/exe"));
  std::string line;
  for (const auto& word : words) line += word + '\n';
  ranks.agree("a command line", line);
  require(line.find("--backend\nauto\n") == std::string::npos &&
              line.find("--backend=auto\n") == std::string::npos,
          "several processes might choose different backends; say --backend cpu or --backend cuda");
  const Neighbours here = neighbours(ranks);
  set_thread_count(std::max(1, available_cpus() / here.on_same_cpus));
  constexpr char kDevices[] = "CUDA_VISIBLE_DEVICES";
  ::setenv(kDevices, device_of_rank(std::getenv(kDevices), here.before).c_str(), 1);
}

void be_silent() {
  for (std::FILE* stream : {stdout, stderr})
    require(std::freopen("/dev/null", "w", stream) != nullptr, "cannot open /dev/null");
}

}  // namespace arbg::apps
