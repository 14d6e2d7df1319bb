// One pass of a training step: some molecules of the batch, forward and backward.
//
// fill() brings the molecules to where the network is, into tensors that stay as long as their
// shapes do; run() asks nothing but the device, and can be repeated as one graph. What is minimised
// is a function of log q of each molecule, and of S where labels are smoothed (trainer.h).
#pragma once

#include <span>
#include <vector>

#include "nn/heads/head.h"
#include "nn/transformer/transformer.h"

namespace arbg::nn {

class TrainingPass {
 public:
  // smoothing: s of trainer.h. network and head must outlive the pass.
  TrainingPass(const Transformer& network, const Head& head, double smoothing)
      : network_(network), head_(head), smoothing_(smoothing) {}

  // z [rows, T] on the host; of each molecule, how many of its positions are no padding, and
  // log_target. batch: molecules in the whole step.
  void fill(const Tensor& z, const Molecules& molecules, std::span<const double> positions,
            std::span<const double> log_target, std::int64_t batch);

  // Whether these have a coordinate outside of the support: run() is another work then.
  bool has_outside() const { return rows_.outside.defined(); }

  // Adds to the gradients of the network. slope_numbers: those of tensor/ops/log_q_slopes.h.
  void run(const Tensor& slope_numbers, const DropoutKey& dropout);

  // Of the molecules of the last run(), in double [rows], where the network is: the sums over their
  // positions of log p, and of the smoothing term (undefined if there is none); log_drawn: of
  // log p as it is drawn (head.h).
  const Tensor& log_q() const { return log_q_; }
  const Tensor& log_drawn() const { return log_drawn_; }
  const Tensor& smoothing() const { return smoothing_sum_; }

 private:
  Tensor sums(const Variable& terms) const;
  Tensor weights(const Tensor& slope_numbers) const;

  const Transformer& network_;
  const Head& head_;
  double smoothing_;
  EncodedRows rows_;
  Molecules molecules_;
  Tensor count_;             // int32 [rows], positions that are no padding
  Tensor log_target_;        // f64 [rows]
  Tensor divisor_;           // f64 [rows], of the loss of each molecule
  Tensor smoothing_slopes_;  // [rows]
  Tensor log_q_, log_drawn_, smoothing_sum_;
};

}  // namespace arbg::nn
