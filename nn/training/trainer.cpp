#include "nn/training/trainer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>

#include "nn/optimizer/schedule.h"
#include "tensor/base/error.h"
#include "tensor/device/available.h"
#include "tensor/device/for_each_on.h"
#include "tensor/ops/add.h"
#include "tensor/ops/clip_scale.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/place.h"
#include "tensor/ops/sum_of_squares.h"
#include "tensor/ranks/rank_sums.h"
#include "tensor/side_by_side.h"

namespace arbg::nn {
namespace {

constexpr double kBudgetParts = 1e6;    // of a time budget, which stand for steps in the schedule
constexpr double kMeanRate = 0.05;      // of running means
constexpr std::int64_t kPiece = 16384;  // of a gradient, summed at once

// Molecules of a pass: as many as asked for, or as suit the device.
std::int64_t micro_batch_for(const Transformer& network, const TrainerOptions& options) {
  constexpr double kMost = 24.0 * (1 << 30), kShare = 0.3;
  if (options.micro_batch > 0) return options.micro_batch;
  const tensor::Device device{network.backend()};
  if (device.is_host()) return TrainerOptions().micro_batch;
  const double most =
      tensor::share_of_memory(device, kShare, kMost) / network.config().training_bytes_a_molecule();
  return std::max<std::int64_t>(1, std::llround(most));
}

TrainerOptions checked(TrainerOptions options) {
  options.check();
  return options;
}

// A running mean, which begins with the first value.
void follow(std::optional<double>& mean, double value) {
  mean = mean ? *mean + kMeanRate * (value - *mean) : value;
}

// H(d) = d^2/2 for |d| <= clip, clip (|d| - clip/2) beyond.
double huber(double d, double clip) {
  const double within = std::min(std::abs(d), clip);
  return within * (std::abs(d) - within / 2);
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Trainer::Trainer(Transformer& network, const Head& head, TrainingBatchSource& source,
                 TrainerOptions options, std::function<double()> clock, const Ranks& ranks)
    : network_(network),
      head_(head),
      source_(source),
      options_(checked(std::move(options))),
      micro_batch_(micro_batch_for(network, options_)),
      clock_(std::move(clock)),
      ranks_(ranks),
      shards_(ranks.share(options_.shards)),
      total_steps_(options_.total_steps),
      optimizer_(options_.make_optimizer(network.parameters())),
      average_(network.parameters(), options_.average_decay),
      z_(static_cast<std::size_t>(options_.batch * network.config().length())),
      positions_(static_cast<std::size_t>(options_.batch)),
      log_target_(options_.variance_weight > 0 ? static_cast<std::size_t>(options_.batch) : 0),
      log_q_(static_cast<std::size_t>(options_.batch)),
      log_drawn_(head.draws_as_trained() ? 0 : log_target_.size()),
      smoothing_(static_cast<std::size_t>(options_.batch)),
      place_of_step_(tensor::make_place(0, network.backend())),
      slope_numbers_(Tensor::zeros({3}, DType::f64, network.backend())),
      gradient_square_(Tensor::zeros({1}, DType::f64, network.backend())),
      work_of_step_({network.backend()}, [this] { work_of_step(); }) {
  head.require_fits(network.config());
  for (auto shard = shards_.first; shard < shards_.last; ++shard) {
    replicas_.push_back(network.replica());
    replicas_.back().keep_gradients();
  }
  for (auto shard = shards_.first; shard < shards_.last; ++shard) {
    const auto last = first_molecule(shard + 1);
    for (auto first = first_molecule(shard); first < last; first += micro_batch_)
      passes_.push_back({shard,
                         first,
                         std::min(micro_batch_, last - first),
                         {replica_of(shard), head, options_.label_smoothing}});
  }
  gradients_ = sums_in_place() ? gradients_of(replicas_.front().parameters())
                               : tensor::zeros_laid_out_like(values_of(network.parameters()));
  for (const auto i : tensor::one_of_each_storage(gradients_))
    gradient_storages_.push_back(gradients_[i].whole());
}

// Of the step to come.
double Trainer::learning_rate() const {
  const auto& o = options_;
  const auto schedule = o.schedule == ScheduleKind::constant ? constant_rate : one_cycle;
  const bool by_time = total_steps_ == 0;
  const auto at = by_time ? std::llround(budget_share() * kBudgetParts) : step_,
             of = by_time ? std::llround(kBudgetParts) : total_steps_;
  return schedule(at, of, o.learning_rate, o.warm_up, o.start_divisor);
}

// Without the mean c there is no variance term yet.
double Trainer::variance_weight() const {
  const double least = options_.variance_weight, most = options_.variance_weight_most;
  if (!variance_centre_) return 0;
  return mean_square_ && most > least ? std::clamp(1 / *mean_square_, least, most) : least;
}

void Trainer::fill_slope_numbers() {
  const std::array numbers{variance_weight(), variance_centre_.value_or(0), options_.variance_clip};
  tensor::set_numbers(slope_numbers_, numbers, network_.backend());
}

// Forward and backward of the shard's molecules, pass by pass, into its replica's gradients.
void Trainer::run_shard(std::int64_t shard) {
  replica_of(shard).clear_gradients();
  for (auto& pass : passes_)
    if (pass.shard == shard)
      pass.work.run(slope_numbers_, DropoutKey{options_.seed, place_of_step_, pass.first});
}

// The first n coordinates of each of the rows.
Tensor Trainer::first_coordinates(std::int64_t first, std::int64_t rows, std::int64_t n) const {
  std::vector<double> out;
  for (auto b = first; b < first + rows; ++b) {
    const auto row = z_.begin() + b * network_.config().length();
    out.insert(out.end(), row, row + n);
  }
  return host_rows(out, n);
}

void Trainer::fill_pass(std::size_t pass) {
  const auto first = passes_[pass].first, rows = passes_[pass].rows;
  const auto part = [&, begin = static_cast<std::size_t>(first)](const std::vector<double>& all) {
    const std::span<const double> numbers = all;
    return all.empty() ? numbers : numbers.subspan(begin, static_cast<std::size_t>(rows));
  };
  // T is of the longest of these molecules: behind it all is padding.
  const auto T = static_cast<std::int64_t>(std::ranges::max(part(positions_)));
  const Molecules molecules = molecules_.defined()
                                  ? molecules_.rows(first, rows).trimmed().to(network_.backend())
                                  : molecules_;
  passes_[pass].work.fill(first_coordinates(first, rows, T), molecules, part(positions_),
                          part(log_target_), options_.batch);
}

// What the passes have summed up: all that a step reads but the norm of its gradient.
void Trainer::read_passes() {
  for (const auto& pass : passes_) {
    std::ranges::copy(pass.work.log_q().values(), log_q_.begin() + pass.first);
    if (!log_drawn_.empty())
      std::ranges::copy(pass.work.log_drawn().values(), log_drawn_.begin() + pass.first);
    if (options_.label_smoothing > 0)
      std::ranges::copy(pass.work.smoothing().values(), smoothing_.begin() + pass.first);
  }
}

// log q and S of the molecules in other ranks' shards.
void Trainer::gather_log_q() {
  const auto first = static_cast<std::size_t>(first_molecule(shards_.first)),
             last = static_cast<std::size_t>(first_molecule(shards_.last));
  for (auto* numbers : {&log_q_, &log_drawn_, &smoothing_})
    if (!numbers->empty())
      *numbers = ranks_.gather(std::span<const double>(*numbers).subspan(first, last - first));
}

// Of a parameter's gradients, numbers first ... first + count - 1: the sum over a branch of the
// tree.
Tensor Trainer::branch_sum(std::size_t parameter, const Share& shards, std::int64_t first,
                           std::int64_t count) const {
  if (shards.count() == 1) {
    const Tensor& all = replica_of(shards.first).parameters()[parameter].variable.grad();
    return all.reshape({all.elements()}).rows(first, count);
  }
  const auto middle = shards.first + left_leaves(shards.count());
  return tensor::add(branch_sum(parameter, {shards.first, middle}, first, count),
                     branch_sum(parameter, {middle, shards.last}, first, count));
}

// The same for all its numbers, piece by piece: what is added up in between stays in the cache.
void Trainer::sum_branch(std::size_t parameter, const Share& shards, Tensor& sum) const {
  const Tensor all = sum.reshape({sum.elements()});
  const auto most = all.device().is_host() ? kPiece : all.elements();
  for (std::int64_t first = 0; first < all.elements(); first += most) {
    const auto count = std::min(most, all.elements() - first);
    Tensor piece = all.rows(first, count);
    piece.copy_from(branch_sum(parameter, shards, first, count));
  }
}

void Trainer::sum_branches(const Share& shards) {
  tensor::for_each_on({network_.backend()}, std::ssize(gradients_), [&](std::int64_t i) {
    const auto parameter = static_cast<std::size_t>(i);
    sum_branch(parameter, shards, gradients_[parameter]);
  });
}

// The sums of each rank's branches, all gradients one behind the other; ranks add up the rest
// together.
void Trainer::sum_over_ranks() {
  std::int64_t size = 0;
  for (const auto& storage : gradient_storages_) size += storage.elements();
  const auto branches = ranks_.branches(options_.shards, ranks_.rank());
  Tensor own =
      Tensor::empty({std::ssize(branches), size}, gradients_.front().dtype(), network_.backend());
  const auto each_storage = [&](const Tensor& all, std::int64_t first, const auto& copy) {
    for (auto& storage : gradient_storages_) {
      Tensor there = all.reshape({all.elements()}).rows(first, storage.elements());
      copy(storage, there);
      first += storage.elements();
    }
  };
  for (std::size_t b = 0; b < branches.size(); ++b) {
    sum_branches(branches[b]);
    each_storage(own, static_cast<std::int64_t>(b) * size,
                 [](const Tensor& storage, Tensor& there) { there.copy_from(storage); });
  }
  each_storage(tensor::sum_branches(ranks_, options_.shards, own), 0,
               [](Tensor& storage, const Tensor& there) { storage.copy_from(there); });
}

// One rank on a device adds what shards have kept to what the first of them has.
bool Trainer::sums_in_place() const {
  return ranks_.count() == 1 && !tensor::Device{network_.backend()}.is_host();
}

void Trainer::sum_in_place(const Share& shards) {
  if (shards.count() == 1) return;
  const auto middle = shards.first + left_leaves(shards.count());
  sum_in_place({shards.first, middle});
  sum_in_place({middle, shards.last});
  const auto& left = replica_of(shards.first).kept_gradients();
  const auto& right = replica_of(middle).kept_gradients();
  for (std::size_t i = 0; i < left.size(); ++i) {
    Tensor sum = left[i];
    tensor::add_into(sum, right[i]);
  }
}

// Sums over shards, as a tree.
void Trainer::sum_gradients() {
  if (sums_in_place()) {
    sum_in_place(shards_);
  } else if (ranks_.count() == 1) {
    sum_branches(shards_);
  } else {
    sum_over_ranks();
  }
  gradient_square_.copy_from(tensor::sum_of_squares(gradient_storages_));
}

// Loss, its parts, and the running means for the next step, which stay if the loss is not finite:
// then the step has changed nothing but, perhaps, the bases of SOAP, with the moments in them.
void Trainer::finish_batch(StepReport& report) {
  const double count = static_cast<double>(options_.batch), weight = variance_weight();
  double nats = 0, smoothing = 0, difference = 0, variance = 0, variance_loss = 0, square = 0;
  for (std::size_t b = 0; b < log_q_.size(); ++b) {
    nats -= log_q_[b] / positions_[b];
    smoothing -= smoothing_[b] / positions_[b];
    if (log_target_.empty()) continue;
    require(std::isfinite(log_target_[b]), "the batch of step ", step_,
            " has a log target density of ", log_target_[b], " for its molecule ", b);
    const double d = (log_drawn_.empty() ? log_q_ : log_drawn_)[b] - log_target_[b];
    difference += d;
    if (!variance_centre_) continue;
    const double h = huber(d - *variance_centre_, options_.variance_clip);
    square += std::pow(std::min(std::abs(d - *variance_centre_), options_.variance_clip), 2);
    variance += h;
    variance_loss += h / positions_[b];
  }
  report.nats_per_coordinate = nats / count;
  report.variance = variance / count;
  report.variance_weight = weight;
  report.loss = report.nats_per_coordinate + options_.label_smoothing * smoothing / count +
                weight * variance_loss / count;
  require(std::isfinite(report.gradient_norm) && std::isfinite(report.loss),
          "training diverged: at step ", step_ + 1, " the loss is ", report.loss,
          " and the gradient norm ", report.gradient_norm,
          "; lower the learning rate or the clip norm; the last checkpoint stays as it is");
  if (log_target_.empty()) return;
  if (variance_centre_) follow(mean_square_, square / count);
  follow(variance_centre_, difference / count);
}

// The molecules of this step's batch, and how many positions each has: on the host, where lengths
// of micro-batches are decided.
void Trainer::fetch_molecules() {
  const auto T = network_.config().length();
  molecules_ = source_.molecules(step_, Backend::cpu);
  std::ranges::fill(positions_, static_cast<double>(T));
  if (!molecules_.defined()) return;
  molecules_.check();
  require(molecules_.batch() == options_.batch, "the source gives ", molecules_.batch(),
          " molecules for a batch of ", options_.batch);
  const auto real = network_.positions_of(molecules_, T);
  std::ranges::copy(real, positions_.begin());
}

// What is the same in every step but for numbers in tensors, as repeated work has to be: one rank,
// every molecule of one length and inside the support.
bool Trainer::can_be_repeated() const {
  const auto has_outside = [](const Pass& pass) { return pass.work.has_outside(); };
  return ranks_.count() == 1 && !molecules_.defined() && std::ranges::none_of(passes_, has_outside);
}

// A gradient that is not finite leaves everything as it is (clip_scale.h).
void Trainer::work_of_step() {
  tensor::for_each_on({network_.backend()}, shards_.count(),
                      [&](std::int64_t i) { run_shard(shards_.first + i); });
  sum_gradients();
  const double largest = options_.clip_norm > 0 ? options_.clip_norm : INFINITY;
  const Tensor scale = tensor::clip_scale(gradient_square_, largest);
  optimizer_->update(gradients_, scale);
  average_.update(scale);
}

// If its memory does not do: how many molecules would fit into half of the device beside each
// other.
void Trainer::run_work_of_step() {
  try {
    if (can_be_repeated())
      work_of_step_.run();
    else
      work_of_step();
  } catch (const OutOfMemory& error) {
    const auto now = std::min(micro_batch_, options_.batch);
    const double fit = static_cast<double>(error.bytes_of_device) / 2 /
                       network_.config().training_bytes_a_molecule();
    const auto smaller =
        std::clamp<std::int64_t>(std::llround(fit), 1, std::max<std::int64_t>(now / 2, 1));
    fail(error.what(), "; a pass has ", now, " molecules, ", smaller, " should fit: --micro-batch ",
         smaller);
  }
}

StepReport Trainer::train_step() {
  require(!done(), "training is finished: ", step_, " of ", total_steps_, " steps are done");
  const double start_s = clock_();
  source_.fill(step_, z_, log_target_);
  fetch_molecules();
  fill_slope_numbers();
  place_of_step_.copy_from(
      tensor::make_place(static_cast<std::int32_t>(step_), network_.backend()));
  tensor::for_each_on({network_.backend()}, std::ssize(passes_),
                      [&](std::int64_t i) { fill_pass(static_cast<std::size_t>(i)); });
  StepReport report;
  report.learning_rate = learning_rate();
  optimizer_->set_step(report.learning_rate, step_ + 1);
  average_.set_step(step_ + 1);
  run_work_of_step();
  read_passes();
  gather_log_q();

  report.gradient_norm = std::sqrt(gradient_square_.item());
  finish_batch(report);
  ++step_;

  const double elapsed_s = ranks_.broadcast(clock_() - start_s);
  if (total_steps_ == 0) {
    spent_s_ += elapsed_s;
    // Another such step would end further beyond the budget than this one ends before it.
    if (spent_s_ + elapsed_s / 2 >= options_.time_budget_s) total_steps_ = step_;
  }
  const auto steps = static_cast<double>(total_steps_);
  report.step = step_, report.total_steps = total_steps_;
  report.progress = total_steps_ == 0 ? budget_share() : static_cast<double>(step_) / steps;
  const auto count = static_cast<double>(options_.batch);
  report.samples_per_second = count / elapsed_s;
  report.positions_per_sample = std::accumulate(positions_.begin(), positions_.end(), 0.0) / count;
  return report;
}

bool Trainer::evaluation_due() const {
  const auto every = options_.evaluate_every;
  return every > 0 && step_ > 0 && (step_ % every == 0 || all_steps_done());
}

Transformer Trainer::evaluated_network() const {
  const NamedTensors average = average_.values();
  if (average.empty()) return network_.replica();
  Transformer network(network_.config(), network_.backend(), 0);
  network.load(average);
  return network;
}

Checkpoint Trainer::checkpoint() const {
  const auto own = [](NamedTensors tensors) {
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    return tensors;
  };
  Checkpoint checkpoint;
  checkpoint.config = network_.config();
  checkpoint.weights = own(network_.values());
  checkpoint.averaged_weights = own(average_.values());
  checkpoint.first_moments = own(optimizer_->first_moments());
  checkpoint.second_moments = own(optimizer_->second_moments());
  checkpoint.trainer["options"] = options_.to_json();
  checkpoint.trainer["step"] = step_;
  checkpoint.trainer["total_steps"] = total_steps_;
  checkpoint.trainer["spent_s"] = spent_s_;
  if (variance_centre_) checkpoint.trainer["variance_centre"] = *variance_centre_;
  if (mean_square_) checkpoint.trainer["mean_square"] = *mean_square_;
  if (options_.evaluate_every > 0) checkpoint.trainer["best"] = best_.to_json();
  return checkpoint;
}

void Trainer::resume(const Checkpoint& checkpoint) {
  require(!checkpoint.trainer.is_null(),
          "this file is only a model: it holds no training state to resume from");
  require(
      checkpoint.config.to_json().dump() == network_.config().to_json().dump(),
      "the checkpoint to resume from is of another network: ", checkpoint.config.to_json().dump());
  network_.load(checkpoint.weights);
  optimizer_->load(checkpoint.first_moments, checkpoint.second_moments);
  average_.load(checkpoint.averaged_weights);
  step_ = checkpoint.trainer.at("step").integer();
  total_steps_ = checkpoint.trainer.at("total_steps").integer();
  spent_s_ = checkpoint.trainer.at("spent_s").number();
  require(step_ >= 0 && total_steps_ >= 0, "the checkpoint is at step ", step_, " of ",
          total_steps_);
  if (checkpoint.trainer.has("best"))
    best_ = EarlyStopping::from_json(checkpoint.trainer.at("best"));
  const auto& kept = checkpoint.trainer;
  variance_centre_ = mean_square_ = {};
  if (kept.has("variance_centre")) variance_centre_ = kept.at("variance_centre").number();
  if (kept.has("mean_square")) mean_square_ = kept.at("mean_square").number();
}

}  // namespace arbg::nn
