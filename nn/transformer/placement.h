// What is known of a coordinate before the network is asked: energies of its bins.
//
// When a coordinate is drawn, those before it stand, and a force field (md/placement) can tell the
// energy of each of its bins. A network with the option `placement` takes it into its logits,
//
//   logits[b, t, v] -= sum_c g[b, t, c] u[b, t, c, v],   g[b, t] = strength[t] + S norm(h[b, t])
//
// (tensor/ops/tilt.h), with learned strengths of each component c, one at first; and, if it has
// features, moments of the distribution that the energies alone would give are fed to its input at
// that position. The energies are a function of the coordinates before and of nothing else, so that
// the likelihood stays exact.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/ops/draw.h"
#include "tensor/tensor.h"

namespace arbg::nn {

using tensor::Backend;
using tensor::Tensor;

// Of the network's options: how much it is told.
struct PlacementConfig {
  std::int64_t components = 3;  // c
  std::int64_t features = 16;   // F numbers a position; 0: logits only
};

// Of n positions of B rows, where the network is. An undefined tensor: nothing to tell.
struct PlacementRows {
  bool told = false;  // by a Placement: a network that needs energies refuses rows without
  Tensor energies;    // u [B, S, c, V] in kT, of S positions that have curves
  Tensor slot;        // int32 [n]: which of them is a position's; -1: it has none
  Tensor features;    // [B, n, F]
};

// Of rows that grow coordinate by coordinate where the network is. Neither function waits for the
// device or uploads, so that they can be repeated as one graph (tensor/device/repeated.h).
class GrowingPlacement {
 public:
  virtual ~GrowingPlacement() = default;

  // Of the coordinate at `place` (tensor/ops/place.h); those before it have been added.
  virtual PlacementRows next(const Tensor& place) = 0;
  // The coordinate at `place`, drawn as bins [B] and, in the bin of that slope [B] (undefined: all
  // 0), at the uniform number that words name (tensor/ops/draw.h): that of BinnedHead::read(), to
  // rounding.
  virtual void add(const Tensor& bins, const Tensor& slope, const Tensor& place,
                   const Random& random, const tensor::DrawWords& words) = 0;
};

// Where they come from. Several threads may ask at a time.
class Placement {
 public:
  virtual ~Placement() = default;

  // Of positions first ... first + n - 1. z [B, m >= first + n - 1], in double, holds the
  // coordinates before; what stands in later columns is of no effect. It is on the host or, where
  // works_on() says so, with the network.
  virtual bool has_curve(std::int64_t position) const = 0;
  virtual PlacementRows rows(const Tensor& z, std::int64_t first, std::int64_t n,
                             Backend backend) const = 0;

  // Whether energies are computed where the network is: rows() of all positions of coordinates that
  // are there can then be repeated as one graph, and rows can grow.
  virtual bool works_on(Backend) const { return false; }
  // Rows of which the first n coordinates are those of z [B, K], on the host.
  virtual std::unique_ptr<GrowingPlacement> grow(const Tensor& z, std::int64_t n,
                                                 Backend backend) const;
};

// P(v) = softmax(-sum_c u_c(v)) of a curve u [c, V]: the distribution that energies alone would
// give, and its moments over one turn of the bins, sum_v P(v) cos(2 pi k (v + 1/2)/V) and the same
// of sin, k = 1 ... moments.
class CurveMoments {
 public:
  CurveMoments(std::int64_t components, std::int64_t bins, std::int64_t moments);

  std::int64_t features() const { return 2 * moments_; }
  // cos and sin of the middle of each bin, [features, V].
  const std::vector<float>& functions() const { return table_float_; }

  // features [2 moments]: cos and sin of k = 1, then of k = 2, ... Real: float or double.
  template <class Real>
  void evaluate(std::span<const Real> u, std::span<Real> features) const;

 private:
  template <class Real>
  const std::vector<Real>& table() const;

  std::int64_t components_, bins_, moments_;
  std::vector<float> table_float_;  // [2 moments, V]
  std::vector<double> table_double_;
};

// The mean over rows of z [B, T] of that distribution, [T, V]: uniform where a position has no
// curve. What a histogram has to be divided by where energies enter the logits. backend: reference
// or cpu, on which the energies are computed.
std::vector<double> mean_of_curves(const Placement& placement, const Tensor& z, std::int64_t bins,
                                   Backend backend);

}  // namespace arbg::nn
