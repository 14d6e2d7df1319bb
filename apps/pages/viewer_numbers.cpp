#include "apps/pages/viewer_numbers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

std::array<double, 3> centre_of(std::span<const double> frame) {
  std::array<double, 3> sum{};
  for (std::size_t i = 0; i < frame.size(); ++i) sum[i % 3] += frame[i];
  for (double& one : sum) one /= static_cast<double>(frame.size() / 3);
  return sum;
}

// visit(distance along an axis from the centre of its frame), in order.
template <class Visit>
void for_each_distance(std::span<const double> positions, std::int64_t frame_size,
                       const Visit& visit) {
  const auto size = static_cast<std::size_t>(frame_size);
  for (std::size_t begin = 0; begin < positions.size(); begin += size) {
    const auto frame = positions.subspan(begin, size);
    const auto centre = centre_of(frame);
    for (std::size_t i = 0; i < size; ++i) visit(frame[i] - centre[i % 3]);
  }
}

}  // namespace

std::string base64(std::span<const std::uint16_t> words) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i / 2 < words.size() ? words[i / 2] >> (i % 2 * 8) & 255u : 0u;
  };
  std::string out;
  const std::size_t bytes = 2 * words.size();
  for (std::size_t i = 0; i < bytes; i += 3) {
    const std::uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out += kLetters[three >> shift & 63u];
  }
  const std::size_t missing = (3 - bytes % 3) % 3;
  out.replace(out.size() - missing, missing, missing, '=');
  return out;
}

double extent_of_positions(std::span<const double> positions_nm, std::int64_t frame_size) {
  double most = 0;
  for_each_distance(positions_nm, frame_size,
                    [&](double distance) { most = std::max(most, std::abs(distance)); });
  return most;
}

std::string base64_of_positions(std::span<const double> positions_nm, std::int64_t frame_size,
                                double unit_nm) {
  std::vector<std::uint16_t> words;
  words.reserve(positions_nm.size());
  for_each_distance(positions_nm, frame_size, [&](double distance) {
    const double units = std::round(distance / unit_nm);
    require(std::abs(units) <= 32767, "a position ", distance,
            " nm from the centre of its frame "
            "does not fit into 16 bits of ",
            unit_nm, " nm");
    words.push_back(static_cast<std::uint16_t>(static_cast<std::int16_t>(units)));
  });
  return base64(words);
}

std::string base64_of_log_p(std::span<const double> log_p, std::int64_t V, std::int64_t together) {
  constexpr double kMost = 32 / kNatsPerUnit;
  const auto bins = static_cast<std::size_t>(V), width = static_cast<std::size_t>(together);
  std::vector<std::uint16_t> words;
  for (std::size_t row = 0; row < log_p.size(); row += bins) {
    for (std::size_t first = 0; first < bins; first += width) {
      double p = 0;
      for (std::size_t v = first; v < std::min(first + width, bins); ++v)
        p += std::exp(log_p[row + v]);
      const double units = std::round(std::max(0.0, -std::log(p)) / kNatsPerUnit);
      words.push_back(units <= kMost ? static_cast<std::uint16_t>(units) : kNone);
    }
  }
  return base64(words);
}

}  // namespace arbg::apps
