// How many numbers have come from devices to the host: what a test counts to show that a step or a
// draw does not wait for them.
#pragma once

#include <cstdint>

namespace arbg::tensor {

// By values(), indices() and item() of all tensors, of this process's start until now. Any thread
// may ask. The host's own kernels, which work on host_data(), are not counted.
std::int64_t numbers_read();

}  // namespace arbg::tensor
