// How a coordinate is drawn: temperature, truncation, mixtures. The distribution itself:
// tensor/ops/draw.h.
#pragma once

#include "tensor/ops/draw.h"

namespace arbg::sampling {

using tensor::Decoding;

}  // namespace arbg::sampling
