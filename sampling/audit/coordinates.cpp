#include "sampling/audit/coordinates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "sampling/audit/point.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// log |det| by elimination with partial pivoting; a [n, n].
double log_determinant(std::vector<double> a, std::size_t n) {
  double sum = 0;
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < n; ++r)
      if (std::abs(a[r * n + c]) > std::abs(a[pivot * n + c])) pivot = r;
    for (std::size_t k = 0; k < n; ++k) std::swap(a[c * n + k], a[pivot * n + k]);
    sum += std::log(std::abs(a[c * n + c]));
    for (std::size_t r = c + 1; r < n; ++r) {
      const double factor = a[r * n + c] / a[c * n + c];
      for (std::size_t k = c; k < n; ++k) a[r * n + k] -= factor * a[c * n + k];
    }
  }
  return sum;
}

// Columns dx/dz_j by central differences, then `more` columns; x has 3N numbers.
std::vector<double> jacobian(const md::CoordinateMap& map, std::span<const double> z,
                             const std::vector<std::vector<double>>& more) {
  constexpr double kStep = 1e-5;
  const std::size_t n = static_cast<std::size_t>(map.atom_count()) * 3, K = z.size();
  std::vector<double> out(n * n), moved(z.begin(), z.end()), plus(n), less(n);
  for (std::size_t j = 0; j < K; ++j) {
    moved[j] = z[j] + kStep;
    map.decode(moved, plus);
    moved[j] = z[j] - kStep;
    map.decode(moved, less);
    moved[j] = z[j];
    for (std::size_t i = 0; i < n; ++i) out[i * n + j] = (plus[i] - less[i]) / (2 * kStep);
  }
  for (std::size_t c = 0; c < more.size(); ++c)
    for (std::size_t i = 0; i < n; ++i) out[i * n + K + c] = more[c][i];
  return out;
}

// Six more columns, of the three translations and the three rotations about the origin, make the
// map's Jacobian square: positions are shape, place and orientation.
double internal_log_volume(const md::CoordinateMap& map, std::span<const double> z) {
  const std::size_t n = static_cast<std::size_t>(map.atom_count()) * 3;
  std::vector<double> x(n);
  map.decode(z, x);
  std::vector<std::vector<double>> rigid(6, std::vector<double>(n));
  for (std::size_t i = 0; i < n; i += 3) {
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t next = (k + 1) % 3, last = (k + 2) % 3;
      rigid[k][i + k] = 1;
      rigid[3 + k][i + next] = -x[i + last];  // e_k x position
      rigid[3 + k][i + last] = x[i + next];
    }
  }
  return log_determinant(jacobian(map, z, rigid), n);
}

// exp(log_volume) integrated over the place of the molecule (in y, axis by axis, by the trapezoidal
// rule) must be |dx/dy| over |dX/dY| of a translation and over 8 pi^2 of the rotations. Returns
// that log volume at y, found from the integral.
double cartesian_log_volume_excess(const md::CoordinateMap& map, std::span<const double> y) {
  constexpr double kStep = 0.01, kReach = 10;
  const std::size_t n = y.size();
  const double expected =
      log_determinant(jacobian(map, y, {}), n) * (1 - 3.0 / double(n)) - std::log(8 * kPi * kPi);
  // From the centre, so that the integrals do not start in a tail.
  std::vector<double> centred(y.begin(), y.end());
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double mean = 0;
    for (std::size_t i = axis; i < n; i += 3) mean += 3 * y[i] / static_cast<double>(n);
    for (std::size_t i = axis; i < n; i += 3) centred[i] -= mean;
  }
  const double at_centre = map.log_volume(centred);
  double found = at_centre;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double integral = 0;
    std::vector<double> shifted = centred;
    for (double s = -kReach; s <= kReach; s += kStep) {
      for (std::size_t i = axis; i < n; i += 3) shifted[i] = centred[i] + s;
      integral += std::exp(map.log_volume(shifted) - at_centre) * kStep;
    }
    found += std::log(integral);
  }
  return found - expected;
}

