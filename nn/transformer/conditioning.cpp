#include "nn/transformer/conditioning.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tensor/base/error.h"
#include "tensor/ops/gather_rows.h"

namespace arbg::nn {

namespace ag = autograd;

Molecules Molecules::rows(std::int64_t first, std::int64_t count) const {
  return {atom_type.rows(first, count), residue_type.rows(first, count),
          residue_index.rows(first, count), chain_length.rows(first, count),
          atom_count.rows(first, count)};
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

Molecules read_molecules(const Safetensors& file, Backend backend) {
  if (!file.has("atom_type")) return {};
  Molecules molecules{file.tensor("atom_type", backend),
                      file.tensor("aa_type", backend),
                      file.tensor("aa_pos", backend),
                      file.tensor("seq_len", backend),
                      {}};
  require(molecules.atom_type.shape().rank() == 2, "expected atom_type [B, N], found ",
          molecules.atom_type.shape());
  const auto B = molecules.atom_type.extent(0), N = molecules.most_atoms();
  molecules.chain_length = molecules.chain_length.reshape({molecules.chain_length.elements()});
  std::vector<std::int32_t> count(static_cast<std::size_t>(B), static_cast<std::int32_t>(N));
  if (file.has("mask")) {
    const Tensor mask = file.tensor("mask", backend);
    require(mask.dtype() == DType::i32 && mask.shape() == molecules.atom_type.shape(),
            "expected a mask of true and false, ", molecules.atom_type.shape(), ", found ",
            mask.shape());
    const auto is_atom = mask.indices();
    for (std::size_t i = 0; i < is_atom.size(); ++i) {
      auto& atoms = count[i / static_cast<std::size_t>(N)];
      const auto place = static_cast<std::int32_t>(i % static_cast<std::size_t>(N));
      if (place == 0) atoms = 0;
      if (is_atom[i] == 0) continue;
      require(atoms == place, "the mask of molecule ", i / static_cast<std::size_t>(N),
              " has padding before atom ", place, ": padding must stand at the end");
      ++atoms;
    }
  }
  molecules.atom_count = Tensor::from_indices(count, {B}, backend);
  molecules.check();
  return molecules;
}

Tensor sinusoids(std::span<const std::int32_t> integers, std::int64_t channels, Backend backend) {
  std::vector<double> values;
  for (const auto n : integers) {
    for (std::int64_t i = 0; i < channels; i += 2) {
      const double rate =
          std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(channels));
      values.push_back(std::sin(n * rate));
      if (i + 1 < channels) values.push_back(std::cos(n * rate));
    }
  }
  return Tensor::from_values(values, {std::ssize(integers), channels}, backend);
}

Variable condition(const ConditioningWeights& w, const ConditioningConfig& config,
                   const Molecules& molecules) {
  const auto B = molecules.batch(), N = molecules.most_atoms(), hidden = config.hidden;
  const Backend backend = w.atom_types.value().backend();
  const auto place = [&](const std::vector<std::int32_t>& integers) {
    return Variable(sinusoids(integers, hidden, backend).reshape({B, N, hidden}));
  };
  const auto lengths = molecules.chain_length.indices();
  std::vector<std::int32_t> chain_length, atom_index;
  for (std::int64_t b = 0; b < B; ++b) {
    for (std::int32_t atom = 0; atom < N; ++atom) {
      chain_length.push_back(lengths[static_cast<std::size_t>(b)]);
      atom_index.push_back(atom);
    }
  }
  Variable parts = ag::concat(ag::embedding(w.atom_types, molecules.atom_type),
                              ag::embedding(w.residue_types, molecules.residue_type));
  parts = ag::concat(parts, place(molecules.residue_index.indices()));
  parts = ag::concat(parts, place(chain_length));
  if (config.atom_index) parts = ag::concat(parts, place(atom_index));
  return apply_linear(ag::gelu(apply_linear(parts, w.in)), w.out);
}

}  // namespace arbg::nn
