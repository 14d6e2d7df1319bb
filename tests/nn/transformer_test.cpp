// What must hold for any weights: normalisation, causality, equality of cached and uncached, of
// replicas and threads. What is exact is asked of the reference alone, in double.
#include "nn/transformer/transformer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "autograd/functions.h"
#include "nn/optimizer/adamw.h"
#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/ops/draw.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/place.h"
#include "tests/backends.h"
#include "tests/nn/small_networks.h"

namespace arbg::nn {
namespace {

// Logits one position at a time, [T][B * V].
std::vector<std::vector<double>> cached_logits(const Transformer& network,
                                               const std::vector<std::int32_t>& tokens) {
  const auto T = network.config().length(), B = static_cast<std::int64_t>(tokens.size()) / T;
  KvCache cache = network.make_cache(B, molecules_for(network.config(), B, network.backend()));
  std::vector<std::vector<double>> logits;
  Tensor previous;
  for (std::int64_t t = 0; t < T; ++t) {
    logits.push_back(network.next_logits(previous, cache).values());
    std::vector<std::int32_t> column;
    for (std::int64_t b = 0; b < B; ++b)
      column.push_back(tokens[static_cast<std::size_t>(b * T + t)]);
    previous = Tensor::from_indices(column, {B}, network.backend());
  }
  return logits;
}

TEST_SUITE("fast") {
  TEST_CASE("the probabilities of all sequences sum to one") {
    for (const auto& config : configs()) {
      const auto network = lively_network(config, Backend::reference);
      std::vector<std::int32_t> tokens;
      const auto T = static_cast<std::size_t>(config.length());
      const auto count = static_cast<std::size_t>(std::pow(config.num_bins, T));  // 5^6
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t t = 0, rest = i; t < T; ++t, rest /= 5)
          tokens.push_back(static_cast<std::int32_t>(rest % 5));
      }
      double sum = 0, largest = 0;
      // One molecule for all rows: the sum is over its conformations.
      Molecules molecules =
          molecules_for(config, static_cast<std::int64_t>(count), Backend::reference);
      if (molecules.defined()) {
        for (Tensor* encoding : {&molecules.atom_type, &molecules.residue_type}) encoding->fill(1);
        molecules.residue_index.fill(2);
      }
      for (const double log_q : network.log_likelihood(tokens, 64, molecules)) {
        sum += std::exp(log_q);
        largest = std::max(largest, std::exp(log_q));
      }
      CHECK(std::abs(sum - 1) < 1e-12);
      CHECK(largest > 10.0 / static_cast<double>(
                                 count));  // the weights are lively: not the uniform distribution
    }
  }

  TEST_CASE("changing a token leaves the logits up to and including it bit for bit unchanged") {
    for (const auto backend : backends_here()) {
      for (const auto& config : configs()) {
        const auto network = lively_network(config, backend);
        const auto tokens = random_tokens(config, 2, 5);
        const auto before = logits_of(network, as_rows(tokens, network)).value().values();
        const auto T = static_cast<std::size_t>(config.length()),
                   V = static_cast<std::size_t>(config.num_bins);
        for (std::size_t j = 0; j < T; ++j) {
          auto changed = tokens;
          changed[j] = (changed[j] + 1) % static_cast<std::int32_t>(V);
          const auto after = logits_of(network, as_rows(changed, network)).value().values();
          for (std::size_t i = 0; i < (j + 1) * V; ++i) REQUIRE(before[i] == after[i]);
          for (std::size_t i = T * V; i < 2 * T * V; ++i)
            REQUIRE(before[i] == after[i]);  // the other molecule
          if (j + 1 == T) continue;
          bool next_differs = false;
          for (std::size_t i = (j + 1) * V; i < (j + 2) * V; ++i)
            next_differs |= before[i] != after[i];
          CHECK(next_differs);
        }
      }
    }
  }

