// The one-cycle schedule: half a cosine up, half a cosine down
// (torch.optim.lr_scheduler.OneCycleLR).
//
// Step k of n, k = 0 ... n-1, with r = largest / divisor: from r at k = 0 to the largest at k =
// warm_up n - 1, then to r at k = n - 1, both along (1 + cos)/2. Source: Smith and Topin,
// "Super-convergence", 2019, with PyTorch's cosine form.
#pragma once

#include <cstdint>

namespace arbg::nn {

double one_cycle(std::int64_t k, std::int64_t n, double largest, double warm_up, double divisor);

}  // namespace arbg::nn
