// Work that is done again and again on the same tensors.
//
// On a device with recordings (CUDA: a captured graph) the second run records it, and from then on
// it is launched whole, with everything that the host did left out; elsewhere each run calls the
// function. A run that throws does not count. So the work must be the same each time: what changes
// from run to run has to lie in tensors that it reads, and these have to be written in place
// before. Its results are in tensors that it writes in place. It neither uploads nor downloads.
// Whoever changes what the work depends on says forget().
#pragma once

#include <functional>
#include <memory>

#include "tensor/device/device.h"

namespace arbg::tensor {

class Recording;

class Repeated {
 public:
  Repeated(Device device, std::function<void()> work);
  ~Repeated();
  Repeated(Repeated&&) noexcept;
  Repeated& operator=(Repeated&&) noexcept;

  void run();
  void forget();  // the next run is the first

 private:
  Device device_;
  std::function<void()> work_;
  bool has_run_ = false;  // since the last forget()
  std::unique_ptr<Recording> recording_;
};

}  // namespace arbg::tensor
