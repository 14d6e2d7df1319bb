// Where does a training step's time go? Each operation, forward and backward, at one micro-batch of
// a model; and what a step of drawing and of the optimiser is made of.
//
// Usage: arbg_bench_operations [--backend cuda] [--rows B --tokens T --channels C --heads H
// --layers L --bins V], by default the transformer for alanine dipeptide in internal coordinates.
// On the cpu with one thread. A line is the median time of one call; how often a training step
// calls it, and its share of the step; the bytes that have to be moved, each array once, against
// the rate of a copy; and the operations of products and attention against the rate of one large
// product. Roofs are measured first. The last line is the samples a second that one core, or the
// device, could train on if nothing else took time.
#include <array>
#include <cstdio>
#include <span>
#include <string>

#include "apps/bench/timing.h"
#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/threads.h"
#include "tensor/device/available.h"
#include "tensor/ops/adamw_step.h"
#include "tensor/ops/add.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/cached_attention.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/dropout.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/log_prob.h"
#include "tensor/ops/place.h"
#include "tensor/ops/rmsnorm.h"
#include "tensor/ops/sum_of_squares.h"
#include "tensor/ops/swiglu.h"
#include "tensor/ops/tilt.h"

namespace arbg::bench {
namespace {

using namespace tensor;

const apps::CommandSpec kSpec{
    "bench_operations",
    "the time of each operation, and the roof that it is held against",
    "",
    {{"rows", "B", "16", "molecules in a pass"},
     {"tokens", "T", "60", "coordinates of a molecule"},
     {"channels", "C", "64", "width of the transformer"},
     {"heads", "H", "4", "attention heads"},
     {"layers", "L", "3", "layers"},
     {"bins", "V", "256", "bins of a coordinate"},
     {"roof-size", "N", "1024", "the roof of products is that of one of N x N and N x 4 N"},
     {"copy-size", "N", "16777216", "the roof of bytes is that of a copy of N numbers"},
     {"seconds", "S", "0.2", "to measure one operation for, at least; 0: one call"}},
    {"arbg_bench_operations --backend cuda --rows 64 --tokens 414 --channels 768 --heads 12 "
     "--layers 16 --bins 8192 --products bf16"},
    {"seed", "threads"}};

struct Sizes {
  std::int64_t B, T, C, H, L, V;
  std::int64_t hidden() const { return 2 * 4 * C / 3; }
};

// calls: of one training step. numbers: moved, each once, all of 4 bytes. flop: 0 where bytes are
// what counts.
struct Line {
  std::string name;
  std::int64_t calls;
  double numbers, flop;
  std::function<void()> body;
  double seconds = 0;
};

class Operations {
 public:
  Operations(const Sizes& sizes, Backend backend)
      : s_(sizes), backend_(backend), x_(random({s_.B, s_.T, s_.C})), dx_(random(x_.shape())) {
    add_embedding();
    add_norms();
    add_linear("linear C to 3C", s_.L, s_.C, 3 * s_.C);
    add_attention();
    add_linear("linear C to C", s_.L, s_.C, s_.C);
    add_linear("linear C to F", 2 * s_.L, s_.C, s_.hidden());
    add_swiglu();
    add_linear("linear F to C", s_.L, s_.hidden(), s_.C);
    add_sums();
    add_linear("linear C to V", 1, s_.C, s_.V);
    add_log_prob();
    add_tilt();
    add_optimizer();
    add_drawing();
  }

  std::vector<Line>& lines() { return lines_; }

 private:
  Tensor random(const Shape& shape) const { return random_tensor(shape, backend_); }
  double rows() const { return static_cast<double>(s_.B * s_.T); }
  void add(std::string name, std::int64_t calls, double numbers, double flop,
           std::function<void()> body) {
    lines_.push_back({std::move(name), calls, numbers, flop, std::move(body)});
  }

  Tensor in_double(std::span<const double> values) const {
    const Shape shape{std::ssize(values)};
    Tensor out = Tensor::empty(shape, DType::f64, backend_);
    out.copy_from(Tensor::from_values(values, shape, Backend::reference));
    return out;
  }

  Tensor some_tokens(const Shape& shape) const {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(shape.elements()));
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] = static_cast<std::int32_t>(i * 37 % static_cast<std::size_t>(s_.V));
    return Tensor::from_indices(tokens, shape, backend_);
  }

  void add_embedding() {
    const Tensor table = random({s_.V, s_.C}), index = some_tokens({s_.B, s_.T});
    Tensor dtable = random(table.shape());
    const double stream = rows() * static_cast<double>(s_.C);
    add("embedding", 1, 2 * stream, 0, [=] { embedding(table, index); });
    add("embedding backward", 1, 2 * stream, 0,
        [=, dx = dx_]() mutable { embedding_backward(dx, index, &dtable); });
  }

