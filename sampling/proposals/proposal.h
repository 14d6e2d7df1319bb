// Draws conformations and knows the exact density of each: all that weights, sequential Monte
// Carlo and walkers ask of a model.
//
// A proposal may be used from several threads at a time. Adding one: derive, and add a row to
// tests/sampling/proposal_test.cpp, which holds every kind to this contract.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/device/device.h"

namespace arbg::sampling {

struct SampleOptions {
  std::int64_t count = 1000;
  std::uint64_t seed = 1;
  std::uint64_t stream = stream_id(streams::kSample);  // another stream: independent samples
  std::int64_t first = 0;  // index of the first sample: drawing in parts gives the same samples
  std::int64_t lanes = 0;  // samples that share one pass through a network; 0: as its device likes
  std::function<void(std::int64_t done)> on_progress;  // from any thread, one call at a time
};

class Growth;

struct Samples {
  std::vector<double> coordinates;   // z [B, K]
  std::vector<double> positions_nm;  // x(z) [B, N, 3]
  std::vector<double> log_q;         // [B], density of z
  std::vector<double> log_volume;    // [B], the map's
  std::int64_t reflected = 0;        // mirror images that were turned (mirrored.h)

  std::int64_t count() const { return static_cast<std::int64_t>(log_q.size()); }
  void resize(std::int64_t count, const md::CoordinateMap& map);
  // Sample i becomes z, and what follows from it.
  void put(std::int64_t i, std::span<const double> z, double log_q, const md::CoordinateMap& map);
  // Sample i becomes a row that has grown to its full length.
  void put(std::int64_t i, const Growth& grown, std::int64_t row, const md::CoordinateMap& map);
};

// Samples that grow together, coordinate by coordinate.
class Growth {
 public:
  virtual ~Growth() = default;
  virtual std::int64_t count() const = 0;
  // Draws coordinates until there are that many. False: interrupted, and too short.
  [[nodiscard]] virtual bool grow(std::int64_t length) = 0;
  virtual void select(std::span<const std::int64_t> from) = 0;  // row b becomes a copy of from[b]
  virtual std::span<const double> coordinates(std::int64_t row) const = 0;  // [K], 0 if not drawn
  // Log density of the coordinates drawn so far, up to a constant of their number.
  virtual double log_p(std::int64_t row) const = 0;
  virtual double log_q(std::int64_t row) const = 0;  // of a row with all its coordinates: density
};

class Proposal {
 public:
  virtual ~Proposal() = default;

  virtual const md::CoordinateMap& map() const = 0;

  // Where it computes. Only on the host may several threads ask at a time (for_each_on.h).
  virtual tensor::Device device() const { return {}; }

  // `count` independent samples; sample i depends on (seed, stream, first + i) alone. Stops early,
  // with fewer samples, when interrupted.
  virtual Samples draw(const SampleOptions& options) const = 0;

  // Density of z, rows of K, of exactly what draw() draws from; -infinity outside. Ctrl-C ends it
  // between a few rows: once interrupted(), the result is incomplete, and the caller throws it
  // away.
  virtual std::vector<double> log_density(std::span<const double> z) const = 0;

  // Whether z [K] lies in the stated support, without a network: outside, the density is 0.
  virtual bool inside(std::span<const double> z) const = 0;
  // Whether the density is above 0 everywhere inside.
  virtual bool covers_support() const = 0;

  // What makes the weights of draws inconsistent, one sentence each; empty if nothing does.
  virtual std::vector<std::string> labels() const = 0;

  // Rows first, first + 1, ... of draw(), without coordinates yet, in the hands of the caller.
  // Throws Error where a proposal does not draw coordinate by coordinate.
  virtual std::unique_ptr<Growth> grow(std::int64_t count, const Random& random,
                                       std::int64_t first) const;
};

}  // namespace arbg::sampling
