// How fast are our matrix products, against what the multipliers of one core can do and against
// Eigen? And how fast are those of operands rounded to bf16?
//
// The roof is a loop of independent fused multiply-adds on registers, measured here, in the same
// second. Each product is first checked against Eigen's, then timed: the best of several runs, one
// thread. Usage: arbg_bench_gemm. Takes about ten seconds.
#include <Eigen/Core>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "apps/bench/one_core.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/simd.h"
#include "tensor/base/threads.h"
#include "tensor/gemm/gemm_bf16_cpu.h"

namespace {

using arbg::Lanes;
using Clock = std::chrono::steady_clock;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Seconds of the fastest run of `body`, repeated for at least a quarter of a second.
template <class Body>
double best_seconds(const Body& body) {
  double best = 1e30;
  const auto start = Clock::now();
  do {
    const auto before = Clock::now();
    body();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - before).count());
  } while (Clock::now() - start < std::chrono::milliseconds(250));
  return best;
}

// Gigaoperations a second: a multiply-add is two.
double measured_roof() {
  const auto timed = [](const auto& body) { return best_seconds(body); };
  return 2e-9 * arbg::kLaneCount<float> * arbg::bench::multiply_add_roof(timed);
}

enum class Form { forward, input_gradient, weight_gradient };  // a b^T, a b, a^T b
const char* const kFormNames[] = {"x W^T", "dy W", "dy^T x"};

RowMajor random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t stream) {
  const arbg::Random random(7, stream);
  RowMajor matrix(rows, columns);
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    matrix.data()[i] = static_cast<float>(random.uniform(static_cast<std::uint64_t>(i)) - 0.5);
  }
  return matrix;
}

// One line of the table: c [M, N] = a [M, K] b [K, N].
void measure(Form form, std::int64_t M, std::int64_t N, std::int64_t K, double roof) {
  const bool a_transposed = form == Form::weight_gradient, b_transposed = form == Form::forward;
  const RowMajor a = a_transposed ? random_matrix(K, M, 0) : random_matrix(M, K, 0);
  const RowMajor b = b_transposed ? random_matrix(N, K, 1) : random_matrix(K, N, 1);
  auto a_view = arbg::tensor::row_major(a.data(), a.cols());
  auto b_view = arbg::tensor::row_major(b.data(), b.cols());
  if (a_transposed) a_view = a_view.transposed();
  if (b_transposed) b_view = b_view.transposed();
  RowMajor ours(M, N), eigen(M, N);
  const auto run_ours = [&] { arbg::tensor::gemm(M, N, K, a_view, b_view, ours.data(), false); };
  const auto run_eigen = [&] {
    if (a_transposed)
      eigen.noalias() = a.transpose() * b;
    else if (b_transposed)
      eigen.noalias() = a * b.transpose();
    else
      eigen.noalias() = a * b;
  };
  run_ours();
  run_eigen();
  const double error = static_cast<double>((ours - eigen).cwiseAbs().maxCoeff());
  arbg::require(error < 1e-5 * static_cast<double>(K), "the products differ by ", error);
  const double gflop = 2e-9 * static_cast<double>(M * N * K);
  const double rate = gflop / best_seconds(run_ours), eigen_rate = gflop / best_seconds(run_eigen);
  const auto run_bf16 = [&] {
    arbg::tensor::gemm_bf16(M, N, K, a_view, b_view, ours.data(), false);
  };
  run_bf16();
  const double bf16_error = static_cast<double>((ours - eigen).cwiseAbs().maxCoeff());
  arbg::require(bf16_error < 4e-3 * std::sqrt(static_cast<double>(K)), "bf16 differs by ",
                bf16_error);
  const double bf16_rate = gflop / best_seconds(run_bf16);
  std::printf("%-8s %5ld %5ld %5ld  %9.1f %9.1f  %7.0f %%  %9.2f  %9.1f\n",
              kFormNames[static_cast<int>(form)], M, N, K, rate, eigen_rate, 100 * rate / roof,
              rate / eigen_rate, bf16_rate);
}

}  // namespace

int main() {
  arbg::set_thread_count(1);
  const double roof = measured_roof();
  std::printf("one core, float32; fused multiply-add roof %.1f GFLOP/s\n\n", roof);
  std::printf("%-8s %5s %5s %5s  %9s %9s  %9s  %9s  %9s\n", "form", "M", "N", "K", "GFLOP/s",
              "Eigen", "of roof", "vs Eigen", "bf16");
  const std::int64_t M = 960;  // 16 molecules of 60 tokens
  for (const auto& [N, K] : {std::pair{192, 64}, {64, 64}, {170, 64}, {64, 170}, {256, 64}}) {
    measure(Form::forward, M, N, K, roof);
    measure(Form::input_gradient, M, K, N, roof);
    measure(Form::weight_gradient, N, K, M, roof);
  }
  for (const auto& [N, K] : {std::pair{768, 256}, {682, 256}, {256, 682}, {4096, 256}}) {
    measure(Form::forward, M, N, K, roof);
    measure(Form::input_gradient, M, K, N, roof);
    measure(Form::weight_gradient, N, K, M, roof);
  }
  measure(Form::input_gradient, 1024, 1024, 1024, roof);
}
