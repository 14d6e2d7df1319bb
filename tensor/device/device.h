// Where numbers live, and whose code computes with them.
//
// The reference and the cpu both compute on the host, in its memory; cuda, where it is built, has
// memory of its own. Needs no tensors: md uses it too.
#pragma once

#include <span>
#include <string_view>

namespace arbg::tensor {

enum class Backend { reference, cpu, cuda };

const char* name_of(Backend backend);
Backend backend_named(std::string_view name);  // throws Error listing the names that this build has
std::span<const Backend> backends_built();     // the reference first; every test loops over these

struct Device {
  Backend backend = Backend::cpu;
  int index = 0;  // among several of one kind

  bool is_host() const { return backend != Backend::cuda; }
  bool operator==(const Device&) const = default;
};

}  // namespace arbg::tensor
