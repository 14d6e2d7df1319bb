// A function on a stack of its own, which runs until it gives way: ucontext, with a page behind the
// stack that nothing may touch, and the sanitizers told of every switch.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace arbg::emulator {

class Fibre {
 public:
  Fibre();
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // From the beginning at the next resume(). What a fibre that had not ended left on its stack is
  // dropped. `body` must not throw.
  void start(const std::function<void()>& body);
  void resume();    // until it gives way or ends; called from outside of any fibre
  void give_way();  // called by its own body
  bool ended() const { return ended_; }

 private:
  static void enter();
  void leave(bool for_good);

  std::byte* stack_;
  std::function<void()> body_;
  ucontext_t context_{}, outside_{};
  void *fake_stack_ = nullptr, *outside_fake_stack_ = nullptr;  // of the address sanitizer
  const void* outside_stack_ = nullptr;
  std::size_t outside_stack_size_ = 0;
  void *fibre_of_tsan_ = nullptr, *outside_of_tsan_ = nullptr;
  bool ended_ = true;
};

}  // namespace arbg::emulator
