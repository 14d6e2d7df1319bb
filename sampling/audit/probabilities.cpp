#include "sampling/audit/probabilities.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sampling/audit/replay.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr double kNoRounding = 0;
constexpr std::size_t kMostProbes = 64;

// A network of a few positions and bins with the options of `whole` and weights of order one, so
// that every conditional depends on every token before it; its sequences can be counted. Networks
// of many molecules lose their conditioning.
Generator reduced_generator(const Generator& whole, std::int64_t atoms, std::int64_t bins) {
  nn::TransformerConfig config = whole.network().config();
  config.conditioning.reset();
  config.add_cond_to_input = config.global_cond = config.cross_attention = false;
  config.cross_head_norm = config.cross_gate = config.zero_output = false;
  config.num_bins = bins;
  config.channels = 8;
  config.num_heads = 2;
  config.num_layers = std::min<std::int64_t>(config.num_layers, 2);
  config.num_dims = 3;
  config.dim_index.clear();
  config.atom_index.clear();
  config.set_cartesian(atoms);
  nn::Transformer network(config, whole.network().backend(), 1);
  nn::NamedTensors lively;
  for (const auto& [name, value] : network.values()) {
    auto numbers = value.values();
    const Random random(11, stream_id(name));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += 0.4 * random.normal_pair(i)[0];
    lively.emplace_back(name, nn::Tensor::from_values(numbers, value.shape(), network.backend()));
  }
  network.load(lively);
  auto map = md::make_cartesian_map(static_cast<int>(atoms), 0.1, 3.0);
  auto axes = bins_of(*map, bins);
  return {std::move(network), std::move(axes), std::move(map)};
}

// The sum over all V^K cells of q times the cell's volume, less one.
Check total_probability(const Generator& whole) {
  constexpr std::int64_t kAtoms = 2, kBins = 3;
  const Generator small = reduced_generator(whole, kAtoms, kBins);
  const std::int64_t K = small.map().size();
  std::vector<double> all, width;
  std::int64_t count = 1;
  double volume = 1;
  for (std::int64_t j = 0; j < K; ++j) {
    count *= kBins;
    width.push_back((small.bins().axis(j).high - small.bins().axis(j).low) / kBins);
    volume *= width.back();
  }
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0, rest = i; j < K; ++j, rest /= kBins) {
      const double place = static_cast<double>(rest % kBins) + 0.5;
      all.push_back(small.bins().axis(j).low + place * width[static_cast<std::size_t>(j)]);
    }
  }
  double total = 0;
  for (const double log_q : small.log_density(all)) total += std::exp(log_q) * volume;
  const bool exact = small.network().backend() == nn::Backend::reference;
  return judged("q over all sequences of a reduced network sums to 1", std::abs(total - 1),
                exact ? 1e-12 : 1e-5,
                std::to_string(count) + " sequences, the model's options, random weights");
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = worse(largest, std::abs(a[i] - b[i]));
  return largest;
}

// One token of a sequence is changed at a time: logits up to its place must not move by a bit,
// those of the next place must.
Check causality(const Generator& generator, std::span<const std::int32_t> row) {
  const auto K = row.size(), V = static_cast<std::size_t>(generator.bins().bins());
  std::vector<std::size_t> places;
  const std::size_t probes = std::min(K - 1, kMostProbes);
  for (std::size_t i = 0; i < probes; ++i) places.push_back(i * (K - 1) / probes);
  // Every copy stands in its row of a batch, so that the same instructions run over both.
  Tokens same, changed;
  for (const auto place : places) {
    same.insert(same.end(), row.begin(), row.end());
    changed.insert(changed.end(), row.begin(), row.end());
    auto& token = changed[changed.size() - K + place];
    token = static_cast<std::int32_t>((static_cast<std::size_t>(token) + (V + 1) / 2) % V);
  }
  const auto before = uncached_logits(generator, generator.network(), same),
             after = uncached_logits(generator, generator.network(), changed);
  double moved = 0, deaf = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t begin = i * K * V, place = begin + (places[i] + 1) * V;
    for (std::size_t k = begin; k < place; ++k) moved += before[k] != after[k];
    deaf += std::equal(before.begin() + static_cast<std::ptrdiff_t>(place),
                       before.begin() + static_cast<std::ptrdiff_t>(place + V),
                       after.begin() + static_cast<std::ptrdiff_t>(place));
  }
  return judged("logits moved by a token at or after their place", moved, kNoRounding,
                std::to_string(places.size()) + " probes, " +
                    std::to_string(static_cast<int>(deaf)) + " without effect on the next place");
}

