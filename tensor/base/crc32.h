// The checksum of ZIP archives: CRC-32 with the polynomial 0xedb88320 (reflected), as in ISO 3309.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace arbg {

class Crc32 {
 public:
  void add(std::span<const std::byte> bytes);
  std::uint32_t value() const { return ~state_; }  // of all bytes so far; 0 for none

 private:
  std::uint32_t state_ = 0xffffffff;
};

}  // namespace arbg
