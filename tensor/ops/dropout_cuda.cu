// One thread a block of four random words: at most four numbers of one row. 8 bytes and a quarter
// of Philox's ten rounds an element; bound by memory.
#include "tensor/base/philox.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

constexpr std::int64_t kWords = 4;  // of a block

struct Rule {
  std::uint64_t seed, purpose;
  std::uint32_t dropped;  // words below are dropped
  float scale;
};

__global__ void drop(Span<float> y, Span<const float> x, std::int64_t width,
                     std::int64_t row_blocks, std::int64_t first_row, std::int64_t words_a_row,
                     Span<const std::int32_t> place, Rule rule) {
  const std::int64_t m = thread_number() / row_blocks;
  if (m * width >= x.size()) return;
  const std::int64_t first_word = (first_row + m) * words_a_row;
  const std::int64_t block = first_word / kWords + thread_number() % row_blocks;
  const std::int32_t step = place[0];
  const std::uint64_t stream = philox::stream_of(rule.purpose, static_cast<std::uint64_t>(step));
  const philox::Block words = philox::block(rule.seed, stream, static_cast<std::uint64_t>(block));
  for (int word = 0; word < kWords; ++word) {
    const std::int64_t i = block * kWords + word - first_word;
    if (i < 0 || i >= width) continue;
    const float kept = x[m * width + i] * rule.scale;
    y[m * width + i] = words[static_cast<std::size_t>(word)] < rule.dropped ? 0.0F : kept;
  }
}

}  // namespace

Tensor dropout(const Tensor& x, double rate, const PlacedRandom& random, std::int64_t first_row,
               std::int64_t words_a_row) {
  Tensor y = empty_like(x, x.shape());
  if (x.elements() == 0) return y;
  const std::int64_t M = x.extent(0), width = x.elements() / M;
  const std::int64_t row_blocks = divided_up(width + kWords - 1, kWords);  // wherever a row begins
  const Rule rule{random.seed, random.purpose, static_cast<std::uint32_t>(rate * 4294967296.0),
                  static_cast<float>(1 / (1 - rate))};
  launch(drop, one_thread_each(M * row_blocks), numbers<float>(y), numbers<float>(x), width,
         row_blocks, first_row, words_a_row, numbers<std::int32_t>(random.place), rule);
  return y;
}

}  // namespace arbg::tensor::cuda