// A copy of the network with 1 added to a row of the token table.
nn::Transformer with_token_row_raised(const nn::Transformer& network, std::int64_t row) {
  nn::NamedTensors values;
  for (const auto& [name, value] : network.values()) {
    auto numbers = value.values();
    const auto C = static_cast<std::size_t>(network.config().channels);
    for (std::size_t c = 0; name == "token_embed.weight" && c < C; ++c)
      numbers[static_cast<std::size_t>(row) * C + c] += c % 2 == 0 ? 1 : -0.5;
    values.emplace_back(name, nn::Tensor::from_values(numbers, value.shape(), network.backend()));
  }
  nn::Transformer out(network.config(), network.backend(), 1);
  out.load(values);
  return out;
}

// Where a sequence starts from a row of its own, the row of bin 0 must not matter to position 0,
// and its own must: with and without a cache. Published networks share row 0 and say so.
std::vector<Check> own_start(const Generator& generator, std::span<const std::int32_t> row) {
  const auto& network = generator.network();
  if (!network.config().own_start_row) return {};
  const auto V = generator.bins().bins();
  const auto other_bin = with_token_row_raised(network, 0),
             other_start = with_token_row_raised(network, V);
  double wrong = 0;
  for (const auto logits : {uncached_logits, cached_logits}) {
    const auto as_is = logits(generator, network, row), bin = logits(generator, other_bin, row),
               start = logits(generator, other_start, row);
    const auto first = [V](const std::vector<double>& all) {
      return std::span(all).first(static_cast<std::size_t>(V));
    };
    const bool moved_by_bin = !std::ranges::equal(first(as_is), first(bin)),
               moved_by_start = !std::ranges::equal(first(as_is), first(start));
    wrong += moved_by_bin + !moved_by_start;
  }
  return {judged("start token confused with bin 0", wrong, kNoRounding,
                 "4 statements: position 0 depends on the start's row alone, cached and not")};
}

// After KvCache::select every row must go on as the sequence it was copied from.
Check selected_rows(const Generator& generator, std::span<const std::int32_t> tokens) {
  const auto& network = generator.network();
  const auto K = static_cast<std::size_t>(generator.map().size()), half = K / 2;
  constexpr std::int64_t kFrom[] = {2, 0, 0};
  const auto continued = [&](bool select) {
    std::vector<std::size_t> rows = {0, 1, 2};
    if (!select) rows = {2, 0, 0};
    auto cache = network.make_cache(3, generator.molecules(3));
    nn::Tensor previous;
    std::vector<double> out;
    for (std::size_t j = 0; j < K; ++j) {
      if (j == half && select) {
        cache.select(kFrom);
        rows = {2, 0, 0};
      }
      Tokens input;
      for (const auto b : rows) input.push_back(j == 0 ? 0 : tokens[b * K + j - 1]);
      previous = nn::Tensor::from_indices(input, {3}, network.backend());
      const auto logits = network.next_logits(previous, cache).values();
      if (j >= half) out.insert(out.end(), logits.begin(), logits.end());
    }
    return out;
  };
  return judged("logits of a cache with selected rows, against those sequences' own",
                largest_difference(continued(true), continued(false)), kNoRounding,
                "rows 2, 0, 0 of three, from half of the sequence on");
}

}  // namespace

std::vector<Check> audit_probabilities(const AutoregressiveProposal& proposal,
                                       const BinnedSamples& samples) {
  const Generator& generator = proposal.generator();
  const Decoding& decoding = proposal.decoding();
  const auto K = static_cast<std::size_t>(generator.map().size());
  require(samples.count() >= 3, "an audit needs at least three samples, got ", samples.count());
  const std::vector<double> middle(samples.tokens.size(), 0.5);
  const Replay again = replay(generator, samples.tokens, middle, decoding);
  const std::string fresh = std::to_string(samples.count()) + " fresh samples";
  const bool exact = generator.network().backend() == nn::Backend::reference;
  const auto row = std::span(samples.tokens).first(K);

  std::vector<Check> out;
  out.push_back(judged("conditionals: |sum - 1|", again.worst_sum, 1e-12,
                       fresh + ", each of their " + std::to_string(K) + " conditionals"));
  out.push_back(total_probability(generator));
  out.push_back(judged("log q against plain sums over the logits drawn from",
                       largest_difference(samples.log_q, again.log_q),
                       1e-11 * static_cast<double>(K), fresh));
  // Truncation can fall on either side of a tie between the two passes (generator.h): plain log q
  // is compared without it.
  Decoding untruncated;
  untruncated.temperature = decoding.temperature;
  const auto cached = replay(generator, samples.tokens, middle, untruncated).log_q;
  out.push_back(
      judged("log q with a cache against without",
             largest_difference(cached, generator.log_density(samples.coordinates, untruncated)),
             (exact ? 1e-12 : 5e-6) * static_cast<double>(K), fresh));
  out.push_back(causality(generator, row));
  std::ranges::copy(own_start(generator, row), std::back_inserter(out));
  out.push_back(selected_rows(generator, std::span(samples.tokens).first(3 * K)));
  return out;
}

}  // namespace arbg::sampling
