// Reverse-mode differentiation: a Variable is a tensor, its gradient, and the function that made
// it.
//
// Functions of Variables (functions.h) record a graph, one a thread; backward() walks it once, from
// the last function to the first (the order in which they ran, reversed), and releases it on the
// way. The first contribution to a gradient is stored, later ones are added, always in that order:
// gradients are the same bits on every run. Copies of a Variable are handles to one and the same
// node.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "tensor/tensor.h"

namespace arbg::autograd {

using tensor::Tensor;

struct Node;  // variable.cpp

class Variable {
 public:
  Variable() = default;             // undefined: no value, wants no gradient (an absent bias)
  explicit Variable(Tensor value);  // a constant
  static Variable parameter(Tensor value);  // a leaf whose gradient is kept until clear_grad()

  bool defined() const { return node_ != nullptr; }
  const Tensor& value() const;  // an undefined tensor if the Variable is undefined
  const Tensor& grad()
      const;  // undefined before the first contribution; of leaves only, after backward()
  bool wants_grad() const;
  void clear_grad() const;

  // Where the numbers of a leaf lie from here on, in tensors of its shape: its value, which has
  // been copied there; its gradient, zeros, to which contributions are added in place, and which
  // clear_grad() makes zeros again.
  void keep_value_in(Tensor place) const;
  void keep_grad_in(Tensor place) const;

  // For the backward of functions. accumulate() does nothing if no gradient is wanted;
  // grad_to_add_into() is null then, and else a gradient of the value's shape, zeros at first, for
  // operations that add in place.
  void accumulate(const Tensor& contribution) const;
  Tensor* grad_to_add_into() const;

 private:
  friend Variable made_by(Tensor, std::initializer_list<Variable>,
                          std::function<void(const Tensor&)>);
  friend void backward(const Variable&, const Tensor&);
  std::shared_ptr<Node> node_;
};

// The result of a function: `value`, computed from `inputs`. `pull_back` receives the gradient of
// the result and passes on those of the inputs. A constant if no input wants a gradient or
// NoGradient is in force.
Variable made_by(Tensor value, std::initializer_list<Variable> inputs,
                 std::function<void(const Tensor& dy)> pull_back);

// Adds d(sum of dy * y)/d(leaf) to the gradient of every leaf that y depends on. Without dy, y must
// have one element and dy is 1. Throws Error if y depends on no parameter or dy has another shape
// than y.
void backward(const Variable& y, const Tensor& dy);
void backward(const Variable& y);

// Whether functions record what their backward needs: not while a NoGradient lives.
bool is_recording();

// While one of these lives, this thread records no graph.
class NoGradient {
 public:
  NoGradient();
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;

 private:
  bool before_;
};

}  // namespace arbg::autograd
