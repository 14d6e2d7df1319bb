// A network that is told placement energies, on the emulated device: what it is told, five steps of
// training and draws, against the cpu. From the third step and the third coordinate on they are
// recordings, with the energies in them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "machine.h"
#include "md/forcefields/forcefield.h"
#include "md/placement/ring_closure.h"
#include "nn/training/trainer.h"
#include "tests/sampling/small_generators.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kBins = 16;
constexpr std::int64_t kInterpolated = 256;  // so many that the cpu interpolates distant pairs

// With a planar ring, which is closed by coordinates of every kind.
struct Peptide {
  md::Molecule molecule;
  std::unique_ptr<md::CoordinateMap> map;
  std::vector<double> born_radii_nm;
  std::vector<md::RingClosure> closures;

  Peptide() {
    molecule.topology = md::Topology::from_sequence("Ace-F-Nme");
    molecule.system = md::ForceField::named("amber99sbildn-obc2").create_system(molecule.topology);
    map = md::make_internal_map(molecule.topology, molecule.system, kTemperature);
    born_radii_nm = md::placement_born_radii(molecule.topology, molecule.system);
    closures = md::ring_closures(molecule.topology, molecule.system, *map, kTemperature);
  }
  Generator generator(Backend backend, nn::WithinBins within = nn::WithinBins::uniform,
                      std::int64_t bins = kBins) const {
    return lively_generator(md::CoordinateMap::from_json(map->to_json()), bins, backend,
                            Told{molecule.system, born_radii_nm, closures}, within);
  }
};

const Peptide& peptide() {
  static const Peptide the_only;
  return the_only;
}

// Rows of z as the cpu draws them, [count, K].
std::vector<double> drawn(std::int64_t count) {
  SampleOptions options;
  options.count = count;
  options.seed = 5;
  return peptide().generator(Backend::cpu).sample(options).coordinates;
}

nn::PlacementRows told(const Generator& generator, const std::vector<double>& z, std::int64_t first,
                       std::int64_t n) {
  const auto rows = nn::host_rows(z, generator.map().size());
  return generator.head().placement_rows(rows, first, n, generator.network().backend());
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

// Batches of the same rows, each time others.
struct Rows : nn::TrainingBatchSource {
  std::vector<double> z = drawn(20);
  void fill(std::int64_t step, std::span<double> batch, std::span<double> log_target) override {
    std::copy_n(z.begin() + step * std::ssize(batch), batch.size(), batch.begin());
    std::ranges::fill(log_target, 0);
  }
};

std::vector<double> losses_of_five_steps(Backend backend) {
  const auto generator = peptide().generator(backend);
  nn::Transformer network = generator.network().replica();
  nn::TrainerOptions options;
  options.batch = 4;
  options.shards = 2;
  options.micro_batch = 1;
  options.total_steps = 5;
  Rows rows;
  nn::Trainer trainer(network, generator.head(), rows, options);
  std::vector<double> losses;
  while (!trainer.done()) losses.push_back(trainer.train_step().loss);
  return losses;
}

TEST_SUITE("fast") {
  TEST_CASE("a device tells what the cpu tells, of a part as of all, of a row as of a batch") {
    const auto host = peptide().generator(Backend::cpu),
               device = peptide().generator(Backend::cuda);
    const auto z = drawn(2);
    const std::int64_t K = host.map().size();
    const auto expected = told(host, z, 0, K), found = told(device, z, 0, K);
    CHECK(found.slot.indices() == expected.slot.indices());
    CHECK(largest_difference(found.energies.values(), expected.energies.values()) < 1e-3);
    CHECK(largest_difference(found.features.values(), expected.features.values()) < 1e-4);
    const auto again = told(device, z, 0, K);
    CHECK(again.energies.values() == found.energies.values());
    const std::vector<double> second(z.begin() + K, z.end());
    const auto alone = told(device, second, 0, K);
    const auto all = found.energies.values(), one = alone.energies.values();
    CHECK(std::ranges::equal(one, std::span(all).last(one.size())));
    const auto slots = found.slot.indices();
    const auto size = static_cast<std::size_t>(md::kPlacementComponents * kBins);
    for (std::int64_t j = 0; j < K; ++j) {
      const auto slot = slots[static_cast<std::size_t>(j)];
      if (slot < 0) continue;
      CAPTURE(j);
      const auto part = told(device, second, j, 1).energies.values();
      CHECK(std::ranges::equal(
          part, std::span(one).subspan(static_cast<std::size_t>(slot) * size, size)));
    }
  }

  TEST_CASE("a device tells what the cpu tells where the cpu interpolates") {
    const auto host = peptide().generator(Backend::cpu, nn::WithinBins::uniform, kInterpolated),
               device = peptide().generator(Backend::cuda, nn::WithinBins::uniform, kInterpolated);
    const auto z = drawn(1);
    const std::int64_t K = host.map().size();
    CHECK(largest_difference(told(device, z, 0, K).energies.values(),
                             told(host, z, 0, K).energies.values()) < 1e-3);
  }

  TEST_CASE("five steps of a network that is told energies are the cpu's") {
    const auto host = losses_of_five_steps(Backend::cpu),
               device = losses_of_five_steps(Backend::cuda);
    CHECK(largest_difference(device, host) < 1e-4);
    CHECK(std::abs(host[4] - host[3]) > 1e-2);  // other rows have another loss
  }

  TEST_CASE("draws of a network that is told energies have the log q of the cpu") {
    SampleOptions options;
    options.count = 5;
    options.lanes = 3;
    for (const auto within : {nn::WithinBins::uniform, nn::WithinBins::sloped}) {
      CAPTURE(std::string(name_of(within)));
      const auto device = peptide().generator(Backend::cuda, within),
                 host = peptide().generator(Backend::cpu, within);
      const auto samples = device.sample(options);
      REQUIRE(samples.count() == 5);
      CHECK(largest_difference(device.log_density(samples.coordinates), samples.log_q) < 1e-3);
      CHECK(largest_difference(host.log_density(samples.coordinates), samples.log_q) < 1e-3);
    }
  }
}

}  // namespace
}  // namespace arbg::sampling
