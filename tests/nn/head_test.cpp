// What every head promises, in one table: a new kind of density is a row here.
#include "nn/heads/head.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>

#include "nn/heads/binned.h"
#include "tensor/base/error.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/place.h"
#include "tests/backends.h"
#include "tests/nn/cells.h"
#include "tests/nn/small_networks.h"

namespace arbg::nn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kC = 4;  // channels

// A head of three coordinates, and what the tests have to know of it.
struct Row {
  std::string name;
  std::unique_ptr<Head> head;
  std::int64_t table_rows = 0;
  struct Interval {
    double low, high;  // holds all of the density
  };
  std::vector<Interval> intervals;               // [K]
  std::int64_t points = 0;                       // of a sum over midpoints that is the integral
  double error = 0;                              // of that sum
  std::vector<std::vector<double>> outside;      // for every coordinate
  std::vector<std::pair<double, double>> alike;  // of coordinate 0: one embedding
  std::vector<Decoding> decodings;
};

Row binned(bool own_start_row, WithinBins within = WithinBins::uniform) {
  std::vector<CoordinateBins::Axis> axes = {{-1, 2}, {0, 6, true}, {2, 2.5}};
  Row row;
  row.name = own_start_row ? "bins" : "bins, as published";
  if (within == WithinBins::sloped) row.name += ", sloped";
  row.table_rows = own_start_row ? 7 : 6;
  row.points = 60;
  row.error = 1e-12;
  row.alike = {{-0.99, -0.51}, {0.51, 0.99}};
  for (const auto& axis : axes) row.intervals.push_back({axis.low, axis.high});
  row.outside = {{-1.001, 2.0, std::nan("")}, {kInfinity}, {0, 2.51}};
  row.decodings = {{1, 0, 1, 0}, {0.7, 0, 1, 0}, {1, 2, 1, 0}, {1.5, 0, 0.8, 0.1}};
  row.head = std::make_unique<BinnedHead>(CoordinateBins(6, std::move(axes)), nullptr, within);
  return row;
}

std::vector<Row> rows() {
  std::vector<Row> all;
  all.push_back(binned(true));
  all.push_back(binned(false));
  all.push_back(binned(true, WithinBins::sloped));
  return all;
}

// Numbers of order one.
Tensor some(const Shape& shape, Backend backend, std::int64_t seed) {
  const Random random(static_cast<std::uint64_t>(seed), stream_id("head"));
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    values.push_back(random.normal_pair(static_cast<std::uint64_t>(i))[0]);
  return Tensor::from_values(values, shape, backend);
}

// The same parameters [P] in each of `count` rows of one position.
Tensor repeated(const Tensor& parameters, std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t b = 0; b < count; ++b)
    for (const double value : parameters.values()) values.push_back(value);
  return Tensor::from_values(values, {count, 1, parameters.elements()}, parameters.backend());
}

std::vector<double> midpoints(const Row& row, std::int64_t j) {
  const auto [low, high] = row.intervals[static_cast<std::size_t>(j)];
  std::vector<double> z;
  for (std::int64_t i = 0; i < row.points; ++i)
    z.push_back(low +
                (static_cast<double>(i) + 0.5) * (high - low) / static_cast<double>(row.points));
  return z;
}

double step(const Row& row, std::int64_t j) {
  const auto [low, high] = row.intervals[static_cast<std::size_t>(j)];
  return (high - low) / static_cast<double>(row.points);
}

// The integral of q: of the product of all p, with parameters of their own, over the volume.
template <class LogP>
double integral(const Row& row, Backend backend, const LogP& log_p) {
  double product = std::exp(-row.head->log_volume());
  for (std::int64_t j = 0; j < row.head->coordinates(); ++j) {
    const auto parameters = some({row.head->parameters_a_position()}, backend, 5 + j);
    const Tensor z = host_rows(midpoints(row, j), 1);
    double sum = 0;
    for (const double value : log_p(repeated(parameters, row.points), z, j))
      sum += std::exp(value) * step(row, j);
    product *= sum;
  }
  return product;
}