  TEST_CASE("cached logits equal uncached ones: bitwise on reference, to float32 rounding on cpu") {
    for (const auto backend : backends_here()) {
      for (const auto& config : configs()) {
        const auto network = lively_network(config, backend);
        const auto tokens = random_tokens(config, 3, 6);
        const auto full = logits_of(network, as_rows(tokens, network)).value().values();
        const auto cached = cached_logits(network, tokens);
        const auto T = static_cast<std::size_t>(config.length()),
                   V = static_cast<std::size_t>(config.num_bins);
        for (std::size_t b = 0; b < 3; ++b) {
          for (std::size_t t = 0; t < T; ++t) {
            for (std::size_t v = 0; v < V; ++v) {
              const double expected = full[(b * T + t) * V + v], found = cached[t][b * V + v];
              if (backend == Backend::reference) REQUIRE(found == expected);
              REQUIRE(std::abs(found - expected) <= 2e-5 * (1 + std::abs(expected)));
            }
          }
        }
      }
    }
  }

  TEST_CASE("a resampled cache goes on as the rows that it was copied from") {
    for (const auto& config : {configs()[1], configs()[3]}) {
      const auto network = lively_network(config, Backend::reference);
      const auto tokens = random_tokens(config, 3, 8);
      const std::vector<std::int64_t> from = {2, 0, 2, 1};
      const auto T = static_cast<std::size_t>(config.length());
      KvCache cache = network.make_cache(3, molecules_for(config, 3, Backend::reference));
      Tensor previous;
      const auto column = [&](std::size_t t, std::span<const std::int64_t> rows) {
        std::vector<std::int32_t> values;
        for (const auto row : rows) values.push_back(tokens[static_cast<std::size_t>(row) * T + t]);
        return Tensor::from_indices(values, {static_cast<std::int64_t>(rows.size())},
                                    Backend::reference);
      };
      const std::vector<std::int64_t> all = {0, 1, 2};
      for (std::size_t t = 0; t < 3; ++t) {
        network.next_logits(previous, cache);
        previous = column(t, all);
      }
      cache.select(from);
      CHECK(cache.batch() == 4);
      CHECK(cache.length() == 3);
      const auto found = network.next_logits(column(2, from), cache).values();
      const auto expected = cached_logits(network, tokens)[3];
      const auto V = static_cast<std::size_t>(config.num_bins);
      for (std::size_t i = 0; i < from.size() * V; ++i) {
        CHECK(found[i] == expected[static_cast<std::size_t>(from[i / V]) * V + i % V]);
      }
      CHECK_THROWS_AS(cache.select(std::vector<std::int64_t>{4}), Error);
    }
  }

  TEST_CASE("padding changes no likelihood, wherever a molecule is cut") {
    for (const auto& config : {configs()[2], configs()[3]}) {
      const auto network = lively_network(config, Backend::reference);
      const auto tokens = as_rows(random_tokens(config, 2, 7), network);
      Molecules molecules = molecules_for(config, 2, Backend::reference);
      molecules.atom_count = Tensor::from_indices(std::vector{2, 2}, {2}, Backend::reference);
      const auto padded = network.log_likelihood(tokens.indices(), 2, molecules);

      auto changed = tokens.indices();
      for (std::size_t b = 0; b < 2; ++b) changed[b * 6 + 4] = (changed[b * 6 + 4] + 1) % 5;
      Molecules other = molecules;
      auto types = molecules.atom_type.indices();
      for (std::size_t b = 0; b < 2; ++b) types[b * 3 + 2] = (types[b * 3 + 2] + 1) % 5;
      other.atom_type = Tensor::from_indices(types, {2, 3}, Backend::reference);
      CHECK(network.log_likelihood(changed, 2, other) == padded);

      // The same molecules without the padding.
      const auto cut = [](const Tensor& x, std::int64_t columns) {
        const auto all = x.indices();
        std::vector<std::int32_t> kept;
        for (std::int64_t i = 0; i < x.elements(); ++i) {
          if (i % x.extent(1) < columns) kept.push_back(all[static_cast<std::size_t>(i)]);
        }
        return Tensor::from_indices(kept, {x.extent(0), columns}, x.backend());
      };
      for (Tensor* encoding :
           {&molecules.atom_type, &molecules.residue_type, &molecules.residue_index})
        *encoding = cut(*encoding, 2);
      CHECK(network.log_likelihood(cut(tokens, 4).indices(), 2, molecules) == padded);
    }
  }

