// Conformations as training batches: shuffled, in the model's coordinates, with their log target
// density.
//
// Every epoch visits every conformation once, in an order that depends on (seed, epoch) alone;
// Cartesian coordinates get a new random frame at every visit. Batch s is a function of s, so that
// a resumed run needs no saved position.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "nn/heads/coordinate_bins.h"
#include "nn/heads/head.h"
#include "nn/training/trainer.h"
#include "tensor/base/random.h"

namespace arbg::sampling {

// Coordinates z of a conformation [N, 3] in the first of the random frames (random, 0), (random,
// 1), ... that puts it inside the head's support; returns its log volume. Throws Error if none of a
// thousand does.
double encode_inside(const md::CoordinateMap& map, const nn::Head& head,
                     std::span<const double> positions_nm, const Random& random,
                     std::span<double> z);

class TrainingData : public nn::TrainingBatchSource {
 public:
  // positions_nm [M, N, 3]; reduced_energy [M] or empty (then log_target cannot be asked for).
  // Throws Error if a conformation is outside the head's support, saying how many are and the
  // coordinate most often outside, unless `drop_outside`; of coordinates that change with every
  // visit, that visit throws. Map and head must outlive this object.
  TrainingData(const md::CoordinateMap& map, const nn::Head& head, std::vector<float> positions_nm,
               std::vector<double> reduced_energy, std::uint64_t seed, bool drop_outside);

  std::int64_t size() const {
    return static_cast<std::int64_t>(log_target_.size());
  }  // conformations in use
  std::int64_t dropped() const { return dropped_; }

  // How often coordinate j is in bin v over one visit of every conformation, [K, V]: for the
  // marginals.
  std::vector<double> counts(const nn::CoordinateBins& bins) const;

  void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) override;

 private:
  double encode(std::int64_t conformation, std::uint64_t visit, std::span<double> z) const;
  void encode_all();
  void keep_inside(bool drop_outside);
  const std::vector<std::int32_t>& order(std::int64_t epoch);

  const md::CoordinateMap& map_;
  const nn::Head& head_;
  std::uint64_t seed_;
  std::vector<float> positions_nm_;  // kept only where every visit needs a new frame (Cartesian)
  std::vector<double> z_;            // [M, K], otherwise
  std::vector<double> log_target_;   // [M]: -u, plus log volume where it is the same at every visit
  bool has_energies_, new_frame_every_visit_;
  std::int64_t dropped_ = 0;
  std::int64_t epoch_ = -1;
  std::vector<std::int32_t> order_;
};

}  // namespace arbg::sampling