TEST_SUITE("fast") {
  TEST_CASE("the density integrates to one over z, as it is trained and under each decoding") {
    for (const auto& row : rows()) {
      for (const auto backend : backends_here()) {
        CAPTURE(row.name);
        const double error = backend == Backend::reference ? row.error : row.error + 1e-6;
        const double trained =
            integral(row, backend, [&](const Tensor& parameters, const Tensor& z, auto j) {
              return row.head->log_p(Variable(parameters), z, j).value().values();
            });
        CHECK(std::abs(trained - 1) < error);
        for (const auto& decoding : row.decodings) {
          CAPTURE(decoding.text());
          const double decoded =
              integral(row, backend, [&](const Tensor& parameters, const Tensor& z, auto j) {
                return row.head->log_p(parameters, z, j, decoding);
              });
          CHECK(std::abs(decoded - 1) < row.error);
        }
      }
    }
  }

  TEST_CASE("a draw lies inside, states the log p that it has, and is the same in any batch") {
    constexpr std::int64_t kB = 40;
    const Random random(3, 4);
    for (const auto& row : rows()) {
      for (const auto backend : backends_here()) {
        for (const auto& decoding : row.decodings) {
          CAPTURE(row.name);
          CAPTURE(decoding.text());
          const auto P = row.head->parameters_a_position(), K = row.head->coordinates();
          for (std::int64_t j = 0; j < K; ++j) {
            const Tensor parameters = some({kB, P}, backend, 20 + j);
            const RowRandom numbers{random, {80, 7, 6}};
            const Tensor place = tensor::make_place(static_cast<std::int32_t>(j), backend);
            const auto there = row.head->draw(parameters, place, decoding, numbers);
            const auto drawn = row.head->read(there, j, numbers);
            REQUIRE(drawn.z.size() == kB);
            const Variable table(some({row.table_rows, kC}, backend, 8));
            if (j + 1 < K)
              CHECK(row.head->embed(table, there).value().values() ==
                    row.head->embed(table, host_rows(drawn.z, 1), j + 1).value().values());
            CHECK(drawn.log_p == row.head->log_p(parameters.reshape({kB, 1, P}),
                                                 host_rows(drawn.z, 1), j, decoding));
            for (std::int64_t b = 0; b < kB; ++b) {
              const auto at = static_cast<std::size_t>(b);
              CHECK(row.head->inside(j, drawn.z[at]));
              const RowRandom own{random, {80 + 6 * static_cast<std::uint64_t>(b), 7, 1}};
              const auto alone = row.head->read(
                  row.head->draw(parameters.rows(b, 1), place, decoding, own), j, own);
              CHECK(alone.z[0] == drawn.z[at]);
              CHECK(alone.log_p[0] == drawn.log_p[at]);
            }
          }
        }
      }
    }
  }

  TEST_CASE("sums of log p as trained become those of draws, of as many positions as count") {
    for (const auto& row : rows()) {
      for (const auto backend : backends_here()) {
        CAPTURE(row.name);
        const auto P = row.head->parameters_a_position(), K = row.head->coordinates();
        const Tensor parameters = some({2, K, P}, backend, 7);
        std::vector<double> z;
        for (const std::size_t i : {3u, 17u})
          for (std::int64_t j = 0; j < K; ++j) z.push_back(midpoints(row, j)[i]);
        const Tensor both = host_rows(z, K);
        const auto encoded = row.head->encode(both, row.table_rows, backend, false);
        const auto trained = row.head->log_p(Variable(parameters), encoded).value().values(),
                   drawn = row.head->log_p(parameters, both, 0, Decoding{});
        const std::vector<std::int32_t> count{static_cast<std::int32_t>(K), 1};
        std::vector<double> log_q, expected;
        for (std::size_t b = 0; b < 2; ++b) {
          const auto first = static_cast<std::ptrdiff_t>(b) * K;
          log_q.push_back(std::reduce(trained.begin() + first, trained.begin() + first + count[b]));
          expected.push_back(std::reduce(drawn.begin() + first, drawn.begin() + first + count[b]));
        }
        const auto found = row.head->log_drawn(tensor::make_numbers(log_q, backend), parameters,
                                               encoded, Tensor::from_indices(count, {2}, backend));
        CHECK(row.head->draws_as_trained() == (found.values() == log_q));
        for (std::size_t b = 0; b < 2; ++b)
          CHECK(std::abs(found.values()[b] - expected[b]) <
                (backend == Backend::reference ? 1e-12 : 2e-6));
      }
    }
  }

  TEST_CASE("outside, log p is -infinity, and nothing else is touched by it") {
    for (const auto& row : rows()) {
      for (const auto backend : backends_here()) {
        CAPTURE(row.name);
        const auto P = row.head->parameters_a_position(), K = row.head->coordinates();
        const Tensor parameters = some({1, K, P}, backend, 7);
        std::vector<double> good;
        for (std::int64_t j = 0; j < K; ++j) good.push_back(midpoints(row, j)[1]);
        CHECK(row.head->inside(good));
        const auto before = row.head->log_p(Variable(parameters), host_rows(good, K), 0);
        const auto smoothed = [&](const Tensor& z) {
          const auto encoded = row.head->encode(z, row.table_rows, backend, true);
          return row.head->smoothing_term(Variable(parameters), encoded).value().values();
        };
        const auto smooth = smoothed(host_rows(good, K));
        for (std::size_t j = 0; j < good.size(); ++j) {
          for (const double value : row.outside[j]) {
            auto z = good;
            z[j] = value;
            CHECK_FALSE(row.head->inside(z));
            CHECK_FALSE(row.head->inside(static_cast<std::int64_t>(j), value));
            auto expected = before.value().values();
            expected[j] = -kInfinity;
            const Tensor bad = host_rows(z, K);
            CHECK(row.head->log_p(Variable(parameters), bad, 0).value().values() == expected);
            CHECK(row.head->log_p(parameters, bad, 0, {})[j] == -kInfinity);
            auto smoothing = smooth;
            smoothing[j] = -kInfinity;
            CHECK(smoothed(bad) == smoothing);
            const Variable table(some({row.table_rows, kC}, backend, 8));
            CHECK(std::isfinite(row.head->embed(table, bad, 0).value().values()[0]));
          }
        }
      }
    }
  }

  TEST_CASE(
      "position 0 hears of nothing; all others of the coordinate before, one or all at once") {
    for (const auto& row : rows()) {
      for (const auto backend : backends_here()) {
        CAPTURE(row.name);
        const Variable table(some({row.table_rows, kC}, backend, 8));
        const auto K = row.head->coordinates();
        const auto embedded = [&](const std::vector<double>& before, std::int64_t first) {
          const auto n = static_cast<std::int64_t>(before.size());
          return row.head->embed(table, host_rows(before, n), first).value().values();
        };
        std::vector<double> before = {0}, other = {0.3};
        for (std::int64_t j = 0; j + 1 < K; ++j) {
          before.push_back(midpoints(row, j).front());
          other.push_back(midpoints(row, j).back());
        }
        const auto whole = embedded(before, 0), changed = embedded(other, 0);
        std::vector<double> z(before.begin() + 1, before.end());
        z.push_back(midpoints(row, K - 1)[0]);
        const auto encoded = row.head->encode(host_rows(z, K), row.table_rows, backend, false);
        CHECK(row.head->embed(table, encoded).value().values() == whole);
        REQUIRE(whole.size() == static_cast<std::size_t>(K * kC));
        CHECK(std::equal(whole.begin(), whole.begin() + kC, changed.begin()));
        for (std::int64_t t = 0; t < K; ++t) {
          const auto one = embedded({before[static_cast<std::size_t>(t)]}, t);
          CHECK(std::equal(one.begin(), one.end(), whole.begin() + t * kC));
          if (t > 0) CHECK_FALSE(std::equal(one.begin(), one.end(), changed.begin() + t * kC));
        }
        for (const auto& [a, b] : row.alike) CHECK(embedded({a}, 1) == embedded({b}, 1));
      }
    }
  }

  TEST_CASE("parameters of no distribution and rows that do not fit are refused") {
    const Random random(3, 4);
    for (const auto& row : rows()) {
      for (const auto backend : backends_here()) {
        CAPTURE(row.name);
        const auto P = row.head->parameters_a_position(), K = row.head->coordinates();
        Tensor parameters = some({1, P}, backend, 7);
        parameters.fill(std::nan(""));
        const RowRandom numbers{random, {0, 2, 2}};
        const Tensor place = tensor::make_place(0, backend);
        CHECK_THROWS_AS(row.head->read(row.head->draw(parameters, place, {}, numbers), 0, numbers),
                        Error);
        const Tensor z = host_rows(std::vector{midpoints(row, 0)[0]}, 1);
        CHECK_THROWS_AS(row.head->log_p(parameters.reshape({1, 1, P}), z, 0, {}), Error);
        CHECK_THROWS_AS(row.head->log_p(Variable(some({1, 1, P}, backend, 7)), z, K), Error);
        CHECK_THROWS_AS(host_rows(std::vector<double>(4), 3), Error);
      }
    }
  }

  TEST_CASE("what stands behind a row's own positions counts for nothing, under any decoding") {
    for (const auto backend : backends_here()) {
      for (const auto& config : {configs()[2], configs()[3]}) {
        const auto network = lively_network(config, backend);
        const auto head = make_cells(config.num_bins, config.length());
        Molecules molecules = molecules_for(config, 3, backend);
        molecules.atom_count = Tensor::from_indices(std::vector{3, 1, 2}, {3}, backend);
        const auto own = network.positions_of(molecules, config.length());
        const auto z = as_coordinates(random_tokens(config, 3, 6));
        for (const std::optional<Decoding>& decoding : std::vector<std::optional<Decoding>>{
                 {}, Decoding{}, Decoding{0.7, 0, 1, 0}, Decoding{1.5, 0, 0.8, 0.1}}) {
          const auto expected =
              log_likelihood(network, head, host_rows(z, config.length()), molecules, decoding);
          for (const double filler : {0.5, 4.5, -1.0, std::nan("")}) {
            auto filled = z;
            for (std::size_t i = 0; i < z.size(); ++i)
              if (static_cast<std::int64_t>(i % 6) >= own[i / 6]) filled[i] = filler;
            CHECK(log_likelihood(network, head, host_rows(filled, config.length()), molecules,
                                 decoding) == expected);
          }
          // A row of its own positions alone.
          const auto alone = log_likelihood(network, head, host_rows(std::span(z).subspan(6, 2), 2),
                                            molecules.rows(1, 1), decoding);
          CHECK(alone[0] == doctest::Approx(expected[1]));
        }
      }
    }
  }

  TEST_CASE(
      "coordinates in bins are tokens: the same network, whole and from a cache, to the bit") {
    for (const auto backend : backends_here()) {
      for (const auto& config : configs()) {
        const auto network = lively_network(config, backend);
        const auto head = make_cells(config.num_bins, config.length());
        const auto tokens = random_tokens(config, 3, 6);
        const Tensor z = host_rows(as_coordinates(tokens), config.length());
        const auto molecules = molecules_for(config, 3, backend);
        CHECK(parameters_of(network, head, z, molecules).value().values() ==
              network.logits(as_rows(tokens, network), molecules).value().values());
        CHECK(log_likelihood(network, head, z, molecules) ==
              network.log_likelihood(tokens, 16, molecules));
        auto of_tokens = network.make_cache(3, molecules),
             of_coordinates = network.make_cache(3, molecules);
        Tensor previous;
        for (std::int64_t t = 0; t < config.length(); ++t) {
          std::vector<std::int32_t> column;
          for (std::int64_t b = 0; b < 3 && t > 0; ++b)
            column.push_back(tokens[static_cast<std::size_t>(b * config.length() + t - 1)]);
          const Tensor before =
              t > 0 ? host_rows(as_coordinates(column), 1) : host_rows(std::vector<double>(3), 1);
          if (t > 0) previous = Tensor::from_indices(column, {3}, backend);
          const auto embedded = head.embed(of_coordinates.input_table(), before, t);
          CHECK(network.next_outputs(embedded, of_coordinates).values() ==
                network.next_logits(previous, of_tokens).values());
          of_coordinates.advance();
        }
      }
    }
  }
}

