#include "sampling/audit/probabilities.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "md/molecule/restricted_system.h"
#include "sampling/audit/replay.h"
#include "sampling/proposals/atom_placement.h"
#include "sampling/proposals/growing_samples.h"
#include "tensor/base/error.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

using Tokens = std::vector<std::int32_t>;

constexpr double kNoRounding = 0;
constexpr std::size_t kMostProbes = 64;

// A molecule of a few atoms for a reduced network.
struct FewAtoms {
  std::unique_ptr<md::CoordinateMap> map;
  std::shared_ptr<const nn::Placement> placement;  // null: without
};

// The map of the atoms that are placed first, [new number] = old number.
std::unique_ptr<md::CoordinateMap> map_of_first(const md::CoordinateMap& map,
                                                std::span<const int> atoms) {
  const Json all = map.to_json();
  Json tree = Json::list(), support = Json::list();
  for (std::size_t m = 0; m < atoms.size(); ++m) {
    Json row = Json::list();
    for (const Json& old : all.at("tree").items()[m].items()) {
      const auto found = std::ranges::find(atoms, old.integer());
      row.push_back(found == atoms.end() ? -1 : found - atoms.begin());
    }
    tree.push_back(std::move(row));
  }
  const int count = map.coordinates_of_first(static_cast<int>(atoms.size()));
  for (int j = 0; j < count; ++j)
    support.push_back(all.at("support").items()[static_cast<std::size_t>(j)]);
  Json json = Json::object();
  json["name"] = map.name();
  json["tree"] = std::move(tree);
  json["support"] = std::move(support);
  return md::CoordinateMap::from_json(json);
}

// With placement energies the first five atoms of the molecule, of which two have a dihedral;
// without, any two.
FewAtoms few_atoms(const Generator& whole, const Target& target, std::int64_t bins) {
  const auto& config = whole.network().config();
  if (!config.placement) return {md::make_cartesian_map(2, 0.1, 3.0), nullptr};
  auto atoms = whole.map().atom_order();
  atoms.resize(std::min<std::size_t>(atoms.size(), 5));
  auto map = map_of_first(whole.map(), atoms);
  auto placement = std::make_shared<AtomPlacement>(md::restricted(target.energy().system(), atoms),
                                                   *map, target.temperature_kelvin(), bins,
                                                   std::vector<double>(), *config.placement);
  return {std::move(map), std::move(placement)};
}

// A network of a few positions and bins with the options of `whole` and weights of order one, so
// that every conditional depends on every token before it; its sequences can be counted. Networks
// of many molecules lose their conditioning.
Generator reduced_generator(const Generator& whole, const Target& target, std::int64_t bins) {
  FewAtoms molecule = few_atoms(whole, target, bins);
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
  nn::Transformer network(network_for(config, *molecule.map), whole.network().backend(), 1);
  nn::NamedTensors lively;
  for (const auto& [name, value] : network.values()) {
    auto numbers = value.values();
    const Random random(11, stream_id(name));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += 0.4 * random.normal_pair(i)[0];
    lively.emplace_back(name, nn::Tensor::from_values(numbers, value.shape(), network.backend()));
  }
  network.load(lively);
  auto axes = bins_of(*molecule.map, bins);
  return {std::move(network),
          std::move(axes),
          std::move(molecule.map),
          {},
          std::move(molecule.placement),
          whole.within_bins()};
}

// The sum over all V^K cells of q times the cell's volume, less one.
Check total_probability(const Generator& whole, const Target& target) {
  constexpr std::int64_t kBins = 3;
  const Generator small = reduced_generator(whole, target, kBins);
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

// The density over the bin of the last coordinate, after which nothing is drawn, by the midpoint
// rule, which is exact for lines: its mean against P of plain sums over the bin's width. In the
// middle of a bin a slope does not count.
Check within_bins(const Generator& generator, const Sequences& rows, const Decoding& decoding,
                  double bound) {
  constexpr int kPoints = 8;
  const auto K = static_cast<std::size_t>(generator.map().size());
  const std::int64_t last = generator.map().size() - 1;
  const double h = generator.bins().width(last), low = generator.bins().axis(last).low;
  std::vector<double> z, middle;
  for (std::size_t i = 0; i < rows.tokens.size(); i += K) {
    const auto own = rows.z.subspan(i, K);
    const double edge = low + rows.tokens[i + K - 1] * h;
    for (int point = 0; point < kPoints; ++point) {
      z.insert(z.end(), own.begin(), own.end());
      z.back() = edge + (point + 0.5) / kPoints * h;
    }
    middle.insert(middle.end(), own.begin(), own.end());
    middle.back() = edge + 0.5 * h;
  }
  const auto log_q = generator.log_density(z, decoding),
             expected = replay(generator, {rows.tokens, middle}, decoding).log_q;
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double mean = 0;
    for (std::size_t point = 0; point < kPoints; ++point)
      mean += std::exp(log_q[kPoints * i + point] - expected[i]) / kPoints;
    largest = worse(largest, std::abs(mean - 1));
  }
  return judged("density over a bin: |integral / P - 1|", largest, bound,
                std::string(name_of(generator.within_bins())) + " within bins, " +
                    std::to_string(expected.size()) + " bins of the last coordinate");
}

