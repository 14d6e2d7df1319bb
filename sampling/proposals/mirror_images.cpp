#include "sampling/proposals/mirror_images.h"

#include <algorithm>
#include <cmath>

#include "tensor/base/error.h"

namespace arbg::sampling {
namespace {

std::vector<double> negative(std::span<const double> values) {
  std::vector<double> out(values.begin(), values.end());
  for (double& value : out) value = -value;
  return out;
}

double log_sum(double a, double b) {
  const double larger = std::max(a, b), smaller = std::min(a, b);
  return std::isinf(larger) ? larger : larger + std::log1p(std::exp(smaller - larger));
}

}  // namespace

void require_reflectable(const md::CoordinateMap& map, Mirror rule) {
  require(rule == Mirror::none || map.has_mirror_images(),
          "mirror images are reflected in Cartesian coordinates only; the model has ", map.name(),
          " ones, whose phases leave no mirror images");
}

std::int64_t reflect(Samples& samples, const Generator& generator, const Target& target,
                     const Decoding& decoding, Mirror rule) {
  if (rule == Mirror::none) return 0;
  const auto& map = generator.map();
  require_reflectable(map, rule);
  const auto length = static_cast<std::size_t>(map.size()),
             frame = static_cast<std::size_t>(map.atom_count()) * 3;
  const auto count = static_cast<std::size_t>(samples.count());
  const std::vector<double> mirrored = negative(samples.coordinates);
  std::vector<std::int32_t> mirrored_tokens(samples.tokens.size());
  generator.bins().encode_rows(mirrored, mirrored_tokens);
  std::vector<double> mirrored_log_q;
  if (rule == Mirror::reflect) mirrored_log_q = generator.log_density(mirrored_tokens, decoding);

  std::int64_t reflected = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto x = std::span(samples.positions_nm).subspan(i * frame, frame);
    const bool right = target.has_right_hand(x), mirror_right = target.has_right_hand(negative(x));
    if (right == mirror_right) continue;  // no hand at all, or wrong either way
    if (rule == Mirror::reflect) samples.log_q[i] = log_sum(samples.log_q[i], mirrored_log_q[i]);
    if (right) continue;
    ++reflected;
    const auto z = std::span(samples.coordinates).subspan(i * length, length);
    std::ranges::copy(std::span(mirrored).subspan(i * length, length), z.begin());
    std::ranges::copy(std::span(mirrored_tokens).subspan(i * length, length),
                      samples.tokens.begin() + static_cast<std::ptrdiff_t>(i * length));
    map.decode(z, x);
    samples.log_volume[i] = map.log_volume(z);
  }
  return reflected;
}

}  // namespace arbg::sampling
