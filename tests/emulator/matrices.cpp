#include "matrices.h"

#include <bit>

namespace arbg::emulator {
namespace {

std::uint32_t upper_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (std::isnan(x)) return bits >> 16U | 0x40U;
  return (bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U;
}

// The number in the lower half of a pair, or in the upper one.
std::uint32_t half_of(std::uint32_t pair, unsigned half) { return pair >> 16U * half & 0xFFFFU; }
float number_of(std::uint32_t pair, unsigned half) {
  return std::bit_cast<float>(half_of(pair, half) << 16U);
}

// Which lane holds row and column of a matrix whose rows are shared by four lanes each.
unsigned holder(unsigned row, unsigned column) { return row % 8 * 4 + column % 8 / 2; }

// Words of a lane: a first, then b.
float a_at(const WordsOfWarp& all, unsigned row, unsigned k) {
  return number_of(all[holder(row, k)][row / 8 + k / 8 * 2], k % 2);
}
float b_at(const WordsOfWarp& all, unsigned k, unsigned column) {
  return number_of(all[holder(column, k)][4 + k / 8], k % 2);
}

}  // namespace

std::uint32_t pair_of(float first, float second) {
  return upper_half(first) | upper_half(second) << 16U;
}

void multiply_add(float (&sums)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                  const Where& where) {
  const WordsOfWarp all = gather("mma", {a[0], a[1], a[2], a[3], b[0], b[1]}, where);
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = lane() / 4 + i / 2 * 8, column = lane() % 4 * 2 + i % 2;
    for (unsigned k = 0; k < 16; ++k) sums[i] += a_at(all, row, k) * b_at(all, k, column);
  }
}

void load_matrices(std::uint32_t (&to)[4], const Span<std::uint32_t>& from, const Index& at,
                   bool transposed) {
  from.require_aligned(at, 16);
  const WordsOfWarp all = gather("ldmatrix", {static_cast<std::uint32_t>(at.value)}, at.where);
  const auto pair = [&](unsigned matrix, unsigned row, unsigned column) -> std::uint32_t {
    return from[{std::int64_t{all[matrix * 8 + row][0]} + column / 2, at.where.file,
                 at.where.line}];
  };
  const unsigned r = lane() / 4, c = lane() % 4 * 2;
  for (unsigned m = 0; m < 4; ++m) {
    to[m] = transposed ? half_of(pair(m, c, r), r % 2) | half_of(pair(m, c + 1, r), r % 2) << 16U
                       : pair(m, r, c);
  }
}

}  // namespace arbg::emulator
