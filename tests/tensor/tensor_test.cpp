#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "tensor/base/error.h"
#include "tests/backends.h"

namespace arbg::tensor {
namespace {

const std::vector<double> kSix = {1, 2, 3, 4, 5, 6};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("shapes count their elements, print, and index from the end") {
    const Shape shape{3, 15, 64};
    CHECK(shape.rank() == 3);
    CHECK(shape.elements() == 3 * 15 * 64);
    CHECK(shape[-1] == 64);
    CHECK(shape.text() == "[3, 15, 64]");
    CHECK(Shape().elements() == 1);
    CHECK(Shape{0, 7}.elements() == 0);
    CHECK(Shape{2, 3} != Shape{2, 3, 1});
  }

  TEST_CASE("impossible shapes are refused") {
    CHECK_THROWS_AS(Shape({2, -1}), Error);
    CHECK_THROWS_AS(Shape({1, 1, 1, 1, 1}), Error);
    CHECK_THROWS_AS(Shape({std::numeric_limits<std::int64_t>::max(), 3}), Error);
  }

  TEST_CASE("real numbers are double on the reference backend and float32 on cpu") {
    for (const Backend backend : backends_here()) {
      const Tensor x = Tensor::from_values(kSix, {2, 3}, backend);
      CHECK(x.dtype() == (backend == Backend::reference ? DType::f64 : DType::f32));
      CHECK(x.values() == kSix);
      CHECK(backend_named(name_of(backend)) == backend);
    }
    CHECK(Tensor::from_values(std::vector{0.1}, {1}, Backend::reference).item() == 0.1);
    CHECK(Tensor::from_values(std::vector{0.1}, {1}, Backend::cpu).item() ==
          static_cast<double>(0.1f));
  }

  TEST_CASE("asking for cuda or an unknown backend says what this build has") {
    const std::string choices =
        is_built(Backend::cuda) ? "reference or cpu or cuda" : "reference or cpu";
    CHECK_THROWS_WITH_AS(
        backend_named("gpu"),
        doctest::String(("there is no backend named \"gpu\"; choose " + choices).c_str()), Error);
    if (is_built(Backend::cuda)) return;
    CHECK_THROWS_WITH_AS(Tensor::zeros({1}, DType::f32, Backend::cuda),
                         "this build has no cuda backend", Error);
    CHECK_THROWS_WITH_AS(backend_named("cuda"),
                         "this build has no cuda backend, which it gets where the CUDA Toolkit is "
                         "found; choose reference or cpu",
                         Error);
  }

  TEST_CASE("the backends built can be named and hold numbers, the reference first") {
    REQUIRE(backends_built()[0] == Backend::reference);
    for (const Backend backend : backends_here()) {
      CHECK(backend_named(name_of(backend)) == backend);
      const Tensor x = Tensor::from_values(kSix, {2, 3}, backend);
      CHECK(x.device() == Device{backend});
      CHECK(x.values() == kSix);
      CHECK(x.rows(1, 1).values() == std::vector<double>{4, 5, 6});
    }
  }

  TEST_CASE("numbers on the host are no business of a device's code") {
    Tensor x = Tensor::from_values(kSix, {2, 3}, Backend::cpu);
    CHECK(x.host_data<float>() == x.host_data<float>());
    CHECK(x.rows(1, 1).host_data<float>() == x.host_data<float>() + 3);
    CHECK_THROWS_WITH_AS(x.device_data<float>(),
                         "the numbers of the tensor of shape [2, 3] are on the host, of the "
                         "backend cpu; a device cannot work on them",
                         Error);
  }

  TEST_CASE("a view is copied onto itself and between number types, part by part") {
    for (const Backend backend : backends_here()) {
      Tensor x = Tensor::from_values(kSix, {3, 2}, backend);
      x.rows(0, 2).copy_from(x.rows(1, 2));  // overlapping
      CHECK(x.values() == std::vector<double>{3, 4, 5, 6, 5, 6});
      Tensor whole = Tensor::zeros({4}, DType::i32, backend);
      whole.rows(1, 2).copy_from(x.reshape({6}).rows(3, 2));
      CHECK(whole.indices() == std::vector<std::int32_t>{0, 6, 5, 0});
      CHECK(whole.index_bounds() == IndexBounds::unknown());
    }
  }

  TEST_CASE("copies share storage, clones do not") {
    for (const Backend backend : backends_here()) {
      Tensor x = Tensor::from_values(kSix, {6}, backend);
      const Tensor same = x, own = x.clone();
      x.fill(0);
      CHECK(same.values() == std::vector<double>(6, 0.0));
      CHECK(own.values() == kSix);
    }
  }

  TEST_CASE("reshape and rows are views") {
    for (const Backend backend : backends_here()) {
      Tensor x = Tensor::from_values(kSix, {3, 2}, backend);
      Tensor last = x.rows(1, 2);
      CHECK(last.shape() == Shape{2, 2});
      CHECK(last.values() == std::vector<double>{3, 4, 5, 6});
      last.rows(1, 1).fill(9);
      CHECK(x.values() == std::vector<double>{1, 2, 3, 4, 9, 9});
      CHECK(x.reshape({2, 3}).values() == x.values());
      CHECK(x.rows(3, 0).elements() == 0);
      CHECK_THROWS_AS(x.rows(2, 2), Error);
      CHECK_THROWS_AS(x.rows(-1, 1), Error);
      CHECK_THROWS_AS(x.reshape({4, 2}), Error);
    }
  }

