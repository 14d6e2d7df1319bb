#include "tensor/side_by_side.h"

#include "tensor/base/error.h"

namespace arbg::tensor {
namespace {

// With the zeros behind it.
std::int64_t room(const Tensor& tensor) {
  return (tensor.elements() + kBeginsAtMultipleOf - 1) / kBeginsAtMultipleOf * kBeginsAtMultipleOf;
}

Tensor view_of(const Tensor& whole, std::int64_t first, const Shape& shape) {
  return whole.rows(first, shape.elements()).reshape(shape);
}

}  // namespace

std::vector<Tensor> side_by_side(std::span<const Tensor> tensors) {
  if (tensors.empty()) return {};
  std::int64_t count = 0;
  for (const Tensor& one : tensors) count += room(one);
  const Tensor whole = Tensor::zeros({count}, tensors[0].dtype(), tensors[0].backend());
  std::vector<Tensor> views;
  std::int64_t first = 0;
  for (const Tensor& one : tensors) {
    views.push_back(view_of(whole, first, one.shape()));
    views.back().copy_from(one);
    first += room(one);
  }
  return views;
}

std::vector<Tensor> zeros_laid_out_like(std::span<const Tensor> tensors) {
  std::vector<Tensor> views(tensors.size());
  for (const auto i : one_of_each_storage(tensors)) {
    const Tensor whole =
        Tensor::zeros(tensors[i].whole().shape(), tensors[i].dtype(), tensors[i].backend());
    for (std::size_t j = i; j < tensors.size(); ++j) {
      if (tensors[j].shares_storage_with(tensors[i]))
        views[j] = view_of(whole, tensors[j].first_number(), tensors[j].shape());
    }
  }
  return views;
}

std::vector<std::size_t> one_of_each_storage(std::span<const Tensor> tensors) {
  std::vector<std::size_t> firsts;
  std::vector<bool> seen(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (seen[i]) continue;
    firsts.push_back(i);
    std::int64_t count = 0;
    for (std::size_t j = i; j < tensors.size(); ++j) {
      if (!tensors[j].shares_storage_with(tensors[i])) continue;
      seen[j] = true;
      count += room(tensors[j]);
    }
    const auto all = tensors[i].whole().elements();
    require(all == count || all == tensors[i].elements(), "a storage of ", all,
            " numbers holds more than the tensors that are to be changed with it, the first of ",
            "shape ", tensors[i].shape());
  }
  return firsts;
}

}  // namespace arbg::tensor
