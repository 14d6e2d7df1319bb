// A device for machines without one: in test_device, what Backend::cuda names.
//
// Its memory is apart from the host's: closed (PROT_NONE) but for the time that one of its kernels
// runs or bytes are carried, so that the system stops whoever follows an address at any other time;
// host_data() refuses as it does on every device. Its kernels are the cpu's, on the same bytes. It
// notes what is asked of it. On one thread: while a kernel of one runs, another could look in.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/device/device.h"

namespace arbg::tensor {

inline constexpr Backend kStub = Backend::cuda;

struct StubEvent {
  enum Kind { kernel, upload, download } kind;
  std::size_t bytes;  // carried
};

// All since the last call.
std::vector<StubEvent> take_stub_events();
std::size_t bytes_of(const std::vector<StubEvent>& events, StubEvent::Kind kind);

// While it lives, a kernel runs.
class StubKernel {
 public:
  StubKernel();
  ~StubKernel();
  StubKernel(const StubKernel&) = delete;
  StubKernel& operator=(const StubKernel&) = delete;
};

}  // namespace arbg::tensor
