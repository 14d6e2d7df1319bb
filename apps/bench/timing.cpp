#include "apps/bench/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tensor/base/random.h"
#include "tensor/device/repeated.h"
#include "tensor/ops/linear.h"

namespace arbg::bench {
namespace {

using tensor::Tensor;
using Clock = std::chrono::steady_clock;

constexpr double kGraph_s = 2e-3;  // of work in one graph, so that its launch costs little

// Of `work`, and until the device has done it.
double seconds_until_done(const std::function<void()>& work, const Tensor& number) {
  const auto start = Clock::now();
  work();
  number.item();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// So many calls take about that long.
int calls_in(double seconds, double one_call, double most) {
  return static_cast<int>(std::clamp(std::ceil(seconds / std::max(one_call, 1e-9)), 1.0, most));
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

Tensor random_tensor(const tensor::Shape& shape, Backend backend) {
  static std::uint64_t stream = 0;
  const Random random(11, ++stream);
  const std::int64_t all = shape.elements(), block = std::min(all, std::int64_t{1} << 20);
  std::vector<double> values(static_cast<std::size_t>(block));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1 * random.normal_pair(i)[0];
  const Tensor numbers = Tensor::from_values(values, {block}, backend);
  if (block == all) return numbers.reshape(shape);
  const Tensor out = Tensor::empty({all}, numbers.dtype(), backend);
  for (std::int64_t at = 0; at < all; at += block) {
    const auto count = std::min(block, all - at);
    Tensor part = out.rows(at, count);
    part.copy_from(numbers.rows(0, count));
  }
  return out.reshape(shape);
}

double seconds_of(const std::function<void()>& body, Backend backend, const Patience& patience) {
  const Tensor number = Tensor::zeros({1}, tensor::real_dtype(backend), backend);
  if (patience.seconds == 0) return seconds_until_done(body, number);
  const bool on_device = !tensor::Device{backend}.is_host();
  seconds_until_done(body, number);  // the first looks for algorithms, and takes memory
  const double alone = seconds_until_done(body, number);
  const int calls = on_device ? calls_in(kGraph_s, alone, 100) : 1;
  tensor::Repeated graph({backend}, [&] {
    for (int i = 0; i < calls; ++i) body();
  });
  const auto launched = [&](int times) {
    return seconds_until_done(
        [&] {
          while (times-- > 0) graph.run();
        },
        number);
  };
  launched(2);  // the second of them records
  const int times = calls_in(patience.seconds / patience.turns, launched(1), 1e6);
  std::vector<double> turns;
  for (int turn = 0; turn < patience.turns; ++turn)
    turns.push_back(launched(times) / (static_cast<double>(times) * calls));
  return median(turns);
}

double product_roof(std::int64_t n, tensor::ProductPrecision precision, Backend backend,
                    const Patience& patience) {
  const auto before = tensor::product_precision();
  tensor::set_product_precision(precision);
  const Tensor x = random_tensor({n, n}, backend);
  const auto weight = tensor::pack_weight(random_tensor({4 * n, n}, backend));
  const double seconds =
      seconds_of([&] { tensor::linear(x, weight, Tensor()); }, backend, patience);
  tensor::set_product_precision(before);
  return 8 * std::pow(static_cast<double>(n), 3) / seconds;
}

double copy_roof(std::int64_t numbers, Backend backend, const Patience& patience) {
  const Tensor from = random_tensor({numbers}, backend);
  Tensor to = Tensor::empty({numbers}, from.dtype(), backend);
  const double seconds = seconds_of([&] { to.copy_from(from); }, backend, patience);
  const auto bytes = numbers * static_cast<std::int64_t>(tensor::byte_size(from.dtype()));
  return 2 * static_cast<double>(bytes) / seconds;
}

}  // namespace arbg::bench
