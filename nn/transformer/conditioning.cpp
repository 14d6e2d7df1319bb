#include "nn/transformer/conditioning.h"

#include <algorithm>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/ops/gather_rows.h"
#include "tensor/ops/sinusoid.h"

namespace arbg::nn {

namespace ag = autograd;

Molecules Molecules::rows(std::int64_t first, std::int64_t count) const {
  return {atom_type.rows(first, count), residue_type.rows(first, count),
          residue_index.rows(first, count), chain_length.rows(first, count),
          atom_count.rows(first, count)};
}

Molecules Molecules::to(Backend backend) const {
  return {atom_type.to(backend), residue_type.to(backend), residue_index.to(backend),
          chain_length.to(backend), atom_count.to(backend)};
}

Molecules Molecules::trimmed() const {
  const auto count = atom_count.indices();
  const std::int64_t most = std::ranges::max(count), N = most_atoms();
  if (most == N) return *this;
  std::vector<std::int32_t> kept;
  for (std::int64_t b = 0; b < batch(); ++b) {
    for (std::int64_t atom = 0; atom < most; ++atom)
      kept.push_back(static_cast<std::int32_t>(b * N + atom));
  }
  const Tensor place = Tensor::from_indices(kept, {std::ssize(kept)}, atom_count.backend());
  const auto first_columns = [&](const Tensor& tensor) {
    return tensor::gather_rows(tensor.reshape({batch() * N}), place).reshape({batch(), most});
  };
  return {first_columns(atom_type), first_columns(residue_type), first_columns(residue_index),
          chain_length, Tensor::from_indices(count, {batch()}, atom_count.backend())};
}

void Molecules::check() const {
  const auto is_index = [](const Tensor& tensor, int rank) {
    return tensor.defined() && tensor.dtype() == DType::i32 && tensor.shape().rank() == rank;
  };
  require(is_index(atom_type, 2) && is_index(chain_length, 1) && is_index(atom_count, 1),
          "molecules need int32 encodings: atom types [B, N], chain lengths [B], atom counts [B]");
  const Shape atoms = atom_type.shape(), one{atoms[0]};
  for (const auto& [name, tensor, shape] : {std::tuple{"residue types", &residue_type, atoms},
                                            {"residue indices", &residue_index, atoms},
                                            {"chain lengths", &chain_length, one},
                                            {"atom counts", &atom_count, one}}) {
    require(is_index(*tensor, shape.rank()) && tensor->shape() == shape, "the molecules' ", name,
            " do not have the shape ", shape, " that goes with atom types ", atoms);
    if (tensor->index_bounds().inside(0, tensor::IndexBounds::kHighest)) continue;
    for (const auto value : tensor->indices())
      require(value >= 0, "the molecules' ", name, " hold ", value);
  }
  if (atom_count.index_bounds().inside(1, atoms[1])) return;
  for (const auto count : atom_count.indices()) {
    require(count >= 1 && count <= atoms[1], "a molecule of ", count, " atoms, expected 1 to ",
            atoms[1]);
  }
}

Variable condition(const ConditioningWeights& w, const ConditioningConfig& config,
                   const Molecules& molecules) {
  const auto B = molecules.batch(), N = molecules.most_atoms();
  std::vector<std::int32_t> molecule, place;  // of every atom: its row, its place in that
  for (std::int32_t b = 0; b < B; ++b) {
    for (std::int32_t atom = 0; atom < N; ++atom) {
      molecule.push_back(b);
      place.push_back(atom);
    }
  }
  const auto of_atoms = [&](const std::vector<std::int32_t>& integers) {
    return Tensor::from_indices(integers, {B * N}, molecules.atom_count.backend());
  };
  const auto sinusoid = [&](const Tensor& integers) {
    return Variable(tensor::sinusoid(integers, config.hidden).reshape({B, N, config.hidden}));
  };
  Variable parts = ag::concat(ag::embedding(w.atom_types, molecules.atom_type),
                              ag::embedding(w.residue_types, molecules.residue_type));
  parts = ag::concat(parts, sinusoid(molecules.residue_index));
  parts =
      ag::concat(parts, sinusoid(tensor::gather_rows(molecules.chain_length, of_atoms(molecule))));
  if (config.atom_index) parts = ag::concat(parts, sinusoid(of_atoms(place)));
  return apply_linear(ag::gelu(apply_linear(parts, w.in)), w.out);
}

}  // namespace arbg::nn
