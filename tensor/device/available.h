// Which devices work here, in words.
#pragma once

#include <string>

#include "tensor/device/device.h"

namespace arbg::tensor {

// Why this backend cannot be used, in the words of the error that using it throws; "" if it can.
std::string why_absent(Backend backend);

std::string device_name(Device device);  // "NVIDIA H100 80GB HBM3"; throws Error if it is absent

}  // namespace arbg::tensor
