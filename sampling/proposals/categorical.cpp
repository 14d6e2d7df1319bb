#include "sampling/proposals/categorical.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"

namespace arbg::sampling {

std::vector<double> checked_log_p(const nn::Tensor& log_p) {
  auto values = log_p.values();
  require(std::ranges::none_of(values, [](double value) { return std::isnan(value); }),
          "the network's logits are not finite: the checkpoint is damaged or training diverged");
  return values;
}

}  // namespace arbg::sampling
