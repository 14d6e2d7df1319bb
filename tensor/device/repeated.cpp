#include "tensor/device/repeated.h"

#include <utility>

#include "tensor/device/runtime.h"

namespace arbg::tensor {

Repeated::Repeated(Device device, std::function<void()> work)
    : device_(device), work_(std::move(work)) {}
Repeated::~Repeated() = default;
Repeated::Repeated(Repeated&&) noexcept = default;
Repeated& Repeated::operator=(Repeated&&) noexcept = default;

// The first run makes what is made once (algorithms of products, tables): no part of a recording.
void Repeated::run() {
  if (runs_ == 1) recording_ = runtime_of(device_).record(work_);
  if (runs_ < 2) ++runs_;
  if (recording_) {
    recording_->run();
  } else {
    work_();
  }
}

void Repeated::forget() {
  recording_.reset();
  runs_ = 0;
}

}  // namespace arbg::tensor
