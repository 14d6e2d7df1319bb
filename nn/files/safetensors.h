// The safetensors file format, read with distrust: named arrays of numbers and a string-to-string
// `__metadata__`.
//
// Format: 8 bytes header length (little-endian), a JSON header {name: {dtype, shape,
// data_offsets}}, then the data without holes or overlaps. Source:
// github.com/huggingface/safetensors, README, "Format". Reads F32, F64, BF16, I64, I32, BOOL; every
// other type, a length or offset that does not fit the file, and a name that stands twice throw
// Error naming the file and the tensor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nn/transformer/module.h"

namespace arbg::nn {

class Safetensors {
 public:
  struct Entry {
    std::string name, dtype;  // dtype as in the file, "F32"
    std::vector<std::int64_t> shape;
    std::size_t begin, end;  // bytes of data()
  };

  // The header; the numbers are read from the file when they are asked for.
  static Safetensors read(const std::filesystem::path& path);
  static Safetensors parse(std::string bytes, const std::string& name);

  const std::vector<Entry>& entries() const { return entries_; }
  bool has(std::string_view name) const;
  const Entry& entry(std::string_view name) const;          // throws Error if there is none
  std::vector<double> values(std::string_view name) const;  // as double
  Tensor tensor(std::string_view name,
                Backend backend) const;  // real numbers; integers and BOOL become int32 (or Error)

  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  const std::string* metadata(std::string_view key) const;  // null if there is none

 private:
  using ReadBytes = std::function<std::string(std::size_t offset, std::size_t size)>;
  static Safetensors from(ReadBytes read, std::size_t size, const std::string& name);
  std::string bytes_of(const Entry& entry) const;

  std::string name_;
  ReadBytes read_;
  std::size_t data_start_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

// Writes tensors in this order, each in its own number type (double F64, float F32, int32 I32).
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace arbg::nn
