// A generator's log q is the density of what it samples: cached equals uncached, decoding equals
// encoding, frequencies equal probabilities, and the whole integrates to one. (Causality bit for
// bit: tests/nn/transformer_test.cpp.)
#include "sampling/proposals/generator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "tensor/base/threads.h"
#include "tests/backends.h"
#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

SampleOptions options_for(std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  return options;
}

// log q of rows at sampling temperature tau, from the uncached logits alone.
std::vector<double> tempered_log_density(const Generator& generator,
                                         const std::vector<std::int32_t>& tokens, double tau) {
  const std::int64_t length = generator.map().size(), bins = generator.bins().bins();
  const auto rows = static_cast<std::int64_t>(tokens.size()) / length;
  const auto logits =
      generator.network()
          .logits(nn::Tensor::from_indices(tokens, {rows, length}, generator.network().backend()))
          .value()
          .values();
  std::vector<double> out;
  for (std::int64_t b = 0; b < rows; ++b) {
    double log_q = -generator.bins().log_volume();
    for (std::int64_t j = 0; j < length; ++j) {
      const double* row = &logits[static_cast<std::size_t>((b * length + j) * bins)];
      double total = 0;
      for (std::int64_t v = 0; v < bins; ++v) total += std::exp(row[v] / tau);
      log_q += row[tokens[static_cast<std::size_t>(b * length + j)]] / tau - std::log(total);
    }
    out.push_back(log_q);
  }
  return out;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    largest = std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                     : std::max(largest, difference);
  }
  return largest;
}

bool same(const Samples& a, const Samples& b) {
  return a.coordinates == b.coordinates && a.positions_nm == b.positions_nm && a.log_q == b.log_q &&
         a.log_volume == b.log_volume;
}

