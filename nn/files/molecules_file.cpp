#include "nn/files/molecules_file.h"

#include <vector>

#include "tensor/base/error.h"

namespace arbg::nn {

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

}  // namespace arbg::nn