  TEST_CASE("dropout follows its key, and micro-batches do not change it") {
    const auto config = configs()[3];
    const auto network = lively_network(config, Backend::reference);
    const auto tokens = as_rows(random_tokens(config, 4, 7), network);
    const Molecules molecules = molecules_for(config, 4, Backend::reference);
    const auto run = [&](std::int64_t first, std::int64_t rows, std::uint64_t seed,
                         std::int32_t step) {
      return network
          .log_prob(tokens.rows(first, rows), molecules.rows(first, rows),
                    DropoutKey{seed, tensor::make_place(step, Backend::reference), first})
          .value()
          .values();
    };
    const auto all = run(0, 4, 1, 10);
    const auto half = run(2, 2, 1, 10);
    CHECK(std::equal(half.begin(), half.end(), all.begin() + 12));
    CHECK(run(0, 4, 2, 10) != all);
    CHECK(run(0, 4, 1, 11) != all);
    CHECK(network.log_prob(tokens, molecules).value().values() != all);
  }

  TEST_CASE("dropout stands inside the feed-forward part: what is added after it stays") {
    for (const bool swiglu : {true, false}) {
      auto config = configs()[0];
      config.swiglu = swiglu;
      config.dropout = 0.5;
      const auto network = lively_network(config, Backend::reference);
      const std::string down = swiglu ? "ff.net.2" : "ff.net.3";
      Tensor matrices[2];  // of the first layer's feed-forward part
      for (const auto& [name, variable, decays] : network.parameters()) {
        Tensor value = variable.value();
        if (name.ends_with("attn.out_proj.weight")) value.fill(0.0);
        if (name == "blocks.1." + down + ".weight") value.fill(0.0);
        if (name == "blocks.0." + down + ".weight")
          matrices[0] = value, matrices[1] = value.clone();
      }
      const auto tokens = as_rows(random_tokens(config, 2, 7), network);
      const auto values = [&](const std::optional<DropoutKey>& key) {
        return network.log_prob(tokens, {}, key).value().values();
      };
      CHECK(values(DropoutKey{1, tensor::make_place(1, Backend::reference), 0}) != values({}));
      matrices[0].fill(0.0);  // only the bias is left, and nothing drops it
      CHECK(values(DropoutKey{1, tensor::make_place(1, Backend::reference), 0}) == values({}));
    }
  }

  TEST_CASE("a new network starts without its cross-attention, and all of it learns") {
    const auto config = configs()[3];
    Transformer network(config, Backend::reference, 3);
    const auto tokens = as_rows(random_tokens(config, 4, 7), network);
    const auto is_zero = [](const Tensor& tensor) {
      return std::ranges::all_of(tensor.values(), [](double x) { return x == 0; });
    };
    AdamW optimizer(network.parameters(), {});
    for (std::int64_t step = 1; step <= 3; ++step) {
      network.clear_gradients();
      autograd::backward(autograd::sum_all(log_prob_of(network, tokens)));
      std::vector<Tensor> gradients;
      for (const Parameter& parameter : network.parameters()) {
        CAPTURE(parameter.name);
        const bool is_out = parameter.name.ends_with("cross_attn.out_proj.weight");
        if (step == 1 && is_out) CHECK(is_zero(parameter.variable.value()));
        if (step == 3) CHECK_FALSE(is_zero(parameter.variable.grad()));
        gradients.push_back(parameter.variable.grad());
      }
      optimizer.set_step(1e-2, step);
      optimizer.update(gradients, tensor::make_numbers(std::array{1.0}, network.backend()));
    }
  }

