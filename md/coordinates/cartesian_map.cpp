#include "md/coordinates/cartesian_map.h"

#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "tensor/base/error.h"

namespace arbg::md {
namespace {

constexpr double kPi = std::numbers::pi;

using Matrix = std::array<std::array<double, 3>, 3>;

// A rotation drawn uniformly: four normals point in a uniform direction of the unit quaternions.
// Uses numbers 4 index and 4 index + 1; the shift of the same conformation uses the next two.
Matrix random_rotation(const Random& random, std::uint64_t index) {
  const auto [p, q] = random.normal_pair(4 * index);
  const auto [r, s] = random.normal_pair(4 * index + 1);
  const double scale = 1.0 / std::sqrt(p * p + q * q + r * r + s * s);
  const double w = p * scale, x = q * scale, y = r * scale, z = s * scale;
  return {{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
           {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
           {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
}

std::array<double, 3> mean_of(std::span<const double> positions) {
  std::array<double, 3> mean = {0, 0, 0};
  for (std::size_t i = 0; i < positions.size(); ++i) mean[i % 3] += positions[i];
  for (double& m : mean) m /= static_cast<double>(positions.size() / 3);
  return mean;
}

}  // namespace

CartesianMap::CartesianMap(int atom_count, double scale_nm, double range)
    : atom_count_(atom_count), scale_nm_(scale_nm), range_(range) {
  require(atom_count > 0, "a Cartesian map needs at least 1 atom, found ", atom_count);
  require(scale_nm > 0 && range > 0, "a Cartesian map needs a scale and a range above 0, found ",
          scale_nm, " nm and ", range);
  for (int atom = 0; atom < atom_count; ++atom) {
    for (int axis = 0; axis < 3; ++axis) {
      coordinates_.push_back({atom, atom, axis, -range, range, false});
    }
  }
}

void CartesianMap::encode(std::span<const double> positions_nm, std::span<double> z,
                          const Random& random, std::uint64_t index) const {
  require(positions_nm.size() == coordinates_.size() && z.size() == coordinates_.size(),
          "Cartesian encode expects ", coordinates_.size(),
          " positions and as many coordinates, found ", positions_nm.size(), " and ", z.size());
  const Matrix rotation = random_rotation(random, index);
  const auto first = random.normal_pair(4 * index + 2), second = random.normal_pair(4 * index + 3);
  const double width = 1.0 / std::sqrt(static_cast<double>(atom_count_));
  const double shift[3] = {width * first[0], width * first[1], width * second[0]};
  const auto centre = mean_of(positions_nm);
  for (std::size_t i = 0; i < z.size(); i += 3) {
    for (std::size_t k = 0; k < 3; ++k) {
      double rotated = 0;
      for (std::size_t l = 0; l < 3; ++l) {
        rotated += rotation[k][l] * (positions_nm[i + l] - centre[l]);
      }
      z[i + k] = rotated / scale_nm_ + shift[k];
    }
  }
}

void CartesianMap::decode(std::span<const double> z, std::span<double> positions_nm) const {
  require(positions_nm.size() == coordinates_.size() && z.size() <= coordinates_.size() &&
              z.size() % 3 == 0,
          "Cartesian decode expects ", coordinates_.size(),
          " coordinates, or those of the first atoms, and room for as many positions, found ",
          z.size(), " and ", positions_nm.size());
  for (std::size_t i = 0; i < z.size(); ++i) positions_nm[i] = scale_nm_ * z[i];
}

std::vector<int> CartesianMap::atom_order() const {
  std::vector<int> order(static_cast<std::size_t>(atom_count_));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

// The shift xi is the mean of y, with a known density; the scale applies to the 3N - 3 other
// directions; 8 pi^2 is the volume of the rotations, which the integral over shapes does not have.
double CartesianMap::log_volume(std::span<const double> z) const {
  require(z.size() == coordinates_.size(), "log volume expects ", coordinates_.size(),
          " coordinates, found ", z.size());
  const double n = atom_count_;
  const auto mean = mean_of(z);
  const double square = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2];
  const double log_shift = -1.5 * std::log(2 * kPi / n) - 0.5 * n * square;
  return log_shift + (3 * n - 3) * std::log(scale_nm_) - std::log(8 * kPi * kPi);
}

void CartesianMap::pull_back(std::span<const double> z, std::span<const double>,
                             std::span<const double> dpositions, std::span<double> dz) const {
  require(z.size() == coordinates_.size() && dz.size() == z.size() && dpositions.size() == z.size(),
          "Cartesian pull_back expects ", coordinates_.size(),
          " coordinates and as many derivatives");
  const auto mean = mean_of(z);  // d/dz of -N/2 mean^2 is -mean
  for (std::size_t i = 0; i < z.size(); ++i) dz[i] = scale_nm_ * dpositions[i] - mean[i % 3];
}

Json CartesianMap::to_json() const {
  Json json = Json::object();
  json["name"] = name();
  json["atoms"] = atom_count_;
  json["scale_nm"] = scale_nm_;
  json["range"] = range_;
  return json;
}

std::unique_ptr<CoordinateMap> CartesianMap::from_json(const Json& json) {
  return make_cartesian_map(static_cast<int>(json.at("atoms").integer()),
                            json.at("scale_nm").number(), json.at("range").number());
}

std::unique_ptr<CoordinateMap> make_cartesian_map(int atom_count, double scale_nm, double range) {
  return std::make_unique<CartesianMap>(atom_count, scale_nm, range);
}

}  // namespace arbg::md
