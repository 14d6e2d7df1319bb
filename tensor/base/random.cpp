#include "tensor/base/random.h"

#include <cmath>
#include <numbers>

#include "tensor/base/philox.h"

namespace arbg {

std::array<std::uint32_t, 4> Random::block(std::uint64_t index) const {
  return philox::block(seed_, stream_, index);
}

double Random::uniform(std::uint64_t index) const { return philox::uniform(seed_, stream_, index); }

std::array<double, 2> Random::normal_pair(std::uint64_t index) const {
  const auto words = block(index);
  const double radius = std::sqrt(-2.0 * std::log(philox::to_unit_interval(words[0], words[1])));
  const double angle = 2.0 * std::numbers::pi * philox::to_unit_interval(words[2], words[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

std::int64_t Random::below(std::int64_t count, std::uint64_t index) const {
  const auto value = static_cast<std::int64_t>(uniform(index) * static_cast<double>(count));
  return value < count ? value : count - 1;
}

std::uint64_t stream_id(std::string_view purpose, std::uint64_t k) {
  return philox::stream_of(philox::purpose_of(purpose), k);
}

}  // namespace arbg
