// A loop over pieces of work for one backend.
//
// On the host the pieces share its threads, as parallel_for() says. A device is asked for one piece
// after the other, by one thread: it is the device that works on many things at a time.
#pragma once

#include "tensor/base/threads.h"
#include "tensor/device/device.h"

namespace arbg::tensor {

inline void for_each_on(Device device, std::int64_t count,
                        const std::function<void(std::int64_t)>& body) {
  if (device.is_host()) return parallel_for(count, body);
  for (std::int64_t i = 0; i < count; ++i) body(i);
}

}  // namespace arbg::tensor