  TEST_CASE("operations are two for each number of a matrix, and those of attention") {
    for (const auto& config : {configs()[0], configs()[1]}) {
      const Transformer network(config, Backend::cpu, 1);
      double expected = 0;
      for (const auto& [name, variable, decays] : network.parameters()) {
        const Tensor& value = variable.value();
        const bool is_matrix = name.starts_with("blocks.") || name == "output_proj.weight";
        if (is_matrix && value.shape().rank() == 2)
          expected += 2 * static_cast<double>(value.elements());
      }
      const double width = config.head_dim > 0 ? 12 : 8, keys = 3.5;  // the mean of 1 to 6
      expected += 2 * 2 * 2 * width * keys;  // layers, products, operations
      CHECK(config.flops_per_token() == expected);
    }
  }

  TEST_CASE("molecules that do not fit are refused") {
    const auto config = configs()[2];
    const auto network = lively_network(config, Backend::cpu);
    const auto tokens = as_rows(random_tokens(config, 2, 7), network);
    const Molecules good = molecules_for(config, 2, Backend::cpu);
    const auto pair = [](std::int32_t a, std::int32_t b) {
      return Tensor::from_indices(std::vector{a, b}, {2}, Backend::cpu);
    };
    network.logits(tokens, good);
    CHECK_THROWS_AS(network.logits(tokens), Error);
    CHECK_THROWS_AS(network.make_cache(2), Error);
    CHECK_THROWS_AS(network.make_cache(3, good), Error);
    Molecules bad = good;
    bad.atom_count = pair(3, 4);
    CHECK_THROWS_AS(network.logits(tokens, bad), Error);
    bad.atom_count = pair(0, 3);
    CHECK_THROWS_AS(network.logits(tokens, bad), Error);
    bad = good;
    bad.residue_type = pair(0, 0);
    CHECK_THROWS_AS(network.logits(tokens, bad), Error);
    bad = good;
    bad.atom_type = Tensor::from_indices(std::vector{0, 1, 2, 0, 1, 5}, {2, 3}, Backend::cpu);
    CHECK_THROWS_AS(network.logits(tokens, bad), Error);
  }

  TEST_CASE("likelihoods do not depend on threads or micro-batches on the reference backend") {
    const auto config = configs()[1];
    const auto network = lively_network(config, Backend::reference);
    const auto tokens = random_tokens(config, 13, 9);
    const int threads = thread_count();
    set_thread_count(1);
    const auto alone = network.log_likelihood(tokens, 13);
    set_thread_count(2);
    CHECK(network.log_likelihood(tokens, 3) == alone);
    CHECK(network.log_likelihood(tokens, 1) == alone);
    set_thread_count(threads);
  }

  TEST_CASE("a replica shares values and not gradients") {
    const auto config = configs()[1];
    const auto network = lively_network(config, Backend::cpu);
    const auto replica = network.replica();
    const auto tokens = random_tokens(config, 2, 4);
    autograd::backward(autograd::sum_all(replica.log_prob(as_rows(tokens, replica))));
    for (std::size_t i = 0; i < network.parameters().size(); ++i) {
      CHECK(replica.parameters()[i].variable.grad().defined());
      CHECK_FALSE(network.parameters()[i].variable.grad().defined());
    }
    Tensor weight = network.parameters()[0].variable.value();
    weight.fill(0.25);
    CHECK(replica.parameters()[0].variable.value().values() == weight.values());
    CHECK(network.log_likelihood(tokens) == replica.log_likelihood(tokens));
  }

