// The default number of threads: trees as /proc and /sys hold them, and the affinity.
#include "tensor/base/available_cpus.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <cmath>
#include <string>

#include "tensor/base/files.h"
#include "tests/tensor/temporary_folder.h"

using namespace arbg;

namespace {

// A root with /proc/self/cgroup; files of control groups are added by put().
class Tree {
 public:
  explicit Tree(const std::string& cgroup) { put("proc/self/cgroup", cgroup); }
  void put(const std::string& file, const std::string& text) {
    create_folder((folder_.path() / file).parent_path());
    write_file(folder_.path() / file, text);
  }
  double quota() const { return cpu_quota(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

const std::string kGroups = "sys/fs/cgroup/";

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a control group of version 2 limits by its own quota and by those above it") {
    Tree tree("0::/machine/work/job\n");
    CHECK(tree.quota() == INFINITY);
    tree.put(kGroups + "machine/work/job/cpu.max", "max 100000\n");
    CHECK(tree.quota() == INFINITY);
    tree.put(kGroups + "machine/cpu.max", "250000 100000\n");
    CHECK(tree.quota() == 2.5);
    tree.put(kGroups + "machine/work/job/cpu.max", "50000 50000\n");
    CHECK(tree.quota() == 1);
    tree.put(kGroups + "machine/work/cpu.max", "10000 100000\n");
    CHECK(tree.quota() == 0.1);
    tree.put(kGroups + "machine/other/cpu.max", "1000 100000\n");  // not above the process
    CHECK(tree.quota() == 0.1);
  }

  TEST_CASE("inside a container the root of the mount is the container's group") {
    Tree own_names("0::/\n");
    own_names.put(kGroups + "cpu.max", "200000 100000\n");
    CHECK(own_names.quota() == 2);
    Tree names_of_the_host("0::/kubepods/pod1/container2\n");
    names_of_the_host.put(kGroups + "cpu.max", "300000 100000\n");
    CHECK(names_of_the_host.quota() == 3);
    Tree above("0::/../sibling\n");
    above.put(kGroups + "cpu.max", "400000 100000\n");
    CHECK(above.quota() == 4);
  }

  TEST_CASE("a control group of version 1 limits by quota over period, -1 is none") {
    Tree tree("12:cpuset:/job\n4:cpu,cpuacct:/batch/job\n0::/job\n");
    const std::string cpu = kGroups + "cpu,cpuacct/";
    tree.put(cpu + "batch/job/cpu.cfs_quota_us", "-1\n");
    tree.put(cpu + "batch/job/cpu.cfs_period_us", "100000\n");
    CHECK(tree.quota() == INFINITY);
    tree.put(cpu + "batch/cpu.cfs_quota_us", "150000\n");
    CHECK(tree.quota() == INFINITY);  // without a period
    tree.put(cpu + "batch/cpu.cfs_period_us", "100000\n");
    CHECK(tree.quota() == 1.5);
    tree.put(kGroups + "cpuset/job/cpu.cfs_quota_us", "1000\n");  // of another controller
    tree.put(kGroups + "cpuset/job/cpu.cfs_period_us", "100000\n");
    CHECK(tree.quota() == 1.5);
  }

  TEST_CASE("what cannot be understood sets no limit") {
    for (const char* text :
         {"", "max", "0 100000", "100000", "100000 0", "-1 100000", "many few"}) {
      CAPTURE(text);
      Tree tree("0::/\nnonsense\n:\n");
      tree.put(kGroups + "cpu.max", text);
      CHECK(tree.quota() == INFINITY);
    }
    CHECK(cpu_quota("/nothing/is/here") == INFINITY);
  }

  TEST_CASE("the process may use no more CPUs than its affinity says, and at least one") {
    cpu_set_t before;
    REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
    const int all = available_cpus();
    CHECK(all >= 1);
    CHECK(all <= CPU_COUNT(&before));
    int first = 0;
    while (!CPU_ISSET(first, &before)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK(available_cpus() == 1);
    REQUIRE(::sched_setaffinity(0, sizeof before, &before) == 0);
    CHECK(available_cpus() == all);
  }
}
