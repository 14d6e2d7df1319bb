#include "tensor/device/available.h"

#include "tensor/base/error.h"
#include "tensor/device/runtime.h"

namespace arbg::tensor {

std::string device_name(Device device) { return runtime_of(device).name(); }

std::string why_absent(Backend backend) {
  try {
    device_name({backend});
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace arbg::tensor
