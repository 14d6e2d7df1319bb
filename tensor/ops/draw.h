// Draws from categorical distributions given by logits, and log probabilities from the very same
// numbers.
//
//   full:      P_full(v) = exp(logits[v] / tau) / sum over all v
//   truncated: P_kept(v) = P_full(v) / sum over the kept, 0 for the others
//   mixed:     P(v) = (1 - eps) P_kept(v) + eps P_full(v)
//
// Kept are the first in order of falling logits, equal ones in order of their index: no more than
// top_k, and no more than it takes for P_full to add up to top_p. Everything in double on every
// backend, from the logits as they are.
//
// draw_categorical: row m of logits [M, V] gets the index at which the cumulative distribution
// reaches random.uniform(first + t step + m stride), t the one number of place (int32 [1],
// place.h), never one of probability 0; so a row's draw is the same alone, in a batch and on any
// number of threads. log_categorical: log P of index [...] for logits
// [..., V], -infinity where nothing is left; log_categorical_all: of every v. Log probabilities are
// float64. A row whose logits have no distribution (NaN, +infinity, all -infinity) gives NaN, and
// index 0. Throws Error if the decoding is out of its range, V is 0, an index is outside 0 ... V-1,
// or shapes, number types or backends do not fit together.
#pragma once

#include <cstdint>
#include <string>

#include "tensor/base/random.h"
#include "tensor/tensor.h"

namespace arbg::tensor {

struct Decoding {
  double temperature = 1;   // tau > 0
  std::int64_t top_k = 0;   // 0: all
  double top_p = 1;         // in (0, 1]; 1: all
  double full_support = 0;  // eps in [0, 1], in every conditional; 0: truncation alone

  bool truncates() const { return (top_k > 0 || top_p < 1) && full_support < 1; }
  // Truncation alone takes support away: then E_q[w] is Z of what is left of it.
  bool biased() const { return truncates() && full_support == 0; }

  void check() const;        // throws Error, naming what is out of its range
  std::string text() const;  // "temperature 1.03, top-p 0.95 + 1 % full support"
  bool operator==(const Decoding&) const = default;
};

// Which random numbers: row m of place t has the word first + t step + m stride.
struct DrawWords {
  std::uint64_t first = 0, step = 0, stride = 1;
};

struct Drawn {
  Tensor index;  // int32 [M]
  Tensor log_p;  // float64 [M]
};

Drawn draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                       const DrawWords& words, const Tensor& place);
Tensor log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding);
Tensor log_categorical_all(const Tensor& logits, const Decoding& decoding);

// The implementations, one a backend; their inputs have been checked.
namespace reference {
void draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                      const DrawWords& words, const Tensor& place, Drawn& drawn);
void log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding,
                     Tensor& log_p);
void log_categorical_all(const Tensor& logits, const Decoding& decoding, Tensor& log_p);
}  // namespace reference
namespace cpu {
void draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                      const DrawWords& words, const Tensor& place, Drawn& drawn);
void log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding,
                     Tensor& log_p);
void log_categorical_all(const Tensor& logits, const Decoding& decoding, Tensor& log_p);
}  // namespace cpu
namespace cuda {
void draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                      const DrawWords& words, const Tensor& place, Drawn& drawn);
void log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding,
                     Tensor& log_p);
void log_categorical_all(const Tensor& logits, const Decoding& decoding, Tensor& log_p);
}  // namespace cuda

}  // namespace arbg::tensor
