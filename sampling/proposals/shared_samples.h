// Samples that ranks have drawn apart (tensor/base/ranks.h), one behind the other in their order.
#pragma once

#include "sampling/proposals/proposal.h"
#include "tensor/base/ranks.h"

namespace arbg::sampling {

// Together: at every rank, or at the first alone and none at the others.
Samples gather(const Samples& own, const Ranks& ranks);
Samples gather_at_first(const Samples& own, const Ranks& ranks);

}  // namespace arbg::sampling
