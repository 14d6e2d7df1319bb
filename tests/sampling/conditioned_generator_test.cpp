// A conditioned network samples the molecule that it is told, which may be shorter than itself: log
// q is the density, with or without padding.
#include <doctest/doctest.h>

#include <cmath>

#include "sampling/proposals/encodings.h"
#include "sampling/proposals/generator.h"
#include "tests/backends.h"
#include "tests/md/error_message.h"
#include "tests/sampling/small_generators.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr std::int64_t kMostAtoms = 24, kBins = 16;

nn::TransformerConfig conditioned_config() {
  nn::TransformerConfig config;
  config.num_bins = kBins;
  config.channels = 8;
  config.num_layers = 1;
  config.num_heads = 2;
  config.set_cartesian(kMostAtoms);
  config.conditioning.emplace().hidden = 8;
  config.add_cond_to_input = config.global_cond = config.cross_attention = true;
  return config;
}

nn::Transformer lively_network(nn::Backend backend) {
  nn::Transformer network(conditioned_config(), backend, 3);
  stir(network, "", 0.3);
  return network;
}

MoleculeEncoding encoding_of(const char* sequence) {
  return encode_molecule(md::Topology::from_sequence(sequence));
}

Generator generator_of(const char* sequence, nn::Backend backend) {
  const auto molecule = encoding_of(sequence);
  auto map = md::make_cartesian_map(static_cast<int>(molecule.atom_count()), 0.35, 4.5);
  auto bins = bins_of(*map, kBins);
  return {lively_network(backend), std::move(bins), std::move(map), molecule};
}

SampleOptions options_for(std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  return options;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("cached log q of a told molecule equals uncached: bitwise on the reference") {
  for (const auto backend : backends_here()) {
    const auto generator = generator_of("GG", backend);
    CHECK(generator.map().size() < generator.network().config().length());
    for (const auto& decoding : {Decoding{}, Decoding{0.9, 5, 1, 0.1}}) {
      auto options = options_for(20);
      options.lanes = 7;
      const auto samples = generator.sample(options, decoding);
      const auto log_q = generator.log_density(samples.coordinates, decoding);
      if (backend == nn::Backend::reference)
        CHECK(samples.log_q == log_q);
      else
        CHECK(largest_difference(samples.log_q, log_q) < 1e-5 * generator.map().size());
    }
  }
}

TEST_CASE("padding changes nothing: neither in the network's likelihood nor beside others") {
  const auto generator = generator_of("GG", nn::Backend::reference);
  const auto samples = generator.sample(options_for(3));
  const auto molecule = encoding_of("GG"), other = encoding_of("AA");
  const std::vector<const MoleculeEncoding*> rows = {&molecule, &other, &molecule, &molecule};
  const std::size_t own = static_cast<std::size_t>(3 * molecule.atom_count()), T = 3 * kMostAtoms;
  const auto own_tokens = tokens_of(generator, samples.coordinates);
  std::vector<std::int32_t> tokens(4 * T, 0);
  const std::vector<std::size_t> row_of = {0, 2, 3};
  for (std::size_t i = 0; i < 3; ++i) {
    std::copy_n(own_tokens.begin() + static_cast<std::ptrdiff_t>(i * own), own,
                tokens.begin() + static_cast<std::ptrdiff_t>(row_of[i] * T));
  }
  const auto log_p = generator.network().log_likelihood(
      tokens, 4, stack_molecules(rows, kMostAtoms, nn::Backend::reference));
  const std::vector<double> padded = {log_p[0], log_p[2], log_p[3]};
  std::vector<double> expected = samples.log_q;
  for (double& value : expected) value += generator.bins().log_volume();
  CHECK(largest_difference(padded, expected) < 1e-10);
}

TEST_CASE("what a molecule is matters, though its number of atoms be the same") {
  const auto ag = generator_of("AG", nn::Backend::reference),
             ga = generator_of("GA", nn::Backend::reference);
  const auto samples = ag.sample(options_for(4));
  CHECK(ga.map().size() == ag.map().size());
  CHECK(largest_difference(ga.log_density(samples.coordinates), samples.log_q) > 1e-3);
}

TEST_CASE("a conditioned network without a molecule, and the reverse, is refused in a sentence") {
  const auto make = [&](const nn::TransformerConfig& config, int atoms,
                        std::optional<MoleculeEncoding> molecule) {
    return error_message([&] {
      auto map = md::make_cartesian_map(atoms, 0.35, 4.5);
      auto bins = bins_of(*map, kBins);
      Generator(nn::Transformer(config, nn::Backend::cpu, 1), std::move(bins), std::move(map),
                std::move(molecule));
    });
  };
  auto plain = conditioned_config();
  plain.conditioning.reset();
  plain.add_cond_to_input = plain.global_cond = plain.cross_attention = false;
  CHECK(make(conditioned_config(), 24, {}).find("has to be told") != std::string::npos);
  CHECK(make(plain, 17, encoding_of("GG")).find("cannot be told") != std::string::npos);
  CHECK(make(conditioned_config(), 18, encoding_of("GG")).find("17 atoms with coordinates of 18") !=
        std::string::npos);
  CHECK(make(conditioned_config(), 33, encoding_of("AAA")).find("72 positions, the bins 99") !=
        std::string::npos);
}

TEST_SUITE_END();
