// One block a row, of 32 threads for V up to 1024 to 256 for more than 4096; each of its warps
// takes groups of 128 logits. Without truncation a logit is read twice (once from a cache) and
// costs one exponential in double, 20 instructions with what stands around it: on an H100 as much
// time as its four bytes; where doubles are slower they bound it. Truncation narrows an interval of
// (logit, index) that holds the last of the kept down to one, at worst in as many passes as the two
// have bits: an order needs no sorting.
//
// Sums have an order that depends on V alone. Where a product meets a sum it is fma(), lest the
// compiler fuses here and not there: log_categorical must give the bits of draw_categorical.
#include <bit>
#include <cmath>
#include <limits>

#include "tensor/base/philox.h"
#include "tensor/ops/dispatch.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/kernel.cuh"

namespace arbg::tensor::cuda {
namespace {

constexpr std::int64_t kMostGroups = 64, kLeastGroup = 4 * kWarp, kMostWarps = 8;

// Decoding, as it meets a row.
struct Rules {
  double inverse_tau, top_p, full_support;
  std::int64_t top_k;
  bool truncates;

  explicit Rules(const Decoding& decoding)
      : inverse_tau(1 / decoding.temperature),
        top_p(decoding.top_p < 1 ? decoding.top_p : INFINITY),
        full_support(decoding.full_support),
        top_k(decoding.top_k > 0 ? decoding.top_k : std::numeric_limits<std::int64_t>::max()),
        truncates(decoding.truncates()) {}
};

// The logits of the row of this block.
struct Row {
  Span<const float> all;
  std::int64_t V;
  double inverse_tau;

  __device__ float logit(std::int64_t v) const { return all[blockIdx.x * V + v]; }

  // A number for each (logit, index), larger the earlier it comes in the order of falling logits,
  // equal ones in order of their index. A float's bits are in order, apart from its sign.
  __device__ std::uint64_t key(std::int64_t v) const {
    const float x = logit(v);
    const auto bits = std::bit_cast<std::uint32_t>(x == 0 ? 0.0F : x);  // no minus zero
    const std::uint32_t order = bits >> 31 != 0 ? ~bits : bits | 0x80000000U;
    const auto width = static_cast<std::uint64_t>(V);
    return order * width + (width - 1 - static_cast<std::uint64_t>(v));
  }
};

// How logits become probabilities: w[v] = exp((logits[v] - largest) / tau), and P(v) = w[v] f[v] /
// total, f = kept for keys from `least_kept` on and `rest` for the others.
struct Distribution {
  float largest = -INFINITY;
  double kept = 1, rest = 1;
  std::uint64_t least_kept = 0;
  double total = 0;

  __device__ double weight(const Row& row, std::int64_t v) const {
    return exp((static_cast<double>(row.logit(v)) - static_cast<double>(largest)) *
               row.inverse_tau);
  }
  __device__ double factor(const Row& row, std::int64_t v) const {
    return least_kept == 0 || row.key(v) >= least_kept ? kept : rest;
  }
  __device__ double log_p(const Row& row, std::int64_t v) const {
    const double log_total = fma(static_cast<double>(largest), row.inverse_tau, log(total));
    return fma(static_cast<double>(row.logit(v)), row.inverse_tau, -log_total) +
           log(factor(row, v));
  }
};

// How many consecutive logits are a group; a multiple of the lanes of a warp.
__device__ std::int64_t group_size(std::int64_t V) {
  return divided_up(V, kMostGroups * kLeastGroup) * kLeastGroup;
}

// The largest of all, in every thread; NaN is passed over.
__device__ float largest_logit(const Row& row, const Shared<double>& parts) {
  float largest = -INFINITY;
  for (std::int64_t v = this_thread(); v < row.V; v += block_threads()) {
    largest = fmaxf(largest, row.logit(v));
  }
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, lanes));
  }
  if (this_lane() == 0) parts[this_warp()] = static_cast<double>(largest);
  __syncthreads();
  for (int warp = 0; warp < block_threads() / kWarp; ++warp) {
    largest = fmaxf(largest, static_cast<float>(parts[warp]));
  }
  return largest;
}