  void add_norms() {
    const Tensor gain = random({s_.C}), x = x_, dx = dx_;
    Tensor dgain = random(gain.shape());
    const double stream = rows() * static_cast<double>(s_.C);
    add("rmsnorm", 2 * s_.L + 1, 2 * stream, 0, [=] { rmsnorm(x, gain, 1e-6); });
    add("rmsnorm backward", 2 * s_.L + 1, 3 * stream, 0,
        [=]() mutable { rmsnorm_backward(dx, x, gain, 1e-6, &dgain); });
  }

  void add_linear(const std::string& name, std::int64_t calls, std::int64_t K, std::int64_t N) {
    const Tensor x = random({s_.B, s_.T, K}), weight = random({N, K}), dy = random({s_.B, s_.T, N});
    Tensor dweight = random(weight.shape());
    const auto k = static_cast<double>(K), n = static_cast<double>(N);
    const double flop = 2 * rows() * k * n, moved = rows() * (k + n) + k * n;
    add(name, calls, moved, flop, [=] { linear(x, weight, Tensor()); });
    add(name + " backward", calls, 2 * moved, 2 * flop,
        [=]() mutable { linear_backward(dy, x, weight, &dweight, nullptr, true); });
  }

  void add_attention() {
    const Tensor qkv = random({s_.B, s_.T, 3 * s_.C}), dx = dx_;
    const int H = static_cast<int>(s_.H);
    Tensor saved;
    causal_attention(qkv, H, &saved);
    const double stream = rows() * static_cast<double>(s_.C);
    const double flop = 2 * stream * static_cast<double>(s_.T + 1);  // q k and p v, half of T x T
    add("attention", s_.L, 4 * stream, flop, [=] {
      Tensor kept;
      causal_attention(qkv, H, &kept);
    });
    add("attention backward", s_.L, 8 * stream, 2.5 * flop,
        [=] { causal_attention_backward(dx, qkv, saved, H); });
  }

  void add_swiglu() {
    const Shape shape{s_.B, s_.T, s_.hidden()};
    const Tensor gate = random(shape), up = random(shape), dy = random(shape);
    const auto numbers = static_cast<double>(shape.elements());
    add("swiglu", s_.L, 3 * numbers, 0, [=] { swiglu(gate, up); });
    add("swiglu backward", s_.L, 5 * numbers, 0, [=] { swiglu_backward(dy, gate, up); });
  }

  void add_sums() {
    const Tensor x = x_, dx = dx_;
    Tensor sum = random(x.shape());
    const double stream = rows() * static_cast<double>(s_.C);
    add("add", 2 * s_.L, 3 * stream, 0, [=] { tensor::add(x, dx); });
    add("add into", 2 * s_.L, 3 * stream, 0, [=]() mutable { add_into(sum, dx); });
    const PlacedRandom words{3, 5, make_place(0, backend_)};
    add("dropout", 0, 2 * stream, 0, [=] { dropout(x, 0.1, words, 0); });
  }

  void add_log_prob() {
    const Tensor logits = random({s_.B, s_.T, s_.V}), dlog_prob = random({s_.B, s_.T}),
                 index = some_tokens({s_.B, s_.T});
    const auto numbers = static_cast<double>(logits.elements());
    add("log_prob", 1, numbers, 0, [=] { log_prob(logits, index); });
    add("log_prob backward", 1, 2 * numbers, 0,
        [=] { log_prob_backward(dlog_prob, logits, index); });
  }

  // By three curves at every third position.
  void add_tilt() {
    const std::int64_t S = s_.T / 3, K = 3;
    std::vector<std::int32_t> slots(static_cast<std::size_t>(s_.T), -1);
    for (std::size_t s = 0; s < static_cast<std::size_t>(S); ++s)
      slots[3 * s + 2] = static_cast<std::int32_t>(s);
    const Tensor slot = Tensor::from_indices(slots, {s_.T}, backend_),
                 logits = random({s_.B, s_.T, s_.V}), g = random({s_.B, s_.T, K}),
                 u = random({s_.B, S, K, s_.V});
    Tensor dg = random(g.shape());
    const auto numbers = static_cast<double>(logits.elements()),
               curves = static_cast<double>(u.elements());
    add("tilt", 0, 2 * numbers + curves, 0, [=] { tilt(logits, g, u, slot); });
    add("tilt backward", 0, curves * (1 + 1.0 / K), 0,
        [=]() mutable { tilt_backward(logits, u, slot, &dg); });
  }

  // Of as many weights as the matrices of one layer; all layers and more, a step.
  void add_optimizer() {
    const std::int64_t weights = 4 * s_.C * s_.C + 3 * s_.C * s_.hidden();
    Tensor weight = random({weights}), first = random({weights}), second = random({weights});
    const Tensor gradient = random({weights}), scale = in_double(std::array{1.0});
    second.fill(1e-4);
    const auto settings = AdamWStep{0.9, 0.999, 1e-8, 1, 1e-6, 1}.numbers();
    const Tensor numbers = in_double(settings);
    const auto w = static_cast<double>(weights);
    add("sum of squares, a layer", s_.L, w, 0, [=] { sum_of_squares(std::span(&gradient, 1)); });
    add("AdamW, a layer", s_.L, 7 * w, 0,
        [=]() mutable { adamw_step(weight, gradient, first, second, scale, numbers); });
  }

