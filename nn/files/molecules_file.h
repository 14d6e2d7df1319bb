// What a conditioned network is told about its molecules, from a file.
#pragma once

#include "nn/files/safetensors.h"
#include "nn/transformer/conditioning.h"

namespace arbg::nn {

// The encodings in a file, under their published names: integers atom_type, aa_type and aa_pos [B,
// N], seq_len [B] or [B, 1], and optionally mask [B, N], not zero for atoms. Undefined if there is
// no atom_type. Throws Error as check() does, and for a mask with padding before atoms.
Molecules read_molecules(const Safetensors& file, Backend backend);

}  // namespace arbg::nn
