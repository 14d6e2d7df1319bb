// Time-lagged independent components: the linear functions of features that lose their memory most
// slowly.
//
// Features z in R^F of frames, pairs (x, y) = (z_t, z_{t+lag}) of one replica, weights w of pairs,
// W = sum w, and over all pairs of all replicas
//   m  = sum w (x + y) / 2W
//   C0 = sum w [(x-m)(x-m)' + (y-m)(y-m)'] / 2W
//   Ct = sum w [(x-m)(y-m)' + (y-m)(x-m)'] / 2W.
// Ct v = lambda C0 v is solved in the space of those eigenvectors of C0 whose eigenvalue is at
// least `least_variance` (absolute, in squared units of the features; more, where C0 has a negative
// eigenvalue of that size), v' C0 v = 1. Components come by descending |lambda|, component i of z
// is lambda_i v_i'(z - m) (the kinetic map), and v_i's entry of largest size is positive.
// Source: Perez-Hernandez, Paul, Giorgino, De Fabritiis, Noe, J. Chem. Phys. 139, 015102 (2013);
// scaling: Noe, Clementi, J. Chem. Theory Comput. 11, 5002 (2015).
//
// Koopman weights make up for replicas that have not started in equilibrium. With m0, my the means
// of x and y, C00, C0y the covariances of x with x and y, L whitening of C00 as above,
// K = L' C0y L, the stationary density over that of x is, within these features,
//   w(x) = 1 + (x - m0)' L u,   (1 - K') u = L'(my - m0),
// which may be negative: of features nearly as many as independent frames, so many weights are that
// C0 loses its rank and |lambda| exceeds 1; then fit without. Source: Wu, Nueske, Paul, Klus,
// Koltai, Noe, J. Chem. Phys. 146, 154104 (2017), which writes u as the left eigenvector of
// eigenvalue 1 of K with a constant added.
//
// Conventions are those of deeptime 0.4.5, `TICA(dim, lagtime)` fitted with weights =
// `KoopmanWeightingEstimator(lagtime)` or without. Published evaluations call
// `tica.fit(features, model)`; deeptime takes weights by name only and ignores the second argument,
// so that such figures are those of reweight = false.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "tensor/base/json.h"

namespace arbg::metrics {

// The features of one replica, frame after frame. read(first, count, out) fills out [count, F],
// row-major, with those of frames first ... first + count - 1; it is called by one thread.
struct FeatureSeries {
  std::size_t frames = 0;
  std::function<void(std::size_t first, std::size_t count, std::span<double> out)> read;
};

// Of an array [frames, F] in memory, which must outlive the result. Throws Error unless it holds
// whole frames.
FeatureSeries series_of(std::span<const double> features, std::size_t feature_count);

struct TicaSettings {
  std::size_t lag = 100;  // frames
  std::size_t components = 2;
  bool reweight = true;  // by Koopman weights
  double least_variance = 1e-6;
};

struct Tica {
  std::size_t lag = 0, rank = 0;  // rank: eigenvectors of C0 that were kept
  bool reweighted = false;
  std::vector<double> mean;          // m [F]
  std::vector<double> eigenvalues;   // lambda [d]
  std::vector<double> coefficients;  // lambda_i v_i [F, d], row-major

  std::size_t feature_count() const { return mean.size(); }
  std::size_t components() const { return eigenvalues.size(); }
};

// Two passes over the frames (one without weights), about 1.5 F^2 multiplications a frame and pass,
// by all threads, with the same result for any number of them. Memory: about ten F x F matrices and
// two blocks of max(1024, lag) + lag frames. Throws Error if no replica is longer than the lag, the
// lag is 0, a feature is not finite (naming replica, frame and feature), the rank is less than the
// components, or more than one density is stationary (replicas that never meet, say).
Tica fit_tica(std::span<const FeatureSeries> replicas, std::size_t feature_count,
              const TicaSettings& settings = {});

// The components [frames, d], row-major, of any samples. Throws Error if a feature is not finite.
std::vector<double> project(const Tica& tica, const FeatureSeries& samples);

// All of it, to the last bit, so that later samples are projected alike. Throws Error for what is
// missing, of another length, or not finite.
Json to_json(const Tica& tica);
Tica tica_from_json(const Json& json);

}  // namespace arbg::metrics
