#include "fibre.h"

#include <sys/mman.h>
#include <unistd.h>

#include "tensor/base/error.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARBG_ASAN
#endif
#if __has_feature(thread_sanitizer)
#define ARBG_TSAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARBG_ASAN
#endif
#if defined(__SANITIZE_THREAD__)
#define ARBG_TSAN
#endif

#if defined(ARBG_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(ARBG_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace arbg::emulator {
namespace {

constexpr std::size_t kStackBytes = std::size_t{1} << 16;

std::size_t guard_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

Fibre* entering = nullptr;  // makecontext hands over ints only

}  // namespace

Fibre::Fibre() {
  void* memory = ::mmap(nullptr, guard_bytes() + kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(memory != MAP_FAILED, "no memory for the stack of an emulated thread");
  ::mprotect(memory, guard_bytes(), PROT_NONE);  // stacks grow downwards, into it
  stack_ = static_cast<std::byte*>(memory) + guard_bytes();
}

Fibre::~Fibre() {
#if defined(ARBG_TSAN)
  if (fibre_of_tsan_) __tsan_destroy_fiber(fibre_of_tsan_);
#endif
#if defined(ARBG_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(stack_, kStackBytes);
#endif
  ::munmap(stack_ - guard_bytes(), guard_bytes() + kStackBytes);
}

void Fibre::start(const std::function<void()>& body) {
#if defined(ARBG_TSAN)
  if (fibre_of_tsan_) __tsan_destroy_fiber(fibre_of_tsan_);
  fibre_of_tsan_ = __tsan_create_fiber(0);
#endif
#if defined(ARBG_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(stack_, kStackBytes);
#endif
  body_ = body;
  fake_stack_ = nullptr;
  ended_ = false;
  ::getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = kStackBytes;
  context_.uc_link = nullptr;
  ::makecontext(&context_, &Fibre::enter, 0);
}

void Fibre::resume() {
  entering = this;
#if defined(ARBG_TSAN)
  outside_of_tsan_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fibre_of_tsan_, 0);
#endif
#if defined(ARBG_ASAN)
  __sanitizer_start_switch_fiber(&outside_fake_stack_, stack_, kStackBytes);
#endif
  ::swapcontext(&outside_, &context_);
#if defined(ARBG_ASAN)
  __sanitizer_finish_switch_fiber(outside_fake_stack_, nullptr, nullptr);
#endif
}

void Fibre::enter() {
  Fibre* self = entering;
#if defined(ARBG_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &self->outside_stack_, &self->outside_stack_size_);
#endif
  self->body_();
  self->ended_ = true;
  self->leave(true);
}

void Fibre::give_way() { leave(false); }

void Fibre::leave([[maybe_unused]] bool for_good) {
#if defined(ARBG_TSAN)
  __tsan_switch_to_fiber(outside_of_tsan_, 0);
#endif
#if defined(ARBG_ASAN)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, outside_stack_,
                                 outside_stack_size_);
#endif
  ::swapcontext(&context_, &outside_);
#if defined(ARBG_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack_, &outside_stack_, &outside_stack_size_);
#endif
}

}  // namespace arbg::emulator
