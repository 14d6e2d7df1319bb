#include "autograd/variable.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/ops/add.h"

namespace arbg::autograd {

// A leaf has no pull_back. `number` counts the functions that ran in this thread: inputs come
// before results.
struct Node {
  Tensor value, grad;
  bool wants_grad = false;
  bool owns_grad = false;   // false: the gradient's storage may be that of another gradient as well
  bool keeps_grad = false;  // where keep_grad_in() has said
  std::uint64_t number = 0;
  std::vector<std::shared_ptr<Node>> inputs;
  std::function<void(const Tensor&)> pull_back;
};

namespace {

thread_local bool recording = true;
thread_local std::uint64_t functions_run = 0;

// Everything y depends on through functions, last function first.
std::vector<std::shared_ptr<Node>> functions_behind(const std::shared_ptr<Node>& y) {
  std::vector<std::shared_ptr<Node>> found, open{y};
  std::unordered_set<const Node*> seen{y.get()};
  while (!open.empty()) {
    const auto node = open.back();
    open.pop_back();
    if (!node->pull_back) continue;
    found.push_back(node);
    for (const auto& input : node->inputs) {
      if (seen.insert(input.get()).second) open.push_back(input);
    }
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a->number > b->number; });
  return found;
}

}  // namespace

Variable::Variable(Tensor value) : node_(std::make_shared<Node>()) {
  node_->value = std::move(value);
}

Variable Variable::parameter(Tensor value) {
  Variable leaf(std::move(value));
  leaf.node_->wants_grad = true;
  return leaf;
}

const Tensor& Variable::value() const {
  static const Tensor undefined;
  return node_ ? node_->value : undefined;
}

const Tensor& Variable::grad() const {
  static const Tensor undefined;
  return node_ ? node_->grad : undefined;
}

bool Variable::wants_grad() const { return node_ && node_->wants_grad; }

void Variable::clear_grad() const {
  if (!node_) return;
  if (node_->keeps_grad)
    node_->grad.fill(0.0);
  else
    node_->grad = Tensor();
}

void Variable::keep_value_in(Tensor place) const {
  require(place.shape() == node_->value.shape(), "a value of shape ", node_->value.shape(),
          " cannot be kept in a tensor of shape ", place.shape());
  node_->value = std::move(place);
}

void Variable::keep_grad_in(Tensor place) const {
  require(place.shape() == node_->value.shape(), "a gradient of shape ", node_->value.shape(),
          " cannot be kept in a tensor of shape ", place.shape());
  node_->grad = std::move(place);
  node_->owns_grad = node_->keeps_grad = true;
}

void Variable::accumulate(const Tensor& contribution) const {
  if (!wants_grad()) return;
  require(contribution.shape() == node_->value.shape(), "a gradient has shape ",
          contribution.shape(), ", its variable ", node_->value.shape());
  if (node_->keeps_grad) return tensor::add_into(node_->grad, contribution);
  const bool first = !node_->grad.defined();
  node_->grad = first ? contribution : tensor::add(node_->grad, contribution);
  node_->owns_grad = !first;
}

Tensor* Variable::grad_to_add_into() const {
  if (!wants_grad()) return nullptr;
  if (!node_->grad.defined()) {
    node_->grad = Tensor::zeros(node_->value.shape(), node_->value.dtype(), node_->value.backend());
  } else if (!node_->owns_grad) {
    node_->grad = node_->grad.clone();
  }
  node_->owns_grad = true;
  return &node_->grad;
}

bool is_recording() { return recording; }

Variable made_by(Tensor value, std::initializer_list<Variable> inputs,
                 std::function<void(const Tensor& dy)> pull_back) {
  Variable result(std::move(value));
  Node& node = *result.node_;
  node.wants_grad = recording && std::ranges::any_of(inputs, [](const Variable& input) {
                      return input.wants_grad();
                    });
  if (!node.wants_grad) return result;
  node.number = ++functions_run;
  for (const auto& input : inputs) {
    if (input.wants_grad()) node.inputs.push_back(input.node_);
  }
  node.pull_back = std::move(pull_back);
  return result;
}

void backward(const Variable& y, const Tensor& dy) {
  require(y.wants_grad(),
          "backward from a value that depends on no parameter (or was computed without gradient)");
  y.accumulate(dy);
  for (const auto& node : functions_behind(y.node_)) {
    if (node->grad.defined()) node->pull_back(node->grad);
    node->pull_back = nullptr;
    node->inputs.clear();
    node->grad = Tensor();
  }
}

void backward(const Variable& y) {
  require(y.value().elements() == 1,
          "backward without a given gradient needs one element, found shape ", y.value().shape());
  Tensor one = Tensor::empty(y.value().shape(), y.value().dtype(), y.value().backend());
  one.fill(1.0);
  backward(y, one);
}

NoGradient::NoGradient() : before_(std::exchange(recording, false)) {}
NoGradient::~NoGradient() { recording = before_; }

}  // namespace arbg::autograd