Check volume_factor(const md::CoordinateMap& map, const Samples& samples) {
  constexpr std::size_t kMostSamples = 4;
  const auto K = static_cast<std::size_t>(map.size());
  const std::size_t used = std::min(kMostSamples, static_cast<std::size_t>(samples.count()));
  double largest = 0;
  for (std::size_t i = 0; i < used; ++i) {
    const auto z = std::span(samples.coordinates).subspan(i * K, K);
    const double difference = map.invariant_to_motion()
                                  ? map.log_volume(z) - internal_log_volume(map, z)
                                  : cartesian_log_volume_excess(map, z);
    largest = worse(largest, std::abs(difference));
  }
  return judged("log volume factor against finite differences of the map", largest,
                1e-7 * static_cast<double>(K),
                std::to_string(used) + " samples, a determinant of " +
                    std::to_string(3 * map.atom_count()) + " rows each");
}

// Both ends of every cell, and points within it, where low + (k + u) h puts them.
Check tiling(const nn::CoordinateBins& bins) {
  constexpr double kAlmostOne = 1 - 0x1.0p-40;
  const std::int64_t V = bins.bins(), stride = std::max<std::int64_t>(1, V / 512);
  double largest = 0;
  for (std::int64_t j = 0; j < bins.coordinates(); ++j) {
    const auto& [low, high, periodic] = bins.axis(j);
    const double h = (high - low) / static_cast<double>(V);
    for (std::int64_t k = 0; k < V; k += stride) {
      const auto bin = static_cast<std::int32_t>(k);
      for (const double u : {0.0, 0.3, kAlmostOne}) {
        const double place = low + (static_cast<double>(k) + u) * h;
        largest = worse(largest, std::abs(bins.decode(j, bin, u) - place) / h);
        if (u == 0.3) largest = worse(largest, bins.encode(j, place) == bin ? 0 : 1);
      }
      for (const double inside : {0.001, 0.999}) {
        const double place = low + (static_cast<double>(k) + inside) * h;
        largest = worse(largest, bins.encode(j, place) == bin ? 0 : 1);
      }
    }
  }
  return judged(
      "cells of the bins: gaps and overlaps, in widths", largest, 1e-5,
      std::to_string(bins.coordinates()) + " coordinates of " + std::to_string(V) + " bins");
}

// Where the first cell begins and the last one ends, by decode(), against the widths in log q.
Check widths(const nn::CoordinateBins& bins) {
  const std::int64_t V = bins.bins();
  double sum = 0;
  for (std::int64_t j = 0; j < bins.coordinates(); ++j) {
    const double begin = bins.decode(j, 0, 0),
                 end = bins.decode(j, static_cast<std::int32_t>(V - 1), 1 - 0x1.0p-40);
    sum += std::log((end - begin) / static_cast<double>(V));
  }
  return judged("log of a cell's volume: in log q against cells as decoded",
                std::abs(sum - bins.log_volume()), 1e-6,
                "in nats; log volume " + std::to_string(sum));
}

Check outside(const nn::CoordinateBins& bins) {
  int probes = 0, accepted = 0;
  const auto expect = [&](std::int64_t j, double x, std::int32_t token) {
    ++probes;
    accepted += bins.encode(j, x) != token;
  };
  constexpr auto kOutside = nn::CoordinateBins::kOutside;
  for (std::int64_t j = 0; j < bins.coordinates(); ++j) {
    const auto& [low, high, periodic] = bins.axis(j);
    const double h = (high - low) / static_cast<double>(bins.bins());
    const auto last = static_cast<std::int32_t>(bins.bins() - 1);
    expect(j, low - 0.3 * h, periodic ? last : kOutside);
    expect(j, high + 0.3 * h, periodic ? 0 : kOutside);
    expect(j, low - 3 * (high - low) + 0.3 * h, periodic ? 0 : kOutside);
    expect(j, std::nan(""), kOutside);
    expect(j, kInfinity, kOutside);
  }
  return judged("values outside the support that are given a bin", accepted, 0,
                std::to_string(probes) + " probes; periodic ones come round");
}

