// Small matrices on tensor cores, as tensor/ops/kernel_matrices.cuh states them: the lanes of a
// warp meet, and each works out its own numbers. Sums in float32, from the first column of a on.
#pragma once

#include "words.h"

namespace arbg::emulator {

// Two numbers in bf16, to nearest, ties to even; NaN stays NaN.
std::uint32_t pair_of(float first, float second);

void multiply_add(float (&sums)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                  const Where& where);

// The lane that gets a number is the one that reads it.
void load_matrices(std::uint32_t (&to)[4], const Span<std::uint32_t>& from, const Index& at,
                   bool transposed);

}  // namespace arbg::emulator
