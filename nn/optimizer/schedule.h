// Learning rates step by step: one-cycle, or constant after the same warm-up.
//
// Step k of n, k = 0 ... n-1, with r = largest / divisor. one_cycle: from r at k = 0 to the largest
// at k = warm_up n - 1, then to r at k = n - 1, both along (1 + cos)/2, as
// torch.optim.lr_scheduler.OneCycleLR. constant_rate: the same rise, then the largest to the end.
// Source: Smith and Topin, "Super-convergence", 2019, with PyTorch's cosine form.
#pragma once

#include <cstdint>

namespace arbg::nn {

double one_cycle(std::int64_t k, std::int64_t n, double largest, double warm_up, double divisor);
double constant_rate(std::int64_t k, std::int64_t n, double largest, double warm_up,
                     double divisor);

}  // namespace arbg::nn
