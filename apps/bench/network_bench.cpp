// How fast does a network train and draw, and do two backends agree about it? On random weights,
// without data or files, each number with its range.
//
// Usage: arbg_bench_network train|draw|agree [--backend cuda] [--network large] [--atoms N] ...
// Cartesian coordinates, T = 3 N. A line is a row of a Markdown table; figures are medians of the
// turns, in brackets the lowest and the highest: thousand tokens or samples a second.
//
// train: whole steps of AdamW on one batch of random coordinates, the making of which is left out;
// the reading of the batch, clipping and the optimiser are in. draw: samples with log q and
// positions. agree: log q of samples that this backend drew, here and on the cpu; and the mean
// log q of as many that the cpu drew, with standard errors. Fails where float32 is further off than
// 2e-5 a coordinate.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "apps/bench/timing.h"
#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/jobs/train_job.h"
#include "apps/runs/model_file.h"
#include "nn/heads/binned.h"
#include "sampling/proposals/generator.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::bench {
namespace {

using Clock = std::chrono::steady_clock;

const apps::CommandSpec kSpec{
    "bench_network",
    "train, draw or agree: speed and exactness of a network on random weights",
    "WHAT",
    {{"network", "NAME", "base", "sizes of demo, base, medium or large"},
     {"bins", "N", "", "other than these: bins"},
     {"channels", "N", "", "likewise: width"},
     {"layers", "N", "", "likewise: depth"},
     {"heads", "N", "", "likewise: attention heads"},
     {"dropout", "X", "0", "share of activations set to zero in training"},
     {"atoms", "N", "22", "of the molecule: 22 of alanine dipeptide, 138 of chignolin"},
     {"model", "FILE", "", "agree: a checkpoint, in place of random weights"},
     {"batch", "N", "512", "train: molecules in a step"},
     {"micro-batch", "N", "0", "train: molecules in a pass; 0: as many as suit the device"},
     {"count", "N", "1024", "draw, agree: samples in a turn"},
     {"seconds", "S", "2", "train: of a turn, at least; 0: one step"},
     {"turns", "N", "5", "train, draw: turns"},
     {"roof", "X", "", "TFLOP/s: the last column is the share of it"},
     {"save", "FILE", "", "train: writes the weights at the end"}},
    {"arbg_bench_network train --backend cuda --products bf16 --network large --atoms 138",
     "arbg_bench_network agree --backend cuda --model runs/ala2/checkpoint.safetensors"}};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

apps::TrainJob job_from(const apps::Arguments& arguments) {
  apps::TrainJob job;
  job.coordinates = "cartesian";
  apps::set_recommended(job);
  apps::set_network(job, arguments.text("network"));
  const auto other = [&](const char* name, std::int64_t& value) {
    if (arguments.given(name)) value = arguments.integer(name, 1);
  };
  other("bins", job.network.num_bins);
  other("channels", job.network.channels);
  other("layers", job.network.num_layers);
  other("heads", job.network.num_heads);
  job.network.dropout = arguments.number("dropout");
  return job;
}

std::unique_ptr<md::CoordinateMap> map_from(const apps::Arguments& arguments) {
  constexpr double kScale_nm = 0.2, kRange = 3;
  return md::make_cartesian_map(static_cast<int>(arguments.integer("atoms", 1, 100000)), kScale_nm,
                                kRange);
}

// The same coordinates at every step.
class OneBatch final : public nn::TrainingBatchSource {
 public:
  OneBatch(const nn::CoordinateBins& bins, std::int64_t rows)
      : z_(static_cast<std::size_t>(rows * bins.coordinates())) {
    const Random random(1, 1);
    const auto K = static_cast<std::size_t>(bins.coordinates());
    for (std::size_t i = 0; i < z_.size(); ++i) {
      const auto& axis = bins.axis(static_cast<std::int64_t>(i % K));
      z_[i] = axis.low + (axis.high - axis.low) * random.uniform(i);
    }
  }
  void fill(std::int64_t, std::span<double> z, std::span<double>) override {
    std::ranges::copy(z_, z.begin());
  }