  TEST_CASE("started from marginals, the network is the product of smoothed histograms") {
    const auto config = configs()[1];
    Transformer network(config, Backend::reference, 1);
    const auto T = static_cast<std::size_t>(config.length()),
               V = static_cast<std::size_t>(config.num_bins);
    std::vector<double> counts;
    for (std::size_t i = 0; i < T * V; ++i) counts.push_back(static_cast<double>((i * 7) % 11));
    network.initialise_from_marginals(counts, 0.5);
    const auto tokens = random_tokens(config, 4, 2);
    const auto log_q = network.log_likelihood(tokens);
    for (std::size_t b = 0; b < 4; ++b) {
      double expected = 0;
      for (std::size_t t = 0; t < T; ++t) {
        const double total =
            std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(t * V),
                            counts.begin() + static_cast<std::ptrdiff_t>((t + 1) * V), 0.0);
        const auto k = static_cast<std::size_t>(tokens[b * T + t]);
        expected += std::log((counts[t * V + k] + 0.5) / (total + 0.5 * static_cast<double>(V)));
      }
      CHECK(log_q[b] == doctest::Approx(expected).epsilon(1e-13));
    }
    Transformer published(configs()[0], Backend::reference, 1);
    CHECK_THROWS_AS(published.initialise_from_marginals(counts), Error);
  }

  TEST_CASE("the gradient of the whole network is its numerical derivative") {
    for (const auto& config : {configs()[1], configs()[2], configs()[3]}) {
      const auto network = lively_network(config, Backend::reference);
      const auto tokens = as_rows(random_tokens(config, 2, 12), network);
      autograd::backward(autograd::sum_all(log_prob_of(network, tokens)));
      for (const Parameter& parameter : network.parameters()) {
        const auto gradient = parameter.variable.grad().values();
        Tensor value = parameter.variable.value();
        for (const std::size_t i : {std::size_t{0}, gradient.size() / 2, gradient.size() - 1}) {
          double& weight = value.host_data<double>()[i];
          const double at = weight;
          const auto total = [&](double shift) {
            weight = at + shift;
            const double sum = autograd::sum_all(log_prob_of(network, tokens)).value().item();
            weight = at;
            return sum;
          };
          constexpr double h = 1e-3;
          const double numerical =
              (8 * (total(h) - total(-h)) - (total(2 * h) - total(-2 * h))) / (12 * h);
          CAPTURE(parameter.name);
          CAPTURE(i);
          CHECK(gradient[i] == doctest::Approx(numerical).epsilon(1e-7).scale(1));
        }
      }
    }
  }

  TEST_CASE("a token outside the bins, rows of another length and a finished cache are refused") {
    const auto config = configs()[0];
    const auto network = lively_network(config, Backend::cpu);
    auto tokens = random_tokens(config, 1, 1);
    tokens.back() = -1;
    CHECK_THROWS_AS(network.log_likelihood(tokens), Error);
    tokens.back() = 5;
    CHECK_THROWS_AS(network.log_likelihood(tokens), Error);
    tokens.pop_back();
    CHECK_THROWS_AS(network.log_likelihood(tokens), Error);
    KvCache cache = network.make_cache(1);
    const Tensor previous = Tensor::from_indices(std::vector{1}, {1}, Backend::cpu);
    for (std::int64_t t = 0; t < config.length(); ++t) network.next_logits(previous, cache);
    CHECK_THROWS_AS(network.next_logits(previous, cache), Error);
  }

  TEST_CASE("a config survives JSON, and nonsense in it is refused") {
    for (const auto& config : configs()) {
      const auto back = TransformerConfig::from_json(config.to_json(), "test");
      CHECK(back.to_json().dump() == config.to_json().dump());
    }
    for (const auto& member :
         {std::pair{"num_heads", Json(3)}, std::pair{"num_bins", Json(0)},
          std::pair{"num_atoms", Json(2)}, std::pair{"channels", Json(1e15)},
          std::pair{"start_row", Json("other")}, std::pair{"num_layers", Json("2")},
          std::pair{"head_dim", Json(-1)}, std::pair{"head_dim", Json(1e15)}}) {
      CAPTURE(member.first);
      Json json = configs()[0].to_json();
      json[member.first] = member.second;
      CHECK_THROWS_AS(TransformerConfig::from_json(json, "test"), Error);
    }
  }
}

}  // namespace
}  // namespace arbg::nn
