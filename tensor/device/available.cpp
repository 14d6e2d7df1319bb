#include "tensor/device/available.h"

#include <algorithm>

#include "tensor/base/error.h"
#include "tensor/device/runtime.h"

namespace arbg::tensor {

std::string device_name(Device device) { return runtime_of(device).name(); }

double share_of_memory(Device device, double share, double most) {
  return std::min(most, share * static_cast<double>(runtime_of(device).bytes()));
}

std::string why_absent(Backend backend) {
  try {
    device_name({backend});
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace arbg::tensor
