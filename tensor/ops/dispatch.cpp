#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

void require_inside(const Tensor& index, std::int64_t first, std::int64_t last,
                    const char* operation, const char* what) {
  if (index.index_bounds().inside(first, last)) return;
  const auto values = index.indices();
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(values[i] >= first && values[i] <= last, operation, ": ", what, " ", values[i],
            " at place ", i, " is outside ", first, " ... ", last);
  }
  fail(operation, ": each ", what, " must lie in ", first, " ... ", last,
       ", which is not known of these, a part of others or written through host_data(); make them "
       "with "
       "from_indices()");
}

}  // namespace arbg::tensor
