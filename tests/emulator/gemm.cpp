// The product of gemm_cuda.h as plain loops on the emulated device's memory, in its precision: sums
// in float32 upwards, the bias last. Operands of tf32 lose their lower 13 bits; a device may also
// round them, which is the smaller error.
//
// Throws Fault where a matrix is not inside a block, where c overlaps with what is read, and where
// a number is read that nobody has written.
#include <bit>
#include <vector>

#include "machine.h"
#include "memory.h"
#include "tensor/gemm/gemm_cuda.h"

namespace arbg::tensor::cuda {
namespace {

constexpr std::uint32_t kPoison = 0xFFFFFFFFU;  // fresh memory, and what is computed from it
constexpr std::uint32_t kTf32 = 0xFFFFE000U;

void check_number(float x, const char* name) {
  if (std::bit_cast<std::uint32_t>(x) == kPoison) {
    throw emulator::Fault(std::string("a matrix product reads numbers of ") + name +
                          " that nobody has written");
  }
}

// An operand, or a bias.
struct Matrix {
  const char* name;
  const void* data;
  bool bf16;
  std::int64_t rows, columns;

  std::size_t bytes() const {
    return static_cast<std::size_t>(rows * columns) * (bf16 ? sizeof(BFloat16) : sizeof(float));
  }
  float number(std::int64_t i) const {
    if (!bf16) return static_cast<const float*>(data)[i];
    const std::uint32_t bits = static_cast<const BFloat16*>(data)[i].bits;
    return bits == kPoison >> 16U ? std::bit_cast<float>(kPoison)
                                  : std::bit_cast<float>(bits << 16U);
  }
  // All of it as float32.
  std::vector<float> numbers() const {
    emulator::check_inside(data, bytes());
    std::vector<float> all;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      all.push_back(number(i));
      check_number(all.back(), name);
    }
    return all;
  }
};

Matrix matrix(const char* name, const Tensor& x, std::int64_t rows, std::int64_t columns) {
  const bool bf16 = x.dtype() == DType::bf16;
  return {name, bf16 ? static_cast<const void*>(x.device_data<BFloat16>()) : x.device_data<float>(),
          bf16, rows, columns};
}

void check_apart(const Matrix& x, const float* c, std::int64_t elements) {
  const auto* first = static_cast<const std::byte*>(x.data);
  const auto* written = reinterpret_cast<const std::byte*>(c);
  if (first < written + static_cast<std::size_t>(elements) * sizeof(float) &&
      written < first + x.bytes()) {
    throw emulator::Fault(std::string("a matrix product writes over its operand ") + x.name);
  }
}

std::vector<float> cut_to_tf32(std::vector<float> x) {
  for (float& one : x) {
    if (one == one) one = std::bit_cast<float>(std::bit_cast<std::uint32_t>(one) & kTf32);
  }
  return x;
}

// [K, M] as [M, K].
std::vector<float> turned(const std::vector<float>& x, std::int64_t K, std::int64_t M) {
  std::vector<float> y;
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t k = 0; k < K; ++k) y.push_back(x[static_cast<std::size_t>(k * M + m)]);
  }
  return y;
}

struct Task {
  Product product;
  bool tf32;
  Matrix a, b, bias;  // no bias: without data
  float* c;

  void run() const;
};

void Task::run() const {
  const auto& [M, N, K, transpose_a, transpose_b, accumulate] = product;
  emulator::check_inside(c, static_cast<std::size_t>(M * N) * sizeof(float));
  std::vector<float> A = a.numbers(), B = b.numbers(), added(static_cast<std::size_t>(N));
  if (bias.data) added = bias.numbers();
  if (tf32) A = cut_to_tf32(A), B = cut_to_tf32(B);
  if (transpose_a) A = turned(A, K, M);
  if (!transpose_b) B = turned(B, K, N);
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t n = 0; n < N; ++n) {
      float sum = 0;
      for (std::int64_t k = 0; k < K; ++k)
        sum += A[static_cast<std::size_t>(m * K + k)] * B[static_cast<std::size_t>(n * K + k)];
      float& to = c[m * N + n];
      if (accumulate) check_number(to, "c");
      to = (accumulate ? to : 0.0F) + sum + added[static_cast<std::size_t>(n)];
    }
  }
}

}  // namespace

void gemm(const Product& product, bool tf32, const Tensor& a, const Tensor& b, const Tensor& bias,
          Tensor& c) {
  const auto& [M, N, K, transpose_a, transpose_b, accumulate] = product;
  if (M <= 0 || N <= 0 || K <= 0 || a.dtype() != b.dtype())
    throw emulator::Fault("a matrix product is asked for that the device's library refuses");
  const Task task{
      product,
      tf32 && a.dtype() == DType::f32,
      matrix("a", a, transpose_a ? K : M, transpose_a ? M : K),
      matrix("b", b, transpose_b ? N : K, transpose_b ? K : N),
      bias.defined() ? matrix("bias", bias, 1, N) : Matrix{"bias", nullptr, false, 1, N},
      c.device_data<float>()};
  check_apart(task.a, task.c, M * N);
  check_apart(task.b, task.c, M * N);
  emulator::ask([task] { task.run(); });
}

}  // namespace arbg::tensor::cuda
