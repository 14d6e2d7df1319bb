#include "tensor/ops/draw.h"

#include <cmath>
#include <sstream>

#include "tensor/ops/dispatch.h"
#include "tensor/ops/place.h"

namespace arbg::tensor {
namespace {

void check_inputs(const Tensor& logits, const Decoding& decoding, const char* operation) {
  require_real(logits, operation, "logits");
  require(logits.shape().rank() >= 1 && logits.extent(-1) > 0, operation,
          ": expected logits [..., V] of at least one index, found ", logits.shape());
  decoding.check();
}

}  // namespace

void Decoding::check() const {
  require(temperature > 0 && std::isfinite(temperature) && std::isfinite(1 / temperature),
          "the sampling temperature must be positive and finite, got ", temperature);
  require(top_k >= 0, "top-k expects a number of tokens to keep, 0 for all, got ", top_k);
  require(top_p > 0 && top_p <= 1,
          "top-p expects a probability to keep, above 0 and at most 1, got ", top_p);
  require(full_support >= 0 && full_support <= 1,
          "full-support expects a share of the untruncated distribution from 0 to 1, got ",
          full_support);
}

std::string Decoding::text() const {
  std::ostringstream out;
  out << "temperature " << temperature;
  if (top_k > 0) out << ", top-k " << top_k;
  if (top_p < 1) out << ", top-p " << top_p;
  if (full_support > 0) out << " + " << 100 * full_support << " % full support";
  return out.str();
}

Drawn draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                       const DrawWords& words, const Tensor& place) {
  check_inputs(logits, decoding, "draw_categorical");
  require(logits.shape().rank() == 2, "draw_categorical: expected logits [M, V], found ",
          logits.shape());
  require_place(place, kAnyPlace, logits, "draw_categorical");
  const std::int64_t M = logits.extent(0), V = logits.extent(1);
  Drawn drawn{Tensor::empty({M}, DType::i32, logits.backend()),
              Tensor::empty({M}, DType::f64, logits.backend())};
  on_backend(logits, ARBG_BACKENDS(draw_categorical))(logits, decoding, random, words, place,
                                                      drawn);
  drawn.index.set_index_bounds({0, static_cast<std::int32_t>(V - 1)});
  return drawn;
}

Tensor log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding) {
  check_inputs(logits, decoding, "log_categorical");
  require_index(index, logits, "log_categorical");
  require(index.shape() == without_last(logits.shape()),
          "log_categorical: expected one index for each row of logits ", logits.shape(), ", found ",
          index.shape());
  require_inside(index, 0, logits.extent(-1) - 1, "log_categorical");
  Tensor log_p = Tensor::empty(index.shape(), DType::f64, logits.backend());
  on_backend(logits, ARBG_BACKENDS(log_categorical))(logits, index, decoding, log_p);
  return log_p;
}

Tensor log_categorical_all(const Tensor& logits, const Decoding& decoding) {
  check_inputs(logits, decoding, "log_categorical_all");
  Tensor log_p = Tensor::empty(logits.shape(), DType::f64, logits.backend());
  on_backend(logits, ARBG_BACKENDS(log_categorical_all))(logits, decoding, log_p);
  return log_p;
}

}  // namespace arbg::tensor
