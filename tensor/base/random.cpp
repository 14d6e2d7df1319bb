#include "tensor/base/random.h"

#include <cmath>
#include <numbers>

namespace arbg {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;

double to_unit_interval(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits53 = ((std::uint64_t{high} << 32) | low) >> 11;
  return (static_cast<double>(bits53) + 0.5) * 0x1.0p-53;
}

}  // namespace

std::array<std::uint32_t, 4> Random::block(std::uint64_t index) const {
  std::uint32_t c0 = static_cast<std::uint32_t>(index),
                c1 = static_cast<std::uint32_t>(index >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(stream_),
                c3 = static_cast<std::uint32_t>(stream_ >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(seed_),
                k1 = static_cast<std::uint32_t>(seed_ >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0,
                        p1 = std::uint64_t{kMultiplier1} * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return {c0, c1, c2, c3};
}

double Random::uniform(std::uint64_t index) const {
  const auto words = block(index);
  return to_unit_interval(words[0], words[1]);
}

std::array<double, 2> Random::normal_pair(std::uint64_t index) const {
  const auto words = block(index);
  const double radius = std::sqrt(-2.0 * std::log(to_unit_interval(words[0], words[1])));
  const double angle = 2.0 * std::numbers::pi * to_unit_interval(words[2], words[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

std::int64_t Random::below(std::int64_t count, std::uint64_t index) const {
  const auto value = static_cast<std::int64_t>(uniform(index) * static_cast<double>(count));
  return value < count ? value : count - 1;
}

std::uint64_t stream_id(std::string_view purpose, std::uint64_t k) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (const char c : purpose) mix(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8) mix((k >> shift) & 0xff);
  return hash;
}

}  // namespace arbg
