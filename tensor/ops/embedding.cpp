#include "tensor/ops/embedding.h"

#include "tensor/ops/dispatch.h"

namespace arbg::tensor {

Tensor embedding(const Tensor& table, const Tensor& index) {
  require_real(table, "embedding", "table");
  require(table.shape().rank() == 2, "embedding: expected table [V, C], found ", table.shape());
  require_index(index, table, "embedding");
  require_inside(index, 0, table.extent(0) - 1, "embedding");
  return on_backend(table, ARBG_BACKENDS(embedding))(table, index);
}

void embedding_backward(const Tensor& dy, const Tensor& index, Tensor* dtable) {
  if (!dtable) return;
  require_real(*dtable, "embedding_backward", "dtable");
  require(dtable->shape().rank() == 2, "embedding_backward: expected dtable [V, C], found ",
          dtable->shape());
  require_index(index, *dtable, "embedding_backward");
  require_inside(index, 0, dtable->extent(0) - 1, "embedding_backward");
  require_fits(dy, with_extra_axis(index.shape(), dtable->extent(1)), *dtable, "embedding_backward",
               "dy", "[..., C]");
  on_backend(dy, ARBG_BACKENDS(embedding_backward))(dy, index, dtable);
}

}  // namespace arbg::tensor
