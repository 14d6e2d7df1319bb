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
  if (has_run_ && !recording_) recording_ = runtime_of(device_).record(work_);
  if (recording_) {
    recording_->run();
  } else {
    work_();
  }
  has_run_ = true;
}

void Repeated::forget() {
  recording_.reset();
  has_run_ = false;
}

}  // namespace arbg::tensor
