// A network as an ordered list of named parameters, so that a checkpoint is a list of (name,
// tensor).
//
// Names are those of PyTorch state dictionaries. A replica (Transformer::replica) shares the values
// of the master's parameters and has gradients of its own: one thread, one replica. On a device
// many parameters lie in one storage, so that an optimiser asks for all of them at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/variable.h"

namespace arbg::nn {

using autograd::Variable;
using tensor::Backend;
using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

struct Parameter {
  std::string name;
  Variable variable;
  bool decays;  // whether weight decay applies
};

class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::int64_t parameter_count() const;  // numbers, not tensors

  // The values, sharing storage. load() copies numbers into the existing storage; it throws Error
  // naming a parameter that is missing or has another shape, and a tensor that belongs to no
  // parameter.
  NamedTensors values() const;
  void load(const NamedTensors& values);

  void clear_gradients() const;
  // On a device, gives the gradients memory that lies as the values' does, in which they stay: a
  // few tensors, each of which holds many gradients side by side. On the host it does nothing, and
  // there are none of these.
  void keep_gradients();
  const std::vector<Tensor>& kept_gradients() const { return kept_gradients_; }

 protected:
  ~Module() = default;
  Variable add_parameter(std::string name, Tensor value, bool decays = true);
  // Throws Error for a tensor that belongs to no parameter.
  void require_known(const NamedTensors& values) const;
  // On a device, moves the values of all parameters of one kind side by side
  // (tensor/side_by_side.h): matrices and vectors, those that decay and those that do not.
  void lay_out_values();

 private:
  std::vector<Parameter> parameters_;
  std::vector<Tensor> kept_gradients_;
};

// Of the parameters, in their order; they share storage.
std::vector<Tensor> values_of(const std::vector<Parameter>& parameters);
std::vector<Tensor> gradients_of(const std::vector<Parameter>& parameters);

// The tensor of that name; throws Error if there is none.
Tensor find_tensor(const NamedTensors& tensors, std::string_view name);

// Throws Error if the weight of that name has another shape than the config asks for.
void require_weight_shape(const std::string& name, const Shape& found, const Shape& expected);

}  // namespace arbg::nn
