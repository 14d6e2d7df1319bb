// Densities that are sloped within bins (nn/heads/within_bins.h): what is drawn has the density
// that is stated, which integrates to one, whatever else a generator is told or decodes.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "md/forcefields/forcefield.h"
#include "tests/backends.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

const std::vector<Decoding> kDecodings = {{}, {0.7, 0, 1, 0}, {1.4, 2, 1, 0}, {1, 0, 0.7, 0.2}};

Generator sloped(std::int64_t bins, nn::Backend backend) {
  return three_atoms(bins, backend, nn::WithinBins::sloped);
}

Generator told_sloped(nn::Backend backend) {
  const auto topology = md::Topology::from_sequence("Ace-A-Nme");
  const auto system = md::ForceField::named("amber99sbildn-obc2").create_system(topology);
  return lively_generator(md::make_internal_map(topology, system, kTemperature), 32, backend,
                          Told{system, md::placement_born_radii(topology, system)},
                          nn::WithinBins::sloped);
}

Samples draw(const Generator& generator, const Decoding& decoding, std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  return generator.sample(options, decoding);
}

// The points of a rule within each of all V^K cells, `places` of each bin: rows of K.
std::vector<double> grid(const Generator& generator, std::span<const double> places) {
  const std::int64_t V = generator.bins().bins(), K = generator.map().size(),
                     n = std::ssize(places);
  std::vector<double> z;
  for (const auto fine : all_sequences(V * n, K)) {
    const auto j = std::ssize(z) % K;
    z.push_back(generator.bins().axis(j).low +
                (static_cast<double>(fine / n) + places[static_cast<std::size_t>(fine % n)]) *
                    generator.bins().width(j));
  }
  return z;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("with slopes cached log q equals uncached: bitwise on the reference") {
    for (const auto backend : backends_here()) {
      for (const bool told : {false, true}) {
        const Generator generator = told ? told_sloped(backend) : sloped(8, backend);
        for (const Decoding& decoding : kDecodings) {
          CAPTURE(decoding.text());
          const auto samples = draw(generator, decoding, 20);
          const auto uncached = generator.log_density(samples.coordinates, decoding);
          if (backend == nn::Backend::reference) CHECK(samples.log_q == uncached);
          for (std::size_t i = 0; i < uncached.size(); ++i)
            CHECK(std::abs(samples.log_q[i] - uncached[i]) < (told ? 1e-3 : 1e-4));
        }
      }
    }
  }

  TEST_CASE("all sequences sum to one with slopes, by a rule within each cell that is exact") {
    const double apart = std::sqrt(1.0 / 12);
    const std::array places = {0.5 - apart, 0.5 + apart};  // of Gauss
    for (const std::int64_t bins : {1, 2, 3}) {
      const auto generator = sloped(bins, nn::Backend::reference);
      const auto z = grid(generator, places);
      for (const Decoding& decoding : kDecodings) {
        CAPTURE(decoding.text());
        double sum = 0;
        for (const double log_q : generator.log_density(z, decoding))
          sum += std::exp(log_q + generator.bins().log_volume()) / 8;
        CHECK(std::abs(sum - 1) < 1e-12);
      }
    }
  }

  TEST_CASE("slopes move coordinates within the bins that uniform ones draw, and no further") {
    for (const auto backend : backends_here()) {
      const auto with = sloped(8, backend), without = three_atoms(8, backend);
      const auto a = draw(with, {}, 50), b = draw(without, {}, 50);
      CHECK(tokens_of(with, a.coordinates) == tokens_of(without, b.coordinates));
      std::size_t moved = 0;
      for (std::size_t i = 0; i < a.coordinates.size(); ++i)
        moved += a.coordinates[i] != b.coordinates[i];
      CHECK(moved > a.coordinates.size() * 9 / 10);
      // In the middle of every bin the densities agree.
      const auto middle = middles(with, tokens_of(with, a.coordinates));
      const auto sloped_there = with.log_density(middle, {1, 8, 1, 0.5}),
                 uniform_there = without.log_density(middle, {1, 8, 1, 0.5});
      for (std::size_t i = 0; i < middle.size() / 3; ++i)
        CHECK(sloped_there[i] == doctest::Approx(uniform_there[i]).epsilon(1e-12));
    }
  }

  TEST_CASE("a row with slopes has the same bits alone and in a batch") {
    for (const auto backend : backends_here()) {
      const auto generator = told_sloped(backend);
      const auto all = draw(generator, {}, 9);
      SampleOptions options;
      options.count = options.lanes = 1;
      options.seed = 5;
      options.first = 6;
      const auto one = generator.sample(options);
      const auto K = generator.map().size();
      CHECK(std::equal(one.coordinates.begin(), one.coordinates.end(),
                       all.coordinates.begin() + 6 * K));
      CHECK(one.log_q[0] == all.log_q[6]);
    }
  }
}

TEST_SUITE("statistical") {
  TEST_CASE("draws have the stated density within bins, by chi-square over parts of cells") {
    constexpr std::int64_t kBins = 3, kCount = 40000;
    const std::array places = {0.25, 0.75};  // middles of halves: exact for lines
    for (const auto backend : backends_here()) {
      const auto generator = sloped(kBins, backend);
      const auto z = grid(generator, places);
      for (const Decoding& decoding : {Decoding{}, Decoding{1.4, 2, 1, 0.2}}) {
        CAPTURE(decoding.text());
        const auto log_q = generator.log_density(z, decoding);
        const auto samples = draw(generator, decoding, kCount);
        std::vector<double> count(log_q.size());
        for (std::size_t i = 0; i < samples.coordinates.size(); i += 3) {
          std::size_t part = 0;
          for (std::size_t j = 3; j-- > 0;) {
            const auto& axis = generator.bins().axis(static_cast<std::int64_t>(j));
            const double share = (samples.coordinates[i + j] - axis.low) / (axis.high - axis.low);
            part = part * 2 * kBins + static_cast<std::size_t>(share * 2 * kBins);
          }
          ++count[part];
        }
        double chi_square = 0, freedom = -1;
        for (std::size_t i = 0; i < count.size(); ++i) {
          const double mean = kCount / 8.0 * std::exp(log_q[i] + generator.bins().log_volume());
          if (mean < 5) continue;
          chi_square += (count[i] - mean) * (count[i] - mean) / mean;
          ++freedom;
        }
        CHECK(freedom > 100);
        CHECK((chi_square - freedom) / std::sqrt(2 * freedom) < 4);
      }
    }
  }
}
