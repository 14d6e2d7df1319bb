// What a trainer asks of an optimiser: updates, and a state that can be saved and loaded.
#pragma once

#include <cstdint>
#include <span>

#include "nn/transformer/module.h"

namespace arbg::nn {

struct Optimizer {
  virtual ~Optimizer() = default;

  // What the updates that follow are made with, written to where the parameters are; `step` counts
  // from 1.
  virtual void set_step(double learning_rate, std::int64_t step) = 0;
  // One update of the parameters' values with gradients[i] * scale, float64 [1]; where scale is NaN
  // (tensor/ops/clip_scale.h) values and state stay as they are. Where values share a storage, so
  // do their gradients, and all are updated at once. The host looks at no number, so that this can
  // be part of repeated work (tensor/device/repeated.h).
  virtual void update(std::span<const Tensor> gradients, const Tensor& scale) = 0;

  // The state, named as the parameters that have it, sharing storage.
  virtual NamedTensors first_moments() const = 0;
  virtual NamedTensors second_moments() const = 0;
  // Copies a saved state in; throws Error naming a tensor that is missing or has another shape.
  virtual void load(const NamedTensors& first, const NamedTensors& second) = 0;
};

// Throws Error if a gradient has another shape than the parameter, or another place in its storage.
void require_fits(const Tensor& gradient, const Parameter& parameter);

// Copies the tensor of that name into `target`, for load().
void load_moment(Tensor& target, const NamedTensors& saved, const std::string& name);

}  // namespace arbg::nn
