#include "tensor/base/crc32.h"

#include <array>

namespace arbg {
namespace {

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0u);
  }
  return table;
}();

}  // namespace

void Crc32::add(std::span<const std::byte> bytes) {
  for (const auto byte : bytes)
    state_ = state_ >> 8 ^ kTable[(state_ ^ static_cast<std::uint32_t>(byte)) & 0xff];
}

}  // namespace arbg
