#include "nn/files/parameter_names.h"

#include <map>
#include <set>

#include "tensor/base/error.h"

namespace arbg::nn {
namespace {

constexpr std::string_view kPositions = "pos_embed";
constexpr std::string_view kOldKeys = ".cross_attn.k_proj.weight",
                           kOldValues = ".cross_attn.v_proj.weight",
                           kKeysAndValues = ".cross_attn.kv_proj.weight";

// Puts `now` in the place of `old` at the end of the name, if it is there.
bool replace_end(std::string& name, std::string_view old, std::string_view now) {
  if (!name.ends_with(old)) return false;
  name.replace(name.size() - old.size(), old.size(), now);
  return true;
}

void rename(std::string& name, const TransformerConfig& config) {
  if (name == "pos_embed.weight") name = kPositions;
  replace_end(name, ".cross_attn.gate", ".cross_attn_gate");
  if (config.swiglu) return;
  replace_end(name, ".ff.net.2.weight", ".ff.net.3.weight");
  replace_end(name, ".ff.net.2.bias", ".ff.net.3.bias");
}

bool can_be_stacked(const Tensor& a, const Tensor& b) {
  return a.shape().rank() == 2 && a.shape() == b.shape() && a.dtype() == b.dtype();
}

// The rows of a, then those of b.
Tensor stacked(const Tensor& a, const Tensor& b) {
  const std::int64_t rows = a.extent(0);
  const Tensor both = Tensor::empty({2 * rows, a.extent(1)}, a.dtype(), a.backend());
  both.rows(0, rows).copy_from(a);
  both.rows(rows, rows).copy_from(b);
  return both;
}

// What does not fit together stays, and is refused by its name.
void join_keys_and_values(NamedTensors& tensors) {
  std::map<std::string, Tensor> values;  // by the name of the joined matrix
  for (auto [name, tensor] : tensors) {
    if (replace_end(name, kOldValues, kKeysAndValues)) values.emplace(name, tensor);
  }
  std::set<std::string> joined;
  for (auto& [name, tensor] : tensors) {
    std::string both = name;
    if (!replace_end(both, kOldKeys, kKeysAndValues)) continue;
    const auto of_values = values.find(both);
    if (of_values == values.end() || !can_be_stacked(tensor, of_values->second)) continue;
    tensor = stacked(tensor, of_values->second);
    name = both;
    joined.insert(both);
  }
  std::erase_if(tensors, [&](const auto& entry) {
    std::string both = entry.first;
    return replace_end(both, kOldValues, kKeysAndValues) && joined.contains(both);
  });
}

}  // namespace

void take_file_names(NamedTensors& tensors, const TransformerConfig& config) {
  join_keys_and_values(tensors);
  std::set<std::string_view> names;
  for (auto& [name, tensor] : tensors) {
    const std::string in_file = name;
    rename(name, config);
    require(names.insert(name).second, "there are two tensors for \"", name, "\"",
            in_file == name ? "" : ", one with the older name \"" + in_file + "\"");
    const Shape& shape = tensor.shape();
    if (name == kPositions && shape.rank() == 3 && shape[0] == 1)
      tensor = tensor.reshape({shape[1], shape[2]});
  }
}

Tensor shaped_for_file(const std::string& name, const Tensor& tensor) {
  if (name != kPositions || tensor.shape().rank() != 2) return tensor;
  return tensor.reshape({1, tensor.extent(0), tensor.extent(1)});
}

}  // namespace arbg::nn