  TEST_CASE("moving to another backend converts real numbers and keeps indices") {
    const Tensor x = Tensor::from_values(kSix, {6}, Backend::reference);
    const Tensor moved = x.to(Backend::cpu);
    CHECK(moved.dtype() == DType::f32);
    CHECK(moved.values() == kSix);
    const Tensor index =
        Tensor::from_indices(std::vector<std::int32_t>{3, -1}, {2}, Backend::reference);
    CHECK(index.to(Backend::cpu).dtype() == DType::i32);
    CHECK(index.to(Backend::cpu).indices() == std::vector<std::int32_t>{3, -1});
    Tensor target = Tensor::zeros({6}, DType::f64, Backend::reference);
    target.copy_from(moved);
    CHECK(target.values() == kSix);
    Tensor wrong = Tensor::zeros({5}, DType::f64, Backend::reference);
    CHECK_THROWS_AS(wrong.copy_from(moved), Error);
  }

  TEST_CASE("a tensor, or a part of one, is filled with one number of its type") {
    for (const Backend backend : backends_here()) {
      for (const DType dtype : {DType::f64, DType::f32, DType::i32}) {
        Tensor x = Tensor::zeros({7}, dtype, backend);
        x.rows(1, 5).fill(-3.25);
        const double filled = dtype == DType::i32 ? -3 : -3.25;
        CHECK(x.values() == std::vector<double>{0, filled, filled, filled, filled, filled, 0});
        x.rows(3, 0).fill(5);
        CHECK(x.values()[3] == filled);
      }
    }
    CHECK_THROWS_WITH_AS(Tensor().fill(1), "a tensor was filled that holds nothing", Error);
  }

  TEST_CASE("an index tensor knows its least and largest number without reading them") {
    for (const Backend backend : backends_here()) {
      const IndexBounds nothing, unknown = IndexBounds::unknown();
      const auto make = [&](std::vector<std::int32_t> values) {
        return Tensor::from_indices(values, {std::ssize(values)}, backend);
      };
      Tensor x = make({3, -1, 7});
      CHECK(x.index_bounds() == IndexBounds{-1, 7});
      CHECK(x.rows(0, 1).index_bounds() == IndexBounds{-1, 7});  // of the whole
      CHECK(x.reshape({3, 1}).index_bounds() == IndexBounds{-1, 7});
      CHECK(x.clone().index_bounds() == IndexBounds{-1, 7});
      CHECK(x.to(Backend::cpu).index_bounds() == IndexBounds{-1, 7});
      CHECK(x.to(Backend::reference).index_bounds() == IndexBounds{-1, 7});
      CHECK(make({}).index_bounds() == nothing);
      CHECK(nothing.inside(0, -1));

      x.rows(1, 1).fill(9);  // written through a view
      CHECK(x.index_bounds() == IndexBounds{-1, 9});
      x.rows(0, 1).copy_from(make({-5}));
      CHECK(x.index_bounds() == IndexBounds{-5, 9});
      x.fill(2);
      CHECK(x.index_bounds() == IndexBounds{2, 2});
      CHECK(Tensor::zeros({2}, DType::i32, backend).index_bounds() == IndexBounds{0, 0});
      CHECK(Tensor::zeros({0}, DType::i32, backend).index_bounds() == nothing);

      Tensor raw = Tensor::empty({2}, DType::i32, backend);
      CHECK(raw.index_bounds() == unknown);
      raw.fill(1);
      CHECK(raw.index_bounds() == IndexBounds{1, 1});
      if (backend != Backend::cuda) {  // whose numbers the host cannot write
        raw.host_data<std::int32_t>()[0] = 4;
        CHECK(raw.index_bounds() == unknown);
      }
      raw.set_index_bounds({1, 4});
      CHECK(raw.index_bounds() == IndexBounds{1, 4});
      CHECK_THROWS_AS(Tensor::zeros({2}, real_dtype(backend), backend).index_bounds(), Error);
    }
  }

  TEST_CASE("reading numbers as another type, or from nothing, is refused") {
    const Tensor x = Tensor::zeros({2}, DType::f32, Backend::cpu);
    CHECK_THROWS_AS(x.host_data<double>(), Error);
    CHECK_THROWS_AS(x.indices(), Error);
    CHECK_THROWS_AS(x.item(), Error);
    CHECK_THROWS_AS(Tensor().values(), Error);
    CHECK_THROWS_AS(Tensor().host_data<float>(), Error);
    CHECK_THROWS_AS(Tensor::from_values(kSix, {5}, Backend::cpu), Error);
  }

  TEST_CASE("storage outlives the thread that made it and may be freed on another") {
    for (const Backend backend : backends_here()) {
      Tensor x;
      std::thread([&] { x = Tensor::from_values(kSix, {6}, backend); }).join();
      CHECK(x.values() == kSix);
      std::thread([moved = std::move(x)] { CHECK(moved.values()[5] == 6); }).join();
    }
  }

  TEST_CASE("blocks of every size are aligned and do not overlap") {
    std::vector<Tensor> tensors;
    for (std::int64_t size = 0; size < 2000; size += 37) {
      tensors.push_back(Tensor::empty({size}, DType::f32, Backend::cpu));
      tensors.back().fill(static_cast<double>(size));
      CHECK(reinterpret_cast<std::uintptr_t>(tensors.back().host_data<float>()) % 64 == 0);
    }
    for (const Tensor& tensor : tensors) {
      for (const double value : tensor.values())
        REQUIRE(value == static_cast<double>(tensor.elements()));
    }
  }
}

}  // namespace arbg::tensor