  // One coordinate of B rows, the last.
  void add_drawing() {
    const Tensor qkv = random({s_.B, 3 * s_.C}), logits = random({s_.B, s_.V}),
                 place = make_place(static_cast<std::int32_t>(s_.T - 1), backend_);
    AttentionCache cache = make_attention_cache(s_.B, s_.T, s_.C, s_.H, backend_);
    cache.keys.fill(0.1);
    cache.values.fill(0.1);
    const double cached = 2 * rows() * static_cast<double>(s_.C);
    const auto choices = static_cast<double>(logits.elements());
    const Tensor x = random({s_.B, s_.C});
    const PackedWeight packed = pack_weight(random({s_.V, s_.C}));
    const auto weights = static_cast<double>(s_.V * s_.C);
    add("cached attention", 0, cached, 0, [=]() mutable { cached_attention(qkv, place, cache); });
    add("packed linear C to V", 0, weights + choices, 2 * static_cast<double>(s_.B) * weights,
        [=] { linear(x, packed, Tensor()); });
    add("draw", 0, choices, 0, [=] { draw_categorical(logits, {}, Random(3, 7), {}, place); });
  }

  Sizes s_;
  Backend backend_;
  Tensor x_, dx_;
  std::vector<Line> lines_;
};

struct Roofs {
  double flop_per_s, bytes_per_s;
};

Roofs measured_roofs(const apps::Arguments& arguments, Backend backend, const Patience& patience) {
  const auto n = arguments.integer("roof-size", 1);
  const double bytes = copy_roof(arguments.integer("copy-size", 1), backend, patience);
  std::printf("roof of bytes, a copy: %.4g GB/s\n", bytes * 1e-9);
  for (const auto precision :
       {ProductPrecision::float32, ProductPrecision::tf32, ProductPrecision::bf16}) {
    if (backend != Backend::cuda && precision != ProductPrecision::float32) continue;
    std::printf("roof of products, %s: %.4g TFLOP/s\n", name_of(precision),
                product_roof(n, precision, backend, patience) * 1e-12);
  }
  return {product_roof(n, product_precision(), backend, patience), bytes};
}

void print(const Line& line, double step_s, const Roofs& roofs) {
  const double bytes_per_s = 4 * line.numbers / line.seconds, flop_per_s = line.flop / line.seconds;
  std::printf("| %s | %.1f | %ld | %.1f %% | %.0f | %.0f %% |", line.name.c_str(),
              line.seconds * 1e6, line.calls,
              100 * line.seconds * static_cast<double>(line.calls) / step_s, bytes_per_s * 1e-9,
              100 * bytes_per_s / roofs.bytes_per_s);
  if (line.flop > 0)
    std::printf(" %.3g | %.0f %% |\n", flop_per_s * 1e-12, 100 * flop_per_s / roofs.flop_per_s);
  else
    std::printf(" | |\n");
}

void measure(const apps::Arguments& arguments) {
  const Backend backend = apps::apply_common_options(arguments).backend;
  set_thread_count(1);
  const auto size = [&](const char* name) { return arguments.integer(name, 1); };
  const Sizes sizes{size("rows"),  size("tokens"), size("channels"),
                    size("heads"), size("layers"), size("bins")};
  const Patience patience{arguments.number("seconds"), arguments.number("seconds") > 0 ? 5 : 1};
  std::printf("B %ld, T %ld, C %ld, heads %ld, layers %ld, V %ld, %s, products in %s\n", sizes.B,
              sizes.T, sizes.C, sizes.H, sizes.L, sizes.V, device_name({backend}).c_str(),
              name_of(product_precision()));
  const Roofs roofs = measured_roofs(arguments, backend, patience);
  Operations operations(sizes, backend);
  double step_s = 0;
  for (Line& line : operations.lines()) {
    line.seconds = seconds_of(line.body, backend, patience);
    step_s += static_cast<double>(line.calls) * line.seconds;
  }
  std::printf(
      "\n| operation | us | calls | share | GB/s | of roof | TFLOP/s | of roof |\n"
      "|---|---|---|---|---|---|---|---|\n");
  for (const Line& line : operations.lines()) print(line, step_s, roofs);
  std::printf("\n%.0f samples/s\n", static_cast<double>(sizes.B) / step_s);
}

}  // namespace
}  // namespace arbg::bench

int main(int argc, char** argv) {
  try {
    const arbg::apps::Arguments arguments(arbg::bench::kSpec, {argv + 1, argv + argc});
    if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
    arbg::bench::measure(arguments);
  } catch (const arbg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