TEST_SUITE("statistical") {
  // Kolmogorov's statistic is above 1.95 once in a thousand.
  TEST_CASE("draws have the density: their distribution is the integral of p") {
    constexpr std::int64_t kB = 4000;
    const Random random(9, 4);
    for (const auto& row : rows()) {
      for (const auto& decoding : row.decodings) {
        CAPTURE(row.name);
        CAPTURE(decoding.text());
        const auto P = row.head->parameters_a_position(), K = row.head->coordinates();
        for (std::int64_t j = 0; j < K; ++j) {
          const Tensor parameters = some({P}, Backend::cpu, 30 + j);
          const RowRandom numbers{random, {0, 2 * kB, 2}};
          const Tensor place = tensor::make_place(static_cast<std::int32_t>(j), Backend::cpu);
          const auto drawn = row.head->read(
              row.head->draw(repeated(parameters, kB).reshape({kB, P}), place, decoding, numbers),
              j, numbers);
          const auto grid = midpoints(row, j);
          const auto log_p =
              row.head->log_p(repeated(parameters, row.points), host_rows(grid, 1), j, decoding);
          std::vector<double> mass;
          double total = 0, below = 0, distance = 0;
          for (const double value : log_p) {
            mass.push_back(std::exp(value));
            total += mass.back();
          }
          for (std::size_t i = 0; i < grid.size(); ++i) {
            below += mass[i] / total;
            const double edge = grid[i] + step(row, j) / 2;
            const auto count = std::ranges::count_if(drawn.z, [&](double z) { return z < edge; });
            distance = std::max(distance, std::abs(below - static_cast<double>(count) / kB));
          }
          CHECK(std::sqrt(double{kB}) * distance < 1.95);
        }
      }
    }
  }
}

}  // namespace
}  // namespace arbg::nn
