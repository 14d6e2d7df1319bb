#include "nn/training/training_pass.h"

#include "autograd/functions.h"
#include "tensor/ops/concat.h"
#include "tensor/ops/log_q_slopes.h"
#include "tensor/ops/mask_rows.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/reduce.h"

namespace arbg::nn {
namespace {

// The numbers of `fresh`, in the tensor that is there already if they fit into it: a device that
// repeats its work finds them where they were.
void keep(Tensor& kept, const Tensor& fresh) {
  const bool fits = kept.defined() && fresh.defined() && kept.shape() == fresh.shape() &&
                    !kept.device().is_host();
  if (fits)
    kept.copy_from(fresh);
  else
    kept = fresh;
}

}  // namespace

void TrainingPass::fill(const Tensor& z, const Molecules& molecules,
                        std::span<const double> positions, std::span<const double> log_target,
                        std::int64_t batch) {
  const auto backend = network_.backend();
  const bool smooths = smoothing_ > 0;
  const auto rows = head_.encode(z, network_.input_rows(), backend, smooths);
  keep(rows_.before, rows.before);
  keep(rows_.own, rows.own);
  keep(rows_.one_column, rows.one_column);
  rows_.placement.told = rows.placement.told;
  keep(rows_.placement.energies, rows.placement.energies);
  keep(rows_.placement.slot, rows.placement.slot);
  keep(rows_.placement.features, rows.placement.features);
  keep(rows_.within, rows.within);
  keep(rows_.coordinates, rows.coordinates);
  rows_.outside = rows.outside;
  molecules_ = molecules;
  std::vector<std::int32_t> count;
  std::vector<double> divisor, smoothing_slopes;
  for (const double own : positions) {
    count.push_back(static_cast<std::int32_t>(own));
    divisor.push_back(static_cast<double>(batch) * own);
    smoothing_slopes.push_back(-smoothing_ / divisor.back());
  }
  const std::vector<double> zeros(positions.size());
  const std::span<const double> none = zeros;
  keep(count_, Tensor::from_indices(count, {std::ssize(count)}, backend));
  tensor::set_numbers(divisor_, divisor, backend);
  tensor::set_numbers(log_target_, log_target.empty() ? none : log_target, backend);
  if (smooths)
    keep(smoothing_slopes_,
         Tensor::from_values(smoothing_slopes, {std::ssize(smoothing_slopes)}, backend));
}

void TrainingPass::run(const Tensor& slope_numbers, const DropoutKey& dropout) {
  const Variable embedded = head_.embed(network_.input_table(), rows_);
  const Variable parameters =
      network_.outputs(embedded, molecules_, dropout, head_.placement_rows(rows_));
  Variable terms = network_.without_padding(head_.log_p(parameters, rows_), molecules_);
  keep(log_q_, sums(terms));
  if (head_.draws_as_trained())
    log_drawn_ = log_q_;
  else
    keep(log_drawn_, head_.log_drawn(log_q_, parameters.value(), rows_, count_));
  if (smoothing_ > 0) {
    const Variable smoothing = head_.smoothing_term(parameters, rows_);
    keep(smoothing_sum_, sums(smoothing));
    terms = autograd::concat(terms, smoothing);
  }
  autograd::backward(terms, weights(slope_numbers));
}

// Of terms [rows, T], over the positions that are no padding.
Tensor TrainingPass::sums(const Variable& terms) const {
  return tensor::sum_last_in_double(tensor::mask_rows(terms.value(), count_, 0));
}

// d loss / d terms: of log p, the same at all positions of a molecule; of smoothing terms, too, but
// 0 where there is padding.
Tensor TrainingPass::weights(const Tensor& slope_numbers) const {
  const Shape shape = rows_.own.shape();
  const Tensor slopes = tensor::log_q_slopes(log_drawn(), log_target_, divisor_, slope_numbers);
  const Tensor of_log_p = tensor::sum_last_backward(slopes, shape);
  if (smoothing_ == 0) return of_log_p;
  const Tensor of_smoothing = tensor::sum_last_backward(smoothing_slopes_, shape);
  return tensor::concat(of_log_p, tensor::mask_rows(of_smoothing, count_, 0));
}

}  // namespace arbg::nn
