// What the emulated device says of wrong matrix products, and that a recorded one reads its
// operands anew. Their numbers: tests/tensor/product_precision_test.cpp.
#include <doctest/doctest.h>

#include <string>

#include "memory.h"
#include "tensor/device/repeated.h"
#include "tensor/gemm/gemm_cuda.h"
#include "tensor/gemm/precision.h"
#include "tensor/ops/matmul.h"

namespace arbg::tensor::cuda {
namespace {

Tensor full(const Shape& shape, double value) {
  Tensor x = Tensor::empty(shape, DType::f32, Backend::cuda);
  x.fill(value);
  return x;
}
Tensor unwritten(const Shape& shape) { return Tensor::empty(shape, DType::f32, Backend::cuda); }

// c [3, 2] = a [3, 4] b [4, 2] + bias, and what is wrong with that, "" if nothing.
std::string fault_of(const Tensor& a, const Tensor& b, const Tensor& bias, Tensor c,
                     Product product = {3, 2, 4}) {
  try {
    gemm(product, false, a, b, bias, c);
  } catch (const emulator::Fault& fault) {
    return fault.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  CAPTURE(text);
  const bool found = text.find(part) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a matrix product that reads what nobody has written is named") {
    const Tensor a = full({3, 4}, 1), b = full({4, 2}, 1), bias = full({2}, 1);
    const Product onto{.M = 3, .N = 2, .K = 4, .accumulate = true};
    CHECK(fault_of(a, b, bias, unwritten({3, 2})) == "");
    CHECK(fault_of(a, b, bias, full({3, 2}, 1), onto) == "");
    contains(fault_of(unwritten({3, 4}), b, bias, unwritten({3, 2})), "reads numbers of a that");
    contains(fault_of(a, unwritten({4, 2}), bias, unwritten({3, 2})), "reads numbers of b that");
    contains(fault_of(a, b, unwritten({2}), unwritten({3, 2})), "reads numbers of bias that");
    contains(fault_of(a, b, bias, unwritten({3, 2}), onto), "reads numbers of c that");
    const WithPrecision with(ProductPrecision::bf16);
    CHECK_THROWS_WITH_AS(tensor::matmul(unwritten({3, 4}), b),
                         doctest::Contains("reads numbers of a that"), emulator::Fault);
  }

  TEST_CASE("a matrix product outside of its matrices, over them or of none is named") {
    const Tensor a = full({3, 4}, 1), b = full({4, 2}, 1), both = full({5, 4}, 1);
    const Tensor c = unwritten({3, 2});
    CHECK(fault_of(both.rows(0, 3), b, {}, both.rows(3, 2)) == "");
    contains(fault_of(both.rows(0, 3), b, {}, both.rows(2, 2)), "writes over its operand a");
    contains(fault_of(a, both.rows(2, 2), {}, both.rows(1, 2)), "writes over its operand b");
    contains(fault_of(a, b, {}, c, {3, 2, 5}), "behind the end of a block");
    contains(fault_of(a, b, {}, c, {3, 3, 2}), "behind the end of a block");
    contains(fault_of(a, b, full({1}, 1), c), "behind the end of a block");
    contains(fault_of(a, b, {}, c, {3, 2, 0}), "refuses");
  }

  TEST_CASE("a recorded matrix product reads its operands anew, rounded ones too") {
    for (const auto precision : {ProductPrecision::float32, ProductPrecision::bf16}) {
      const WithPrecision with(precision);
      Tensor a = full({3, 4}, 1), y = full({3, 2}, 0);
      const Tensor b = full({4, 2}, 1);
      Repeated work({Backend::cuda}, [&] { y.copy_from(tensor::matmul(a, b)); });
      for (const double value : {1.0, 2.0, 3.0, 4.0}) {
        a.fill(value);
        work.run();
        for (const double found : y.values()) CHECK(found == 4 * value);
      }
    }
  }
}

}  // namespace arbg::tensor::cuda