// One token of a sequence, with its coordinate, is changed at a time: logits up to its place must
// not move by a bit, those of the next place must.
Check causality(const Generator& generator, const Sequences& row) {
  const auto K = row.tokens.size(), V = static_cast<std::size_t>(generator.bins().bins());
  std::vector<std::size_t> places;
  const std::size_t probes = std::min(K - 1, kMostProbes);
  for (std::size_t i = 0; i < probes; ++i) places.push_back(i * (K - 1) / probes);
  // Every copy stands in its row of a batch, so that the same instructions run over both.
  Tokens same, changed;
  std::vector<double> same_z, changed_z;
  for (const auto place : places) {
    for (auto* tokens : {&same, &changed})
      tokens->insert(tokens->end(), row.tokens.begin(), row.tokens.end());
    for (auto* z : {&same_z, &changed_z}) z->insert(z->end(), row.z.begin(), row.z.end());
    auto& token = changed[changed.size() - K + place];
    const auto was = token;
    token = static_cast<std::int32_t>((static_cast<std::size_t>(was) + (V + 1) / 2) % V);
    changed_z[changed_z.size() - K + place] +=
        (token - was) * generator.bins().width(static_cast<std::int64_t>(place));
  }
  const auto before = uncached_logits(generator, generator.network(), {same, same_z}),
             after = uncached_logits(generator, generator.network(), {changed, changed_z});
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
std::vector<Check> own_start(const Generator& generator, const Sequences& row) {
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
Check selected_rows(const Generator& generator, const Sequences& three) {
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
      std::vector<double> z;
      for (const auto b : rows) {
        input.push_back(j == 0 ? 0 : three.tokens[b * K + j - 1]);
        const auto own = three.z.subspan(b * K, K);
        z.insert(z.end(), own.begin(), own.end());
      }
      previous = nn::Tensor::from_indices(input, {3}, network.backend());
      const auto placement =
          generator.head().placement_rows(nn::host_rows(z, static_cast<std::int64_t>(K)),
                                          static_cast<std::int64_t>(j), 1, network.backend());
      const auto logits = network.next_logits(previous, cache, placement).values();
      if (j >= half) out.insert(out.end(), logits.begin(), logits.end());
    }
    return out;
  };
  return judged("logits of a cache with selected rows, against those sequences' own",
                largest_difference(continued(true), continued(false)), kNoRounding,
                "rows 2, 0, 0 of three, from half of the sequence on");
}

// Of coordinates that are drawn to the end after a selection of rows half-way, log q as they grew
// against that of a network without a cache. Placement energies are of the coordinates before,
// which have to follow the selection.
std::vector<Check> selected_growth(const Generator& generator, const Decoding& decoding,
                                   double bound) {
  if (!generator.head().placement()) return {};
  const std::int64_t K = generator.map().size();
  constexpr std::int64_t kFrom[] = {2, 0, 0};
  const auto growing =
      generator.start(3, decoding, Random(1, stream_id(streams::kAuditSelection)), 0);
  bool grown = growing->grow(K / 2);
  growing->select(kFrom);
  grown = grown && growing->grow(K);
  require(grown, "interrupted; nothing was written");
  std::vector<double> z, log_q;
  for (std::int64_t b = 0; b < growing->count(); ++b) {
    const auto row = growing->coordinates(b);
    z.insert(z.end(), row.begin(), row.end());
    log_q.push_back(growing->log_q(b));
  }
  return {judged("log q of rows selected as they grew, against without a cache",
                 largest_difference(log_q, generator.log_density(z, decoding)), bound,
                 "rows 2, 0, 0 of three, from half of the sequence on")};
}

}  // namespace

std::vector<Check> audit_probabilities(const AutoregressiveProposal& proposal, const Target& target,
                                       const BinnedSamples& samples) {
  const Generator& generator = proposal.generator();
  const Decoding& decoding = proposal.decoding();
  const auto K = static_cast<std::size_t>(generator.map().size());
  require(samples.count() >= 3, "an audit needs at least three samples, got ", samples.count());
  const Sequences all{samples.tokens, samples.coordinates};
  const auto first_rows = [&](std::size_t count) {
    return Sequences{all.tokens.first(count * K), all.z.first(count * K)};
  };
  const Replay again = replay(generator, all, decoding);
  const std::string fresh = std::to_string(samples.count()) + " fresh samples";
  const bool exact = generator.network().backend() == nn::Backend::reference;
  const double rounding = (exact ? 1e-12 : 5e-6) * static_cast<double>(K);

  std::vector<Check> out;
  out.push_back(judged("conditionals: |sum - 1|", again.worst_sum, 1e-12,
                       fresh + ", each of their " + std::to_string(K) + " conditionals"));
  out.push_back(total_probability(generator, target));
  out.push_back(judged("log q against plain sums over the logits drawn from",
                       largest_difference(samples.log_q, again.log_q),
                       1e-11 * static_cast<double>(K), fresh));
  // Truncation can fall on either side of a tie between the two passes (generator.h): plain log q
  // is compared without it.
  Decoding untruncated;
  untruncated.temperature = decoding.temperature;
  const auto cached = replay(generator, all, untruncated).log_q;
  out.push_back(
      judged("log q with a cache against without",
             largest_difference(cached, generator.log_density(samples.coordinates, untruncated)),
             rounding, fresh));
  out.push_back(within_bins(generator, first_rows(3), untruncated, rounding));
  out.push_back(causality(generator, first_rows(1)));
  std::ranges::copy(own_start(generator, first_rows(1)), std::back_inserter(out));
  out.push_back(selected_rows(generator, first_rows(3)));
  std::ranges::copy(selected_growth(generator, untruncated, rounding), std::back_inserter(out));
  return out;
}

}  // namespace arbg::sampling
