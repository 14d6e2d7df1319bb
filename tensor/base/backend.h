// Which implementation computes: the one enumeration that tensors, energies and dynamics share.
//
// reference: plain loops in double, what the others are tested against; cpu: SIMD lanes and
// threads; cuda: a name that builds without it refuse.
#pragma once

#include <span>
#include <string_view>

namespace arbg {

enum class Backend { reference, cpu, cuda };

const char* name_of(Backend backend);
Backend backend_named(std::string_view name);  // throws Error listing the names that this build has
std::span<const Backend> backends_built();     // the reference first; every test loops over these

}  // namespace arbg