// groups[g] = sum of w f over group g: each lane every 32nd, then the lanes by halving. Returns the
// sum of the groups in their order, in every thread.
__device__ double add_up(const Row& row, const Distribution& of, const Shared<double>& groups) {
  const std::int64_t size = group_size(row.V), count = divided_up(row.V, size);
  __syncthreads();  // the groups of before have been read
  for (std::int64_t g = this_warp(); g < count; g += block_threads() / kWarp) {
    double sum = 0;
    for (std::int64_t v = g * size + this_lane(); v < (g + 1) * size && v < row.V; v += kWarp) {
      sum = fma(of.weight(row, v), of.factor(row, v), sum);
    }
    sum = warp_sum(sum);
    if (this_lane() == 0) groups[g] = sum;
  }
  __syncthreads();
  double total = 0;
  for (std::int64_t g = 0; g < count; ++g) total += groups[g];
  return total;
}

// Number and weight of those with keys in first ... last - 1.
struct Part {
  std::int64_t count = 0;
  double sum = 0;
};

__device__ Part part_between(const Row& row, const Distribution& full, std::uint64_t first,
                             std::uint64_t last, const Shared<double>& sums,
                             const Shared<std::int64_t>& counts) {
  Part part;
  for (std::int64_t v = this_thread(); v < row.V; v += block_threads()) {
    const std::uint64_t key = row.key(v);
    if (key < first || key >= last) continue;
    ++part.count;
    part.sum += full.weight(row, v);
  }
  part = {warp_sum(part.count), warp_sum(part.sum)};
  __syncthreads();  // the parts of before have been read
  if (this_lane() == 0) {
    counts[this_warp()] = part.count;
    sums[this_warp()] = part.sum;
  }
  __syncthreads();
  part = {};
  for (int warp = 0; warp < block_threads() / kWarp; ++warp) {
    part.count += counts[warp];
    part.sum += sums[warp];
  }
  return part;
}

// The key from which on all are kept. Those from `last` on are known to be, with the next one after
// them as they are fewer than top_k and weigh less than top_p; those below `first` are not.
__device__ std::uint64_t least_kept_key(const Row& row, const Distribution& full,
                                        const Rules& rules, const Shared<double>& sums,
                                        const Shared<std::int64_t>& counts) {
  const double enough = rules.top_p * full.total;
  std::uint64_t first = 0, last = static_cast<std::uint64_t>(row.V) << 32;
  Part kept;
  std::int64_t undecided = row.V;
  while (undecided > 1) {
    const std::uint64_t middle = first + (last - first) / 2;
    const Part upper = part_between(row, full, middle, last, sums, counts);
    if (kept.count + upper.count < rules.top_k && kept.sum + upper.sum < enough) {
      kept = {kept.count + upper.count, kept.sum + upper.sum};
      undecided -= upper.count;
      last = middle;
    } else {
      undecided = upper.count;
      first = middle;
    }
  }
  return first;
}

// That of the row; `groups` are left as the sums that its total is made of.
__device__ Distribution distribution(const Row& row, const Rules& rules,
                                     const Shared<double>& groups) {
  ARBG_SHARED(std::int64_t, counts, kMostWarps);
  Distribution of;
  of.largest = largest_logit(row, groups);
  of.total = add_up(row, of, groups);
  if (!rules.truncates) return of;
  const double all = of.total;
  of.least_kept = least_kept_key(row, of, rules, groups, counts);
  of.rest = 0;
  of.total = add_up(row, of, groups);
  if (rules.full_support == 0) return of;
  const double share = of.total / all;
  of.kept = fma(rules.full_support, share, 1 - rules.full_support);
  of.rest = rules.full_support * share;
  of.total = add_up(row, of, groups);
  return of;
}

// The first index with w f above 0 at which the sum of w f reaches the target, in the one warp that
// asks; if rounding leaves the sum short of it, the last of a group.
__device__ std::int64_t index_at(double target, const Row& row, const Distribution& of,
                                 const Shared<double>& groups) {
  double sum = 0;
  std::int64_t g = 0;
  while (sum + groups[g] < target) sum += groups[g++];
  const std::int64_t size = group_size(row.V);
  std::int64_t chosen = 0;
  for (std::int64_t first = g * size; first < (g + 1) * size; first += kWarp) {
    const std::int64_t v = first + this_lane();
    const double own = v < row.V ? of.weight(row, v) * of.factor(row, v) : 0;
    double up_to = own;  // the sum over the lanes up to this one
    for (int lanes = 1; lanes < kWarp; lanes *= 2) {
      const double before = __shfl_up_sync(kAllLanes, up_to, static_cast<unsigned>(lanes));
      if (this_lane() >= lanes) up_to += before;
    }
    const unsigned possible = __ballot_sync(kAllLanes, own > 0);
    const unsigned reached = __ballot_sync(kAllLanes, own > 0 && sum + up_to >= target);
    if (reached != 0) return first + __ffs(static_cast<int>(reached)) - 1;
    if (possible != 0) chosen = first + 31 - __clz(static_cast<int>(possible));
    sum += __shfl_sync(kAllLanes, up_to, kWarp - 1);
  }
  return chosen;
}

