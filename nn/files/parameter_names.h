// Between the parameters of a file and those of a network: the shapes of published files, and the
// names that arbg gave before it had the published ones.
//
//   published    pos_embed [1, T, C]                                  here [T, C]
//   older files  pos_embed.weight [T, C]                              pos_embed
//   (of arbg)    blocks.N.ff.net.2.* of a GELU network                blocks.N.ff.net.3.*
//                blocks.N.cross_attn.k_proj.weight, v_proj.weight
//                blocks.N.cross_attn.kv_proj.weight,
//                                                                     the keys' rows first
//                blocks.N.cross_attn.gate                             blocks.N.cross_attn_gate
//
// All else has one name and one shape. What holds for a parameter holds for its average and its
// moments, so that a run that an older version began goes on.
#pragma once

#include <string>

#include "nn/transformer/module.h"
#include "nn/transformer/transformer_config.h"

namespace arbg::nn {

// From a file's to the network's. Throws Error if two tensors would then have one name.
void take_file_names(NamedTensors& tensors, const TransformerConfig& config);

// The tensor in the shape that a file has it in.
Tensor shaped_for_file(const std::string& name, const Tensor& tensor);

}  // namespace arbg::nn
