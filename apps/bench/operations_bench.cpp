// Where does a training step's time go? Each operation, forward and backward, at one micro-batch of
// a model.
//
// Usage: arbg_bench_operations [B T C heads layers V], by default 16 60 64 4 3 256: the transformer
// for alanine dipeptide in internal coordinates. One thread. A line is the median time of one call,
// how often a step calls it, and its share of the step; the last line is the samples a second that
// one core could train on if nothing else took time.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "tensor/base/random.h"
#include "tensor/base/threads.h"
#include "tensor/ops/add.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/log_prob.h"
#include "tensor/ops/rmsnorm.h"
#include "tensor/ops/swiglu.h"

namespace {

using namespace arbg::tensor;
using Clock = std::chrono::steady_clock;

Tensor random_tensor(const Shape& shape) {
  static std::uint64_t stream = 0;
  const arbg::Random random(11, ++stream);
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1 * random.normal_pair(i)[0];
  return Tensor::from_values(values, shape, Backend::cpu);
}

struct Line {
  std::string name;
  std::int64_t calls;
  std::function<void()> body;
  double seconds = 0;
};

double median_seconds(const std::function<void()>& body) {
  std::vector<double> times;
  for (const auto start = Clock::now();
       Clock::now() - start < std::chrono::milliseconds(200) || times.size() < 5;) {
    const auto before = Clock::now();
    body();
    times.push_back(std::chrono::duration<double>(Clock::now() - before).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

void add_linear(std::vector<Line>& lines, const std::string& name, std::int64_t calls,
                const Shape& x_shape, std::int64_t N) {
  const Tensor x = random_tensor(x_shape), weight = random_tensor({N, x_shape[-1]});
  const Tensor dy = random_tensor({x_shape[0], x_shape[1], N});
  Tensor dweight = random_tensor(weight.shape());
  lines.push_back({name, calls, [=] { linear(x, weight, Tensor()); }});
  lines.push_back({name + " backward", calls,
                   [=]() mutable { linear_backward(dy, x, weight, &dweight, nullptr, true); }});
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t size[] = {16, 60, 64, 4, 3, 256};
  for (int i = 1; i < argc && i <= 6; ++i) size[i - 1] = std::atoll(argv[i]);
  const auto [B, T, C, heads, layers, V] = size;
  const std::int64_t F = 2 * 4 * C / 3;
  const int H = static_cast<int>(heads);
  arbg::set_thread_count(1);

  const Shape stream{B, T, C};
  const Tensor x = random_tensor(stream), dx = random_tensor(stream), gain = random_tensor({C});
  const Tensor qkv = random_tensor({B, T, 3 * C}), gate = random_tensor({B, T, F}),
               up = random_tensor({B, T, F});
  const Tensor dgated = random_tensor({B, T, F}), logits = random_tensor({B, T, V}),
               dlog_prob = random_tensor({B, T});
  const Tensor table = random_tensor({V, C});
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(B * T));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<std::int32_t>(i * 37 % static_cast<std::size_t>(V));
  const Tensor index = Tensor::from_indices(tokens, {B, T}, Backend::cpu);
  Tensor saved, dgain = random_tensor({C}), sum = random_tensor(stream),
                dtable = random_tensor({V, C});
  causal_attention(qkv, H, &saved);

  std::vector<Line> lines;
  lines.push_back({"embedding", 1, [&] { embedding(table, index); }});
  lines.push_back({"embedding backward", 1, [&] { embedding_backward(dx, index, &dtable); }});
  lines.push_back({"rmsnorm", 2 * layers + 1, [&] { rmsnorm(x, gain, 1e-6); }});
  lines.push_back(
      {"rmsnorm backward", 2 * layers + 1, [&] { rmsnorm_backward(dx, x, gain, 1e-6, &dgain); }});
  add_linear(lines, "linear C to 3C", layers, stream, 3 * C);
  lines.push_back({"attention", layers, [&] { causal_attention(qkv, H, &saved); }});
  lines.push_back(
      {"attention backward", layers, [&] { causal_attention_backward(dx, qkv, saved, H); }});
  add_linear(lines, "linear C to C", layers, stream, C);
  add_linear(lines, "linear C to F", 2 * layers, stream, F);
  lines.push_back({"swiglu", layers, [&] { swiglu(gate, up); }});
  lines.push_back({"swiglu backward", layers, [&] { swiglu_backward(dgated, gate, up); }});
  add_linear(lines, "linear F to C", layers, {B, T, F}, C);
  lines.push_back({"add", 2 * layers, [&] { add(x, dx); }});
  lines.push_back({"add into", 2 * layers, [&] { add_into(sum, dx); }});
  add_linear(lines, "linear C to V", 1, stream, V);
  lines.push_back({"log_prob", 1, [&] { log_prob(logits, index); }});
  lines.push_back({"log_prob backward", 1, [&] { log_prob_backward(dlog_prob, logits, index); }});

  double total = 0;
  for (Line& line : lines)
    total += static_cast<double>(line.calls) * (line.seconds = median_seconds(line.body));
  std::printf("B %ld  T %ld  C %ld  heads %ld  layers %ld  V %ld, one thread\n\n", B, T, C, heads,
              layers, V);
  for (const Line& line : lines) {
    std::printf("%-24s %9.1f us  x %2ld  %5.1f %%\n", line.name.c_str(), line.seconds * 1e6,
                line.calls, 100 * line.seconds * static_cast<double>(line.calls) / total);
  }
  std::printf("\n%.0f samples/s\n", static_cast<double>(B) / total);
}