Check positions_measure_back(const Generator& generator, const BinnedSamples& samples) {
  const Ruler ruler(generator.map());
  const auto K = static_cast<std::size_t>(generator.map().size()),
             frame = static_cast<std::size_t>(generator.map().atom_count()) * 3;
  double largest = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(samples.count()); ++i) {
    const auto z = ruler.measure(std::span(samples.positions_nm).subspan(i * frame, frame));
    for (std::size_t j = 0; j < K; ++j)
      largest = worse(largest, distance_from_cell(generator.bins(), static_cast<std::int64_t>(j),
                                                  z[j], samples.tokens[i * K + j]));
  }
  return judged("positions outside the cells of their tokens, in widths", largest, 1e-6,
                std::to_string(samples.count()) + " fresh samples, measured on the positions");
}

}  // namespace

Ruler::Ruler(const md::CoordinateMap& map) : coordinates_(map.coordinates()) {
  const Json json = map.to_json();
  if (!json.has("tree")) {
    scale_nm_ = json.at("scale_nm").number();
    return;
  }
  for (const Json& row : json.at("tree").items()) {
    std::size_t cell[4];
    for (std::size_t k = 0; k < 4; ++k)
      cell[k] = static_cast<std::size_t>(std::max<std::int64_t>(row.items()[k].integer(), 0));
    tree_.push_back({cell[0], cell[1], cell[2], cell[3]});
  }
}

std::vector<double> Ruler::measure(std::span<const double> x) const {
  std::vector<double> z;
  if (tree_.empty()) {
    for (const double value : x) z.push_back(value / scale_nm_);
    return z;
  }
  const auto at = [&](std::size_t atom) { return point(x, atom); };
  for (std::size_t m = 1; m < tree_.size(); ++m) {
    const Row& row = tree_[m];
    const Point bond = minus(at(row.atom), at(row.parent));
    z.push_back(length(bond));
    if (m == 1) continue;
    // Along and across the axis from the parent to the grandparent.
    Point axis = minus(at(row.grandparent), at(row.parent));
    const double axis_length = length(axis);
    for (double& a : axis) a /= axis_length;
    const auto across = [&](const Point& v) {
      const double along = dot(v, axis);
      return Point{v[0] - along * axis[0], v[1] - along * axis[1], v[2] - along * axis[2]};
    };
    const Point out = across(bond);
    z.push_back(std::atan2(length(out), dot(bond, axis)));
    if (m == 2) continue;
    const Point to = across(minus(at(row.reference), at(row.grandparent)));
    const double triple = axis[0] * (out[1] * to[2] - out[2] * to[1]) +
                          axis[1] * (out[2] * to[0] - out[0] * to[2]) +
                          axis[2] * (out[0] * to[1] - out[1] * to[0]);
    double phi = std::atan2(triple, dot(out, to));
    const md::Coordinate& c = coordinates_[z.size()];
    const double middle = (c.low + c.high) / 2;
    z.push_back(phi - 2 * kPi * std::round((phi - middle) / (2 * kPi)));
  }
  return z;
}

double distance_from_cell(const nn::CoordinateBins& bins, std::int64_t j, double z,
                          std::int32_t token) {
  const auto& [low, high, periodic] = bins.axis(j);
  const double h = (high - low) / static_cast<double>(bins.bins());
  double place = (z - low) / h - token;  // 0 to 1 inside
  const auto V = static_cast<double>(bins.bins());
  if (periodic) place -= V * std::round((place - 0.5) / V);
  return worse(worse(0, -place), place - 1);
}

std::int32_t plain_token(const nn::CoordinateBins& bins, std::int64_t j, double z) {
  const auto& [low, high, periodic] = bins.axis(j);
  const auto V = static_cast<double>(bins.bins());
  double k = std::floor((z - low) / (high - low) * V);
  if (periodic) k -= V * std::floor(k / V);
  return k >= 0 && k < V ? static_cast<std::int32_t>(k) : nn::CoordinateBins::kOutside;
}

std::vector<std::int32_t> cells_of(const nn::CoordinateBins& bins, std::span<const double> z) {
  std::vector<std::int32_t> tokens(z.size());
  bins.encode_rows(z, tokens);
  return tokens;
}

std::vector<Check> audit_coordinates(const Generator& generator, const BinnedSamples& samples) {
  return {tiling(generator.bins()), widths(generator.bins()), outside(generator.bins()),
          volume_factor(generator.map(), samples), positions_measure_back(generator, samples)};
}

}  // namespace arbg::sampling