 private:
  std::vector<double> z_;
};

// " 1234 (1200 to 1250) |".
void print_rates(const std::vector<double>& rates, double unit) {
  const auto [least, largest] = std::ranges::minmax(rates);
  std::printf(" %.4g (%.4g to %.4g) |", median(rates) / unit, least / unit, largest / unit);
}

void print_flops(const apps::Arguments& arguments, double flop_per_s) {
  std::printf(" %.3g |", flop_per_s * 1e-12);
  if (arguments.given("roof"))
    std::printf(" %.1f %% |\n", 100e-12 * flop_per_s / arguments.number("roof"));
  else
    std::printf(" |\n");
}

// "| arbg cuda, large | 414 | 512 by 64 | bf16 |".
void print_begin(const apps::Arguments& arguments, std::int64_t tokens, const std::string& rows,
                 Backend backend) {
  std::printf("| arbg %s, %s | %ld | %s | %s |", name_of(backend),
              arguments.text("network").c_str(), tokens, rows.c_str(),
              tensor::name_of(tensor::product_precision()));
}

void train(const apps::Arguments& arguments, Backend backend) {
  const apps::TrainJob job = job_from(arguments);
  const auto map = map_from(arguments);
  const nn::BinnedHead head(sampling::bins_of(*map, job.network.num_bins));
  nn::Transformer network(sampling::network_for(job.network, *map), backend, 1);
  nn::TrainerOptions options;
  options.batch = arguments.integer("batch", 1);
  options.micro_batch = arguments.integer("micro-batch", 0);
  options.shards = tensor::Device{backend}.is_host() ? std::min<std::int64_t>(8, options.batch) : 1;
  options.total_steps = 1000000;  // never reached: only the learning rate knows
  OneBatch source(head.bins(), options.batch);
  nn::Trainer trainer(network, head, source, options);

  const double a_turn = arguments.number("seconds");
  constexpr int kBefore = 3;  // the first finds algorithms and memory, the second records
  for (int step = 0; step < (a_turn > 0 ? kBefore : 1); ++step) trainer.train_step();
  const double tokens_a_step = static_cast<double>(options.batch * map->size());
  std::vector<double> rates;
  for (std::int64_t turn = 0; turn < arguments.integer("turns", 1); ++turn) {
    int steps = 0;
    const auto start = Clock::now();
    do trainer.train_step(), ++steps;
    while (seconds_since(start) < a_turn);
    rates.push_back(tokens_a_step * steps / seconds_since(start));
  }
  print_begin(arguments, map->size(),
              std::to_string(options.batch) + " by " +
                  std::to_string(std::min(trainer.options().micro_batch, options.batch)),
              backend);
  print_rates(rates, 1e3);
  print_flops(arguments, 3 * trainer.flops_per_token() * median(rates));
  if (arguments.given("save")) {
    nn::Checkpoint checkpoint;
    checkpoint.config = network.config();
    checkpoint.bins = head.bins();
    checkpoint.weights = trainer.checkpoint().weights;
    checkpoint.write(arguments.text("save"));
  }
}

sampling::Generator random_generator(const apps::Arguments& arguments, Backend backend) {
  const apps::TrainJob job = job_from(arguments);
  auto map = map_from(arguments);
  const auto bins = sampling::bins_of(*map, job.network.num_bins);
  return {nn::Transformer(sampling::network_for(job.network, *map), backend, 1), bins,
          std::move(map)};
}

void draw(const apps::Arguments& arguments, Backend backend) {
  const auto generator = random_generator(arguments, backend);
  sampling::SampleOptions options;
  options.count = arguments.integer("count", 1);
  const auto turns = arguments.integer("turns", 1);
  std::vector<double> rates;
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    options.first = turn * options.count;
    const auto start = Clock::now();
    generator.sample(options);
    rates.push_back(static_cast<double>(options.count) / seconds_since(start));
  }
  print_begin(arguments, generator.map().size(), std::to_string(options.count), backend);
  print_rates(rates, 1);
  print_flops(arguments, generator.network().config().flops_per_token() *
                             static_cast<double>(generator.map().size()) * median(rates));
}

