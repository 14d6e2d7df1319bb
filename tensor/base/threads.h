// One pool of worker threads for the whole program.
//
// parallel_for hands out indices one by one, so which thread runs which index is not fixed; results
// must not depend on it. Anything summed over indices is summed afterwards, in index order: that is
// how every number comes out the same for any thread count.
#pragma once

#include <cstdint>
#include <functional>

namespace arbg {

// The number of threads parallel_for uses, the caller included. At first: available_cpus().
int thread_count();
void set_thread_count(int count);

// Runs body(0) ... body(count-1) and returns when all are done. Inside another parallel_for it runs
// in the calling thread, in order. The first exception a body throws is rethrown here.
void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& body);

}  // namespace arbg
