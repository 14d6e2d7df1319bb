// norm = sqrt(squares[0]); scale[0] = min(1, largest / (norm + 1e-6)), NaN if norm is not finite.
#include <algorithm>
#include <cmath>

#include "tensor/ops/clip_scale.h"

namespace arbg::tensor::reference {

void clip_scale(const Tensor& squares, double largest, Tensor& scale) {
  const double norm = std::sqrt(squares.host_data<double>()[0]);
  scale.host_data<double>()[0] =
      std::isfinite(norm) ? std::min(1.0, largest / (norm + kClipEpsilon)) : NAN;
}

}  // namespace arbg::tensor::reference
