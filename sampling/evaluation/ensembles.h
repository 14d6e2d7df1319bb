// What is compared: weighted samples, and reference conformations of independent replicas.
//
// Both are views; what they look at must outlive them. Positions are in nm, [rows, N, 3], energies
// in kT. Frame f of a reference is of replica f % replicas, in time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "md/molecule/topology.h"
#include "tensor/ops/draw.h"

namespace arbg::sampling {

// What log weights are: exp(-u) / q, whose mean is Z; that up to a factor; or all 0, where samples
// count alike.
enum class WeightKind { absolute, relative, none };

struct WeightedEnsemble {
  std::span<const double> positions_nm;                // [B, N, 3]
  std::span<const double> reduced_energy, log_weight;  // [B]
  std::int64_t populations = 0;    // of sequential Monte Carlo, one after the other; 0: independent
  tensor::Decoding decoding = {};  // that they were drawn with
  WeightKind weight_kind = WeightKind::absolute;
  std::int64_t replicas = 1;  // of dynamics, whose frames are interleaved as a reference's are

  std::int64_t count() const { return std::ssize(log_weight); }
};

struct ReferenceEnsemble {
  const md::Topology& topology;
  std::int64_t replicas = 1;
  std::span<const double> positions_nm;    // [frames, N, 3]
  std::span<const double> reduced_energy;  // [frames], or empty where it is not known

  std::int64_t frames() const { return std::ssize(positions_nm) / (3 * topology.atom_count()); }
};

// The share of its frames, the last ones, that training by default does not see.
constexpr double kHeldOut = 0.05;

// How many of so many frames a share held out of training is: at most 4096.
std::int64_t held_out_count(std::int64_t frames, double share);

// Those frames, at least one, replica by replica; with a share of 1 evenly spaced ones of all.
std::vector<std::int64_t> held_out_frames(std::int64_t frames, std::int64_t replicas, double share);

// Frames of replicas first ... last-1: `count` of them, or all if there are no more, every replica
// alike, evenly spaced in time.
std::vector<std::int64_t> replica_frames(std::int64_t frames, std::int64_t replicas,
                                         std::int64_t first, std::int64_t last, std::int64_t count);

// `count` of 0 ... size-1, evenly spaced; all of them if there are no more.
std::vector<std::int64_t> evenly_spaced(std::int64_t size, std::int64_t count);

// Rows [count, width] of an array [rows, width], in the order of the indices.
std::vector<double> pick(std::span<const double> rows, std::span<const std::int64_t> indices,
                         std::size_t width = 1);

}  // namespace arbg::sampling
