// Numbers as a page holds them: integers of 16 bits, little-endian, as base64 (RFC 4648).
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace arbg::apps {

std::string base64(std::span<const std::uint16_t> words);

// Positions about the centre of each frame [n, 3 N], in units of `unit_nm`, as int16. Throws Error
// for one that does not fit: positions are to be within 32767 units of their centre.
std::string base64_of_positions(std::span<const double> positions_nm, std::int64_t frame_size,
                                double unit_nm);

// The largest distance, along an axis, of a position from the centre of its frame.
double extent_of_positions(std::span<const double> positions_nm, std::int64_t frame_size);

// -log p in units of kNatsPerUnit as uint16: from 0 to 32 nats, kNone for what is less probable.
// log_p [rows, V]; a column is the sum of `together` neighbouring bins, the last one of fewer.
inline constexpr double kNatsPerUnit = 1.0 / 2000;
inline constexpr std::uint16_t kNone = 65535;
std::string base64_of_log_p(std::span<const double> log_p, std::int64_t V, std::int64_t together);

}  // namespace arbg::apps