// (chi^2 - degrees of freedom) in standard deviations of the chi-square distribution.
double chi_square_excess(const std::vector<double>& counts, const std::vector<double>& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    sum += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  const double freedom = static_cast<double>(counts.size() - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}

// chi^2 of sampled cells against `log_density` of all cells; cells that expect fewer than five
// samples are one class.
double frequency_excess(const Generator& generator, const Samples& samples, double tau) {
  const std::int64_t bins = generator.bins().bins(), length = generator.map().size();
  const auto cells = all_sequences(bins, length);
  const auto log_q = tempered_log_density(generator, cells, tau);
  const auto tokens = tokens_of(generator, samples.coordinates);
  std::vector<double> count(log_q.size());
  for (std::int64_t i = 0; i < samples.count(); ++i) {
    std::int64_t cell = 0;
    for (std::int64_t j = length - 1; j >= 0; --j)
      cell = cell * bins + tokens[static_cast<std::size_t>(i * length + j)];
    count[static_cast<std::size_t>(cell)] += 1;
  }
  std::vector<double> counts{0}, expected{0};
  for (std::size_t c = 0; c < count.size(); ++c) {
    const double mean =
        static_cast<double>(samples.count()) * std::exp(log_q[c] + generator.bins().log_volume());
    if (mean >= 5) {
      counts.push_back(count[c]);
      expected.push_back(mean);
    } else {
      counts[0] += count[c];
      expected[0] += mean;
    }
  }
  if (expected[0] == 0) counts.erase(counts.begin()), expected.erase(expected.begin());
  return chi_square_excess(counts, expected);
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE(
    "cached log q equals uncached: bitwise on the reference, to float32 rounding on the cpu") {
  for (const auto backend : backends_here()) {
    for (const auto& generator : {three_atoms(16, backend), two_atoms_cartesian(16, backend)}) {
      const auto samples = generator.sample(options_for(70));
      const auto uncached = generator.log_density(samples.coordinates);
      if (backend == nn::Backend::reference)
        CHECK(samples.log_q == uncached);
      else
        CHECK(largest_difference(samples.log_q, uncached) < 1e-5 * generator.map().size());
    }
  }
}

TEST_CASE("at a sampling temperature log q is that of the tempered distribution") {
  const auto generator = three_atoms(16, nn::Backend::reference);
  for (const double tau : {0.5, 1.0, 3.0}) {
    const auto samples = generator.sample(options_for(50), {tau, 0, 1, 0});
    const auto tokens = tokens_of(generator, samples.coordinates);
    CHECK(largest_difference(samples.log_q, tempered_log_density(generator, tokens, tau)) < 1e-12);
  }
  const auto hot = generator.sample(options_for(50), {3.0, 0, 1, 0});
  CHECK(largest_difference(hot.log_q, generator.log_density(hot.coordinates)) > 0.1);
}

TEST_CASE("stored positions encode back to the sampled bins and their log volume") {
  const auto generator = three_atoms(256, nn::Backend::cpu);
  const auto samples = generator.sample(options_for(500));
  const auto encoded = generator.encode(samples.positions_nm, 1);
  CHECK(encoded.outside == 0);
  CHECK(tokens_of(generator, encoded.coordinates) == tokens_of(generator, samples.coordinates));
  CHECK(largest_difference(encoded.log_volume, samples.log_volume) < 1e-11);
}

TEST_CASE("Cartesian positions over the scale lie in the sampled bins") {
  const auto generator = two_atoms_cartesian(1024, nn::Backend::cpu);
  const auto samples = generator.sample(options_for(500));
  std::vector<double> y = samples.positions_nm;
  for (double& value : y) value /= 0.06;
  std::vector<std::int32_t> tokens(y.size());
  CHECK(generator.bins().encode_rows(y, tokens) == 0);
  CHECK(tokens == tokens_of(generator, samples.coordinates));
}

TEST_CASE("the density integrates to one: cells times their volume") {
  for (const auto backend : backends_here()) {
    for (const auto& generator : {three_atoms(4, backend), two_atoms_cartesian(3, backend)}) {
      double volume = 1, integral = 0;
      for (std::int64_t j = 0; j < generator.map().size(); ++j) volume *= generator.bins().width(j);
      const auto cells = all_sequences(generator.bins().bins(), generator.map().size());
      for (const double log_q : generator.log_density(middles(generator, cells)))
        integral += std::exp(log_q) * volume;
      CHECK(std::abs(integral - 1) < (backend == nn::Backend::reference ? 1e-12 : 1e-5));
    }
  }
}

TEST_CASE("the same samples for any split into parts, lanes and threads") {
  const int threads = thread_count();
  for (const auto backend : backends_here()) {
    const auto generator = three_atoms(64, backend);
    auto options = options_for(50);
    const auto whole = generator.sample(options);
    for (const std::int64_t lanes : {1, 7, 64}) {
      for (const int used : {1, 2}) {
        set_thread_count(used);
        options.lanes = lanes;
        CHECK(same(generator.sample(options), whole));
      }
    }
    options.first = 20;
    options.count = 13;
    const auto part = generator.sample(options);
    const auto width = static_cast<std::size_t>(generator.map().size());
    CHECK(std::equal(part.coordinates.begin(), part.coordinates.end(),
                     whole.coordinates.begin() + static_cast<std::ptrdiff_t>(20 * width)));
    CHECK(std::equal(part.log_q.begin(), part.log_q.end(), whole.log_q.begin() + 20));
    CHECK(std::equal(part.positions_nm.begin(), part.positions_nm.end(),
                     whole.positions_nm.begin() + 20 * 9));
    options.seed = 6;
    CHECK(generator.sample(options).coordinates != part.coordinates);
  }
  set_thread_count(threads);
}

TEST_CASE("a conformation outside the support has density zero and is counted") {
  const auto generator = three_atoms(16, nn::Backend::reference);
  auto x = generator.sample(options_for(3)).positions_nm;
  x[9 + 3] += 10;  // the second conformation's second atom
  const auto encoded = generator.encode(x, 1);
  CHECK(encoded.outside == 1);
  const auto log_q = generator.log_density(encoded.coordinates);
  CHECK(std::isfinite(log_q[0]));
  CHECK(log_q[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isfinite(log_q[2]));
}

TEST_CASE("of rows outside the network is not asked, and rows beside them keep every bit") {
  const std::vector<Decoding> decodings = {{}, {0.8, 3, 1, 0.1}};
  for (const auto backend : backends_here()) {
    const auto generator = three_atoms(16, backend);
    const auto z = generator.sample(options_for(40)).coordinates;
    std::vector<double> mixed;
    for (std::size_t i = 0; i < z.size(); i += 3) {
      mixed.insert(mixed.end(), {-1, z[i + 1], z[i + 2], z[i], z[i + 1], z[i + 2]});
    }
    for (const auto& decoding : decodings) {
      const auto alone = generator.log_density(z, decoding),
                 found = generator.log_density(mixed, decoding);
      for (std::size_t i = 0; i < alone.size(); ++i) {
        CHECK(found[2 * i] == -std::numeric_limits<double>::infinity());
        CHECK(found[2 * i + 1] == alone[i]);
      }
    }
    const auto broken = three_atoms(16, backend);
    stir(broken.network(), "", std::nan(""));
    for (const auto& decoding : decodings)
      CHECK(broken.log_density(std::vector<double>{-1, 2, 0, 0.1, 9, 1}, decoding) ==
            std::vector(2, -std::numeric_limits<double>::infinity()));
  }
}

TEST_CASE("what does not fit is refused in a sentence") {
  const auto generator = three_atoms(16, nn::Backend::reference);
  CHECK(error_message([&] {
          generator.sample(options_for(1), {0.0, 0, 1, 0});
        }).find("temperature must be positive") != std::string::npos);
  CHECK(error_message([&] {
          generator.encode(std::vector<double>(10), 1);
        }).find("conformations of 3 atoms") != std::string::npos);
  CHECK(error_message([&] {
          generator.log_density(std::vector<double>(4));
        }).find("rows of 3 coordinates") != std::string::npos);
  const auto m = chain(3, 0.012, 0.4);
  auto map = md::make_internal_map(m.topology, m.system, kTemperature);
  nn::Transformer network(config_of(*map, 16), nn::Backend::cpu, 1);
  auto wrong = bins_of(*map, 8);
  CHECK(error_message([&] {
          Generator(std::move(network), std::move(wrong), std::move(map));
        }).find("16 bins") != std::string::npos);
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("sampler frequencies match the probabilities, at every sampling temperature") {
  for (const auto backend : backends_here()) {
    const auto generator = three_atoms(4, backend);
    for (const double tau : {1.0, 0.6, 2.0}) {
      const auto samples = generator.sample(options_for(40000), {tau, 0, 1, 0});
      CHECK(std::abs(frequency_excess(generator, samples, tau)) < 4);
      CHECK(frequency_excess(generator, samples, 1.25 * tau) >
            20);  // the test sees a wrong temperature
    }
  }
}

TEST_CASE("coordinates are uniform within each bin, whichever bin was drawn") {
  const auto generator = three_atoms(4, nn::Backend::cpu);
  const auto samples = generator.sample(options_for(20000));
  constexpr std::size_t kParts = 8;
  std::map<std::pair<std::int64_t, std::int32_t>, std::vector<double>> counts;  // of a bin
  const auto tokens = tokens_of(generator, samples.coordinates);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto j = static_cast<std::int64_t>(i) % generator.map().size();
    const double fraction =
        (samples.coordinates[i] - generator.bins().axis(j).low) / generator.bins().width(j) -
        tokens[i];
    auto& of_bin = counts[{j, tokens[i]}];
    of_bin.resize(kParts);
    of_bin.at(static_cast<std::size_t>(fraction * kParts)) += 1;
  }
  CHECK(counts.size() == 12);
  for (const auto& [bin, of_bin] : counts) {
    double total = 0;
    for (const double count : of_bin) total += count;
    CHECK(std::abs(chi_square_excess(of_bin, std::vector<double>(kParts, total / kParts))) < 4);
  }
}

TEST_SUITE_END();
