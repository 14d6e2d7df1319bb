// Tensors that share a storage: where each begins, what lies between, and who may change the whole.
#include "tensor/side_by_side.h"

#include <doctest/doctest.h>

#include "tensor/base/error.h"
#include "tests/backends.h"

namespace arbg::tensor {
namespace {

Tensor filled(const Shape& shape, double value, Backend backend) {
  Tensor tensor = Tensor::empty(shape, real_dtype(backend), backend);
  tensor.fill(value);
  return tensor;
}

TEST_SUITE("fast") {
  TEST_CASE("tensors side by side begin at multiples of 64 numbers, with zeros between") {
    for (const Backend backend : backends_here()) {
      const std::vector<Tensor> apart{filled({3, 21}, 1, backend), filled({0}, 9, backend),
                                      filled({64}, 2, backend), filled({65}, 3, backend),
                                      filled({1, 2}, 4, backend)};
      const auto together = side_by_side(apart);
      const std::vector<std::int64_t> begin{0, 64, 64, 128, 256};
      std::vector<double> expected(320);
      for (std::size_t i = 0; i < apart.size(); ++i) {
        CHECK(together[i].first_number() == begin[i]);
        CHECK(together[i].shape() == apart[i].shape());
        CHECK(together[i].values() == apart[i].values());
        for (std::int64_t k = 0; k < apart[i].elements(); ++k)
          expected[static_cast<std::size_t>(begin[i] + k)] = apart[i].values()[0];
      }
      CHECK(together[3].whole().values() == expected);
      CHECK(one_of_each_storage(together) == std::vector<std::size_t>{0});
      CHECK(side_by_side({}).empty());
    }
  }

  TEST_CASE("zeros laid out like others share as they do, and nothing with them") {
    for (const Backend backend : backends_here()) {
      const auto pair = side_by_side(std::vector{filled({3}, 1, backend), filled({2}, 2, backend)});
      const std::vector<Tensor> list{pair[1], filled({5}, 3, backend), pair[0]};
      auto zeros = zeros_laid_out_like(list);
      CHECK(one_of_each_storage(zeros) == std::vector<std::size_t>{0, 1});
      for (std::size_t i = 0; i < list.size(); ++i) {
        CHECK(zeros[i].shape() == list[i].shape());
        CHECK(zeros[i].first_number() == list[i].first_number());
        CHECK(zeros[i].whole().values() ==
              std::vector(static_cast<std::size_t>(list[i].whole().elements()), 0.0));
      }
      CHECK(zeros[2].shares_storage_with(zeros[0]));
      zeros[0].fill(7);
      CHECK(list[0].values() == std::vector{2.0, 2.0});
      CHECK(zeros[2].values() == std::vector{0.0, 0.0, 0.0});
    }
  }

  TEST_CASE("a storage that holds others as well is not one to change whole") {
    const auto three =
        side_by_side(std::vector{filled({3}, 1, Backend::cpu), filled({2}, 2, Backend::cpu),
                                 filled({1, 4}, 3, Backend::cpu)});
    const std::vector<Tensor> two{three[2], three[0]};
    CHECK_THROWS_WITH_AS(one_of_each_storage(two),
                         "a storage of 192 numbers holds more than the tensors that are to be "
                         "changed with it, the first of shape [1, 4]",
                         Error);
  }
}

}  // namespace
}  // namespace arbg::tensor
