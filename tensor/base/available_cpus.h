// How many CPUs this process may use: the default number of threads.
//
// The smaller of the scheduler's affinity (taskset, cpusets) and, rounded up, of the CPU quotas of
// the process's control groups, as containers set them:
//
//   v2   cpu.max: "QUOTA PERIOD" or "max PERIOD" (microseconds), of the group and all above it
//   v1   cpu.cfs_quota_us (-1: none) over cpu.cfs_period_us, likewise
//
// The group is the one that /proc/self/cgroup names, below /sys/fs/cgroup. Inside a container that
// path may be the host's and not there: then what is found on the way up counts. Source:
// Documentation/admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst of Linux.
#pragma once

#include <filesystem>

namespace arbg {

int available_cpus();  // at least 1

// CPUs' worth of time that the control groups grant, infinity without a limit. `root` is where proc
// and sys are. What cannot be read or understood sets no limit.
double cpu_quota(const std::filesystem::path& root);

}  // namespace arbg
