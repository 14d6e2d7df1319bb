// What the emulator says of a kernel with a planted fault, and whether it names the planted line.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {

constexpr int kThreadsOfBlock = 64;

inline Tensor zeros(std::int64_t n) { return Tensor::zeros({n}, DType::f32, Backend::cuda); }

// Where the kernel that ran last is wrong: what stands below the words.
inline emulator::Where planted{"", 0};
#define FAULT_BELOW planted = {__FILE__, __LINE__ + 1}

// What a kernel on one block of 64 threads says, "" if nothing is wrong with it, in any order.
template <class... Parameters, class... Arguments>
std::string fault_of(void (*kernel)(Parameters...), const Arguments&... arguments) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    emulator::set_seed(seed);
    try {
      launch(kernel, {1, kThreadsOfBlock, 512}, arguments...);
    } catch (const emulator::Fault& fault) {
      return fault.what();
    }
  }
  return "";
}

inline bool names(const std::string& fault, const std::string& text) {
  CAPTURE(fault);
  CAPTURE(text);
  const std::string place = std::string(planted.file) + ":" + std::to_string(planted.line) + ": ";
  const bool found =
      fault.find(place) != std::string::npos && fault.find(text) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace arbg::tensor::cuda