// Where the random numbers of the rows are, but for the place, which only the device knows.
struct Numbers {
  std::uint64_t seed, stream;
  DrawWords words;

  __device__ double uniform(std::int32_t place, std::int64_t m) const {
    const std::uint64_t first = words.first + static_cast<std::uint64_t>(place) * words.step;
    return philox::uniform(seed, stream, first + static_cast<std::uint64_t>(m) * words.stride);
  }
};

__global__ void draw(Span<std::int32_t> index, Span<double> log_p, Span<const float> logits,
                     Span<const std::int32_t> place, std::int64_t V, Rules rules, Numbers random) {
  ARBG_SHARED(double, groups, kMostGroups);
  const Row row{logits, V, rules.inverse_tau};
  const Distribution of = distribution(row, rules, groups);
  if (this_warp() > 0) return;
  const std::int64_t m = blockIdx.x;
  std::int64_t v = 0;
  if (std::isfinite(of.total))
    v = index_at(random.uniform(place[0], m) * of.total, row, of, groups);
  if (this_lane() > 0) return;
  index[m] = static_cast<std::int32_t>(v);
  log_p[m] = of.log_p(row, v);
}

__global__ void log_of_index(Span<double> log_p, Span<const float> logits,
                             Span<const std::int32_t> index, std::int64_t V, Rules rules) {
  ARBG_SHARED(double, groups, kMostGroups);
  const Row row{logits, V, rules.inverse_tau};
  const Distribution of = distribution(row, rules, groups);
  if (this_thread() == 0) log_p[blockIdx.x] = of.log_p(row, index[blockIdx.x]);
}

__global__ void log_of_all(Span<double> log_p, Span<const float> logits, std::int64_t V,
                           Rules rules) {
  ARBG_SHARED(double, groups, kMostGroups);
  const Row row{logits, V, rules.inverse_tau};
  const Distribution of = distribution(row, rules, groups);
  for (std::int64_t v = this_thread(); v < V; v += block_threads()) {
    log_p[blockIdx.x * V + v] = of.log_p(row, v);
  }
}

// A warp for each 1024 logits of a row.
Launch one_block_each(std::int64_t rows, std::int64_t V) {
  std::int64_t warps = 1;
  while (warps < kMostWarps && warps * 1024 < V) warps *= 2;
  return {rows, warps * kWarp};
}

}  // namespace

void draw_categorical(const Tensor& logits, const Decoding& decoding, const Random& random,
                      const DrawWords& words, const Tensor& place, Drawn& drawn) {
  const std::int64_t M = logits.extent(0), V = logits.extent(1);
  launch(draw, one_block_each(M, V), numbers<std::int32_t>(drawn.index),
         numbers<double>(drawn.log_p), numbers<float>(logits), numbers<std::int32_t>(place), V,
         Rules(decoding), Numbers{random.seed(), random.stream(), words});
}

void log_categorical(const Tensor& logits, const Tensor& index, const Decoding& decoding,
                     Tensor& log_p) {
  const std::int64_t V = logits.extent(-1);
  launch(log_of_index, one_block_each(log_p.elements(), V), numbers<double>(log_p),
         numbers<float>(logits), numbers<std::int32_t>(index), V, Rules(decoding));
}

void log_categorical_all(const Tensor& logits, const Decoding& decoding, Tensor& log_p) {
  const std::int64_t V = logits.extent(-1);
  launch(log_of_all, one_block_each(row_count(logits.shape()), V), numbers<double>(log_p),
         numbers<float>(logits), V, Rules(decoding));
}

}  // namespace arbg::tensor::cuda
