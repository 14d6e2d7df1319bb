#include "nn/files/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <system_error>

#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"
#include "tensor/base/json.h"
#include "tensor/base/nearest_name.h"

namespace arbg::nn {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the safetensors code assumes a little-endian machine");

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMarkBytes = 16;  // that tell what another file is
constexpr std::size_t kLongestHeader = std::size_t{1}
                                       << 24;  // thousands of tensors; more is an attack

std::size_t size_of_dtype(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "BF16") return 2;
  if (dtype == "BOOL") return 1;
  fail("dtype ", dtype, " is not supported (only F32, F64, BF16, I64, I32, BOOL)");
}

Safetensors::Entry parse_entry(const std::string& name, const Json& json, std::size_t data_size) {
  Safetensors::Entry entry{name, json.at("dtype").string(), {}, 0, 0};
  std::uint64_t bytes = size_of_dtype(entry.dtype);
  for (const auto& extent : json.at("shape").items()) {
    const auto value = extent.integer();
    require(value >= 0 && !__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(value), &bytes),
            "the shape ", json.at("shape").dump(), " is negative or too large");
    entry.shape.push_back(value);
  }
  const auto& offsets = json.at("data_offsets").items();
  require(offsets.size() == 2, "data_offsets has ", offsets.size(), " members, expected 2");
  const auto begin = offsets[0].integer(), end = offsets[1].integer();
  require(begin >= 0 && begin <= end && static_cast<std::uint64_t>(end) <= data_size,
          "data_offsets [", begin, ", ", end, "] do not fit the ", data_size,
          " bytes of data in the file (truncated?)");
  require(static_cast<std::uint64_t>(end - begin) == bytes, "the shape ", json.at("shape").dump(),
          " of ", entry.dtype, " needs ", bytes, " bytes, data_offsets give ", end - begin);
  entry.begin = static_cast<std::size_t>(begin);
  entry.end = static_cast<std::size_t>(end);
  return entry;
}

// Every byte of the data belongs to exactly one tensor.
void check_layout(const std::vector<Safetensors::Entry>& entries, std::size_t data_size) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const auto& entry : entries) ranges.emplace_back(entry.begin, entry.end);
  std::ranges::sort(ranges);
  std::size_t at = 0;
  for (const auto& [begin, end] : ranges) {
    require(begin == at, "the tensors' bytes overlap or leave a hole at data byte ",
            std::min(at, begin));
    at = end;
  }
  require(at == data_size, "the tensors end at data byte ", at, ", the file has ", data_size);
}

template <class T>
void convert(const char* bytes, std::vector<double>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
}

void convert_bf16(const char* bytes, std::vector<double>& out) {  // the upper half of a float32
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t upper;
    std::memcpy(&upper, bytes + i * 2, 2);
    out[i] = static_cast<double>(std::bit_cast<float>(std::uint32_t{upper} << 16));
  }
}

std::size_t stored_size(const Tensor& tensor) {
  require(tensor.dtype() != DType::bf16, "tensors of type ", name_of(tensor.dtype()),
          " cannot be written to safetensors");
  return static_cast<std::size_t>(tensor.elements()) * byte_size(tensor.dtype());
}

// From the host's memory as it is; from a device's by way of double, exactly.
template <class T>
void append(std::string& bytes, const Tensor& tensor) {
  if (tensor.device().is_host()) {
    bytes.append(reinterpret_cast<const char*>(tensor.host_data<T>()), stored_size(tensor));
    return;
  }
  const auto values = tensor.values();
  const std::vector<T> numbers(values.begin(), values.end());
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

void append_stored(std::string& bytes, const Tensor& tensor) {
  if (tensor.dtype() == DType::f64) append<double>(bytes, tensor);
  if (tensor.dtype() == DType::f32) append<float>(bytes, tensor);
  if (tensor.dtype() == DType::i32) append<std::int32_t>(bytes, tensor);
}

const char* dtype_name(DType dtype) {
  return dtype == DType::f64 ? "F64" : dtype == DType::f32 ? "F32" : "I32";
}

}  // namespace

Safetensors Safetensors::read(const std::filesystem::path& path) {
  std::error_code not_there;  // which reading it says
  if (!std::filesystem::is_regular_file(path, not_there))
    return parse(read_file(path), path.string());
  const FileReader file(path);
  return from([=](std::size_t offset, std::size_t size) { return file.read(offset, size); },
              file.size(), path.string());
}

Safetensors Safetensors::parse(std::string bytes, const std::string& name) {
  const auto all = std::make_shared<const std::string>(std::move(bytes));
  return from([=](std::size_t offset, std::size_t size) { return all->substr(offset, size); },
              all->size(), name);
}

