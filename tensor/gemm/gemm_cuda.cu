// cuBLASLt counts in columns: c [M, N] by rows is c^T [N, M] to it, and so it is asked for
// c^T = op(b)^T op(a)^T, where a stored [rows, columns] is a^T with leading dimension `columns`.
// Then a bias in every row is its bias in every column, which its epilogue adds.
#include <cublasLt.h>

#include <compare>
#include <map>
#include <mutex>

#include "tensor/device/stream_cuda.h"
#include "tensor/gemm/gemm_cuda.h"

namespace arbg::tensor::cuda {
namespace {

constexpr std::uint64_t kWorkspaceBytes = std::uint64_t{32} << 20;
constexpr std::uintptr_t kMostAlignment = 16;  // in bytes: no algorithm asks for more
constexpr std::int64_t kManyRows = 8192;       // whose algorithm is that of any number of rows

void check(cublasStatus_t status, const char* what) {
  require(status == CUBLAS_STATUS_SUCCESS, "cuBLASLt: ", what, ": ",
          cublasLtGetStatusString(status));
}

// What an algorithm is chosen by.
struct Kind {
  Product product;
  bool bf16, tf32, bias;
  std::uint32_t a_alignment, b_alignment, c_alignment, bias_alignment;

  auto operator<=>(const Kind&) const = default;
};

const void* address(const Tensor& x) {
  if (!x.defined()) return nullptr;
  if (x.dtype() == DType::bf16) return x.device_data<BFloat16>();
  return x.device_data<float>();
}

// In bytes, of every row of a matrix with rows of `columns` numbers.
std::uint32_t alignment(const Tensor& x, std::int64_t columns) {
  const std::int64_t row = columns * (x.defined() && x.dtype() == DType::bf16 ? 2 : 4);
  const auto number = reinterpret_cast<std::uintptr_t>(address(x)) |
                      static_cast<std::uintptr_t>(row) | kMostAlignment;
  return static_cast<std::uint32_t>(number & (~number + 1));
}

template <class T>
void set(cublasLtMatmulDescOpaque_t& operation, cublasLtMatmulDescAttributes_t attribute,
         const T& value) {
  check(cublasLtMatmulDescSetAttribute(&operation, attribute, &value, sizeof value),
        "describing a product");
}

template <class T>
void set(cublasLtMatmulPreferenceOpaque_t& preference,
         cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
  check(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof value),
        "stating what an algorithm may need");
}

// A matrix that is stored [rows, columns] by rows.
void describe(cublasLtMatrixLayoutOpaque_t& layout, cudaDataType_t type, std::int64_t rows,
              std::int64_t columns) {
  check(cublasLtMatrixLayoutInit(&layout, type, static_cast<std::uint64_t>(columns),
                                 static_cast<std::uint64_t>(rows), columns),
        "describing a matrix");
}

struct Layouts {
  explicit Layouts(const Kind& kind) {
    const auto& [M, N, K, transpose_a, transpose_b, accumulate] = kind.product;
    const cudaDataType_t type = kind.bf16 ? CUDA_R_16BF : CUDA_R_32F;
    describe(a, type, transpose_a ? K : M, transpose_a ? M : K);
    describe(b, type, transpose_b ? N : K, transpose_b ? K : N);
    describe(c, CUDA_R_32F, M, N);
  }

  cublasLtMatrixLayoutOpaque_t a, b, c;
};

// Descriptors, and the algorithm that the library thinks best.
class Plan {
 public:
  Plan(cublasLtHandle_t library, const Kind& kind, const Tensor& bias);
  void run(cublasLtHandle_t library, void* workspace, const Tensor& a, const Tensor& b,
           const Tensor& bias, Tensor& c);

 private:
  cublasLtMatmulAlgo_t best_for(cublasLtHandle_t library, const Kind& kind);
  bool serves(cublasLtHandle_t library, const cublasLtMatmulAlgo_t& algorithm);