struct Mean {
  double value = 0, error = 0;
};

Mean mean_of(std::span<const double> x) {
  const auto n = static_cast<double>(x.size());
  Mean mean;
  for (const double one : x) mean.value += one / n;
  for (const double one : x) mean.error += std::pow(one - mean.value, 2);
  mean.error = std::sqrt(mean.error / (n * std::max(1.0, n - 1)));
  return mean;
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = difference <= largest ? largest : difference;  // NaN stays
    if (std::isnan(largest)) break;
  }
  return largest;
}

// Samples of both that are the same to the last coordinate's cell, in per cent.
double same_cells(const nn::CoordinateBins& bins, const sampling::Samples& a,
                  const sampling::Samples& b) {
  const auto K = bins.coordinates();
  std::vector<std::int32_t> x(a.coordinates.size()), y(b.coordinates.size());
  bins.encode_rows(a.coordinates, x);
  bins.encode_rows(b.coordinates, y);
  std::int64_t same = 0;
  for (std::int64_t i = 0; i < a.count(); ++i)
    same += std::equal(x.begin() + i * K, x.begin() + (i + 1) * K, y.begin() + i * K) ? 1 : 0;
  return 100 * static_cast<double>(same) / static_cast<double>(a.count());
}

void agree(const apps::Arguments& arguments, Backend backend) {
  const auto made = [&](Backend where) {
    return arguments.given("model")
               ? apps::load_model(arguments.text("model"), where, true).generator
               : random_generator(arguments, where);
  };
  const auto here = made(backend), there = made(Backend::cpu);
  sampling::SampleOptions options;
  options.count = arguments.integer("count", 2);
  const auto drawn = here.sample(options), of_cpu = there.sample(options);
  const auto log_q_here = here.log_density(drawn.coordinates),
             log_q_there = there.log_density(drawn.coordinates);
  const double cached = largest_difference(drawn.log_q, log_q_here),
               difference = largest_difference(drawn.log_q, log_q_there);
  const Mean ours = mean_of(drawn.log_q), theirs = mean_of(of_cpu.log_q);
  const std::int64_t K = here.map().size();
  const auto precision = tensor::product_precision();
  std::printf(
      "| %s, T %ld | %s | %.1e | %.1e | %.3f +- %.3f | "
      "%.3f +- %.3f | %.1f %% |\n",
      arguments.given("model") ? "trained" : arguments.text("network").c_str(), K,
      tensor::name_of(precision), difference, cached, ours.value, ours.error, theirs.value,
      theirs.error, same_cells(here.bins(), drawn, of_cpu));
  require(
      precision != tensor::ProductPrecision::float32 || difference <= 2e-5 * static_cast<double>(K),
      "log q of the same samples differs by ", difference, " nats");
}

int measure(const apps::Arguments& arguments) {
  const Backend backend = apps::apply_common_options(arguments).backend;
  const std::string what = arguments.positional();
  if (what == "train")
    train(arguments, backend);
  else if (what == "draw")
    draw(arguments, backend);
  else if (what == "agree")
    agree(arguments, backend);
  else
    fail("what to do? train, draw or agree, got '", what, "'");
  return 0;
}

}  // namespace
}  // namespace arbg::bench

int main(int argc, char** argv) {
  try {
    const arbg::apps::Arguments arguments(arbg::bench::kSpec, {argv + 1, argv + argc});
    if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
    return arbg::bench::measure(arguments);
  } catch (const arbg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