Safetensors Safetensors::from(ReadBytes read, std::size_t size, const std::string& name) {
  Safetensors file;
  require(size >= kLengthBytes, name, ": not a safetensors file: ", size, " bytes");
  const std::string length_bytes = read(0, kLengthBytes);
  std::uint64_t length = 0;
  require(length_bytes.size() == kLengthBytes, name, " changed while it was read");
  std::memcpy(&length, length_bytes.data(), kLengthBytes);
  require(length <= size - kLengthBytes && length <= kLongestHeader, name,
          ": not a safetensors file, or truncated: its header claims ", length,
          " bytes, the file has ", size, said_kind(read(0, kMarkBytes)));
  file.name_ = name;
  file.data_start_ = kLengthBytes + static_cast<std::size_t>(length);
  const std::size_t data_size = size - file.data_start_;
  const std::string header_text = read(kLengthBytes, static_cast<std::size_t>(length));
  const Json header = Json::parse(header_text, name + " (header)");
  std::string_view at = "the header";
  try {
    for (const auto& [key, value] : header.members()) {
      at = key;
      if (key == "__metadata__") {
        for (const auto& [k, text] : value.members()) file.metadata_.emplace_back(k, text.string());
      } else {
        file.entries_.push_back(parse_entry(key, value, data_size));
      }
    }
    at = "the header";
    check_layout(file.entries_, data_size);
  } catch (const Error& error) {
    fail(name, ": ", at, ": ", error.what());
  }
  file.read_ = std::move(read);
  return file;
}

std::string Safetensors::bytes_of(const Entry& entry) const {
  std::string bytes = read_(data_start_ + entry.begin, entry.end - entry.begin);
  require(bytes.size() == entry.end - entry.begin, name_, " changed while it was read");
  return bytes;
}

bool Safetensors::has(std::string_view name) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.name == name; });
}

const Safetensors::Entry& Safetensors::entry(std::string_view name) const {
  const auto found =
      std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.name == name; });
  if (found != entries_.end()) return *found;
  std::vector<std::string_view> there;
  for (const Entry& entry : entries_) there.push_back(entry.name);
  fail(name_, ": there is no tensor named \"", name, "\"", nearest_hint(name, there));
}

std::vector<double> Safetensors::values(std::string_view name) const {
  const Entry& from = entry(name);
  const std::string data = bytes_of(from);
  const char* bytes = data.data();
  std::vector<double> out((from.end - from.begin) / size_of_dtype(from.dtype));
  if (from.dtype == "F64") convert<double>(bytes, out);
  if (from.dtype == "F32") convert<float>(bytes, out);
  if (from.dtype == "I64") convert<std::int64_t>(bytes, out);
  if (from.dtype == "I32") convert<std::int32_t>(bytes, out);
  if (from.dtype == "BF16") convert_bf16(bytes, out);
  if (from.dtype == "BOOL") std::copy_n(bytes, out.size(), out.begin());
  return out;
}

Tensor Safetensors::tensor(std::string_view name, Backend backend) const {
  const Entry& from = entry(name);
  require(from.shape.size() <= static_cast<std::size_t>(Shape::kMostAxes), name_, ": ", name,
          " has ", from.shape.size(), " axes, at most ", Shape::kMostAxes, " are supported");
  const Shape shape{std::span<const std::int64_t>(from.shape)};
  if (from.dtype == "F32" && backend == Backend::cpu) {  // as it is stored
    Tensor out = Tensor::empty(shape, DType::f32, backend);
    const std::string data = bytes_of(from);
    std::copy_n(data.data(), data.size(), reinterpret_cast<char*>(out.host_data<float>()));
    return out;
  }
  const auto numbers = values(name);
  if (from.dtype[0] != 'I' && from.dtype != "BOOL")
    return Tensor::from_values(numbers, shape, backend);
  std::vector<std::int32_t> indices;
  for (const double number : numbers) {
    require(std::abs(number) <= std::numeric_limits<std::int32_t>::max(), name_, ": ", name,
            " holds ", number, ", which does not fit int32");
    indices.push_back(static_cast<std::int32_t>(number));
  }
  return Tensor::from_indices(indices, shape, backend);
}

const std::string* Safetensors::metadata(std::string_view key) const {
  const auto found =
      std::ranges::find_if(metadata_, [&](const auto& member) { return member.first == key; });
  return found == metadata_.end() ? nullptr : &found->second;
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  Json header = Json::object();
  for (const auto& [key, text] : metadata) header["__metadata__"][key] = text;
  std::size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    require(!header.has(name), path.string(), ": two tensors are named \"", name, "\"");
    const auto begin = at;
    at += stored_size(tensor);
    Json shape = Json::list(), offsets = Json::list();
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.extent(axis));
    offsets.push_back(static_cast<std::int64_t>(begin));
    offsets.push_back(static_cast<std::int64_t>(at));
    Json& entry = header[name];
    entry["dtype"] = dtype_name(tensor.dtype());
    entry["shape"] = shape;
    entry["data_offsets"] = offsets;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), kLengthBytes);
  bytes.reserve(kLengthBytes + text.size() + at);
  bytes += text;
  for (const auto& [name, tensor] : tensors) append_stored(bytes, tensor);
  write_file(path, bytes);
}

}  // namespace arbg::nn