  float beta_;
  cublasLtMatmulDescOpaque_t operation_;
  Layouts layouts_;
  cublasLtMatmulAlgo_t algorithm_;
};

Plan::Plan(cublasLtHandle_t library, const Kind& kind, const Tensor& bias)
    : beta_(kind.product.accumulate ? 1.0F : 0.0F), layouts_(kind) {
  check(cublasLtMatmulDescInit(
            &operation_, kind.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
        "describing a product");
  // The library's first operand is our b.
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSA,
      kind.product.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSB,
      kind.product.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  if (kind.bias) {
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, address(bias));  // for its alignment
  }
  Kind many = kind;
  if (!kind.product.transpose_a) many.product.M = kManyRows;
  algorithm_ = best_for(library, many);
  if (!serves(library, algorithm_)) algorithm_ = best_for(library, kind);
}

cublasLtMatmulAlgo_t Plan::best_for(cublasLtHandle_t library, const Kind& kind) {
  cublasLtMatmulPreferenceOpaque_t preference;
  check(cublasLtMatmulPreferenceInit(&preference), "stating what an algorithm may need");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, kind.b_alignment);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, kind.a_alignment);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, kind.c_alignment);
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, kind.c_alignment);
  // Sums that are split over K are split as M asks for.
  if (!kind.product.transpose_a) {
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        std::uint32_t{CUBLASLT_REDUCTION_SCHEME_NONE});
  }
  Layouts layouts(kind);
  cublasLtMatmulHeuristicResult_t best{};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(library, &operation_, &layouts.b, &layouts.a, &layouts.c,
                                     &layouts.c, &preference, 1, &best, &count);
  const auto& [M, N, K, transpose_a, transpose_b, accumulate] = kind.product;
  require(status == CUBLAS_STATUS_SUCCESS && count > 0 && best.state == CUBLAS_STATUS_SUCCESS,
          "cuBLASLt has no algorithm for the product of [", M, ", ", K, "] and [", K, ", ", N,
          "]: ", cublasLtGetStatusString(count > 0 ? best.state : status));
  return best.algo;
}

// Whether an algorithm that was chosen for another number of rows does this product.
bool Plan::serves(cublasLtHandle_t library, const cublasLtMatmulAlgo_t& algorithm) {
  cublasLtMatmulHeuristicResult_t found{};
  return cublasLtMatmulAlgoCheck(library, &operation_, &layouts_.b, &layouts_.a, &layouts_.c,
                                 &layouts_.c, &algorithm, &found) == CUBLAS_STATUS_SUCCESS &&
         found.state == CUBLAS_STATUS_SUCCESS && found.workspaceSize <= kWorkspaceBytes;
}

void Plan::run(cublasLtHandle_t library, void* workspace, const Tensor& a, const Tensor& b,
               const Tensor& bias, Tensor& c) {
  if (bias.defined()) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, address(bias));
  const float one = 1;
  float* to = c.device_data<float>();
  check(cublasLtMatmul(library, &operation_, &one, address(b), &layouts_.b, address(a), &layouts_.a,
                       &beta_, to, &layouts_.c, to, &layouts_.c, &algorithm_, workspace,
                       kWorkspaceBytes, stream()),
        "a matrix product");
}

class Library {
 public:
  Library() {
    stream();  // says so if there is no device
    check(cublasLtCreate(&handle_), "starting");
    cuda::check(cudaMalloc(&workspace_, kWorkspaceBytes), "memory for matrix products");
  }

  void run(const Kind& kind, const Tensor& a, const Tensor& b, const Tensor& bias, Tensor& c) {
    const std::lock_guard lock(mutex_);
    plans_.try_emplace(kind, handle_, kind, bias)
        .first->second.run(handle_, workspace_, a, b, bias, c);
  }

 private:
  std::mutex mutex_;
  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::map<Kind, Plan> plans_;
};

Library& library() {
  static Library* const the_only = new Library;  // outlives every tensor
  return *the_only;
}

}  // namespace

void gemm(const Product& product, bool tf32, const Tensor& a, const Tensor& b, const Tensor& bias,
          Tensor& c) {
  const bool bf16 = a.dtype() == DType::bf16;
  const auto& [M, N, K, transpose_a, transpose_b, accumulate] = product;
  const Kind kind{product,
                  bf16,
                  tf32 && !bf16,
                  bias.defined(),
                  alignment(a, transpose_a ? M : K),
                  alignment(b, transpose_b ? K : N),
                  alignment(c, N),
                  alignment(bias, N)};
  library().run(kind, a, b, bias, c);
}

}  // namespace arbg::tensor::cuda
