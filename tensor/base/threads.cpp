#include "tensor/base/threads.h"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tensor/base/available_cpus.h"
#include "tensor/base/error.h"

namespace arbg {
namespace {

thread_local bool inside_parallel_for = false;

// Workers sleep between jobs. A job is a count and a body; everyone takes the next index until none
// is left.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }

  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  void run(std::int64_t count, const std::function<void(std::int64_t)>& body) {
    const std::lock_guard one_job_at_a_time(job_mutex_);
    {
      const std::lock_guard lock(mutex_);
      body_ = &body;
      count_ = count;
      next_ = 0;
      failure_ = nullptr;
      running_ = static_cast<int>(workers_.size());
      ++generation_;
    }
    wake_.notify_all();
    take_indices();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void take_indices() {
    inside_parallel_for = true;
    for (std::int64_t i = next_++; i < count_; i = next_++) {
      try {
        (*body_)(i);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        next_ = count_;
      }
    }
    inside_parallel_for = false;
  }

  void work() {
    std::int64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) return;
      seen = generation_;
      lock.unlock();
      take_indices();
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex job_mutex_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::int64_t)>* body_ = nullptr;
  std::atomic<std::int64_t> next_ = 0;
  std::int64_t count_ = 0, generation_ = 0;
  int running_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
};

std::unique_ptr<Pool>& pool() {
  static auto instance = std::make_unique<Pool>(available_cpus());
  return instance;
}

}  // namespace

int thread_count() { return pool()->threads(); }

void set_thread_count(int count) {
  require(count >= 1, "expected at least one thread, got ", count);
  if (count != thread_count()) pool() = std::make_unique<Pool>(count);
}

void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& body) {
  if (count <= 0) return;
  if (inside_parallel_for || count == 1 || thread_count() == 1) {
    for (std::int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  pool()->run(count, body);
}

}  // namespace arbg
