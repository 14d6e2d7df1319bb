// Which devices work here, in words.
#pragma once

#include <string>

#include "tensor/device/device.h"

namespace arbg::tensor {

// Why this backend cannot be used, in the words of the error that using it throws; "" if it can.
std::string why_absent(Backend backend);

// A share of the memory of a device, at most that many bytes: what a pass may count on.
double share_of_memory(Device device, double share, double most);

std::string device_name(Device device);  // "NVIDIA H100 80GB HBM3"; throws Error if it is absent

}  // namespace arbg::tensor
