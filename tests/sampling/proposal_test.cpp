// What every kind of proposal must hold to, one table of all kinds: a row on the reference backend
// each, where log q and densities agree to the bit, with a target whose log Z is known.
#include "sampling/proposals/proposal.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "metrics/weights/weights.h"
#include "sampling/proposals/autoregressive.h"
#include "sampling/proposals/bonded_marginals.h"
#include "sampling/proposals/marginals.h"
#include "sampling/proposals/mirrored.h"
#include "tensor/base/error.h"
#include "tests/sampling/known_answers.h"
#include "tests/sampling/mirrored_star.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

constexpr double kBondWidth = 0.012, kAngleWidth = 0.3;
constexpr std::int64_t kBins = 32;

// What a row stands on, and the proposal.
struct Row {
  std::string name;
  Target target;
  double log_z;
  std::unique_ptr<md::CoordinateMap> map;
  std::unique_ptr<Generator> generator;
  std::unique_ptr<const Proposal> proposal;
  bool exact_log_q = true;  // of draws: what log_density() says
  bool consistent = true;   // weights average to Z
};

Row chain_row(const std::string& name) {
  const auto m = chain(3, kBondWidth, kAngleWidth);
  return {name,
          Target(m.topology, m.system, kTemperature),
          2 * std::log(bond_z(kBondWidth)) + std::log(angle_z(kAngleWidth)),
          md::make_internal_map(m.topology, m.system, kTemperature),
          {},
          {}};
}

Row network_row(const Decoding& decoding, nn::WithinBins within = nn::WithinBins::uniform) {
  Row row = chain_row(std::string("network, ") + name_of(within) + ", " + decoding.text());
  row.generator = std::make_unique<Generator>(near_generator(
      md::CoordinateMap::from_json(row.map->to_json()), kBins,
      [](const md::Coordinate& c, double value) {
        return c.kind == 0 ? boltzmann(value, kLength, 1.2 * kBondWidth)
                           : boltzmann(value, kAngle, 1.2 * kAngleWidth);
      },
      nn::Backend::reference, {}, within));
  row.proposal = std::make_unique<AutoregressiveProposal>(*row.generator, decoding);
  row.consistent = !decoding.biased();
  return row;
}

Row marginals_row(bool with_gap) {
  const auto m = chain(3, kBondWidth, kAngleWidth);
  Row row = chain_row(with_gap ? "marginals with bins of weight 0" : "marginals");
  const auto bins = bins_of(*row.map, kBins);
  auto weights = bonded_marginals(*row.map, bins, m.system, kTemperature,
                                  md::ideal_geometry(m.topology, m.system));
  if (with_gap) weights[15] = weights[16] = 0;
  row.proposal = std::make_unique<MarginalsProposal>(*row.map, bins, weights);
  row.consistent = !with_gap;
  return row;
}

std::unique_ptr<Row> mirrored_row(Mirror rule, nn::WithinBins within = nn::WithinBins::uniform) {
  const auto m = star();
  auto row = std::make_unique<Row>(Row{rule == Mirror::reflect ? "mirrored" : "mirrored, published",
                                       Target(m.topology, m.system, kTemperature),
                                       star_log_z(),
                                       {},
                                       {},
                                       {}});
  row->generator = std::make_unique<Generator>(star_generator(nn::Backend::reference, within));
  row->proposal = std::make_unique<MirroredProposal>(
      std::make_unique<AutoregressiveProposal>(*row->generator), row->target, rule);
  row->consistent = row->exact_log_q = rule == Mirror::reflect;
  return row;
}

// One row at a time: a mirrored one points at its own target.
template <class Body>
void for_every_kind(const Body& body) {
  const auto run = [&](const Row& row) {
    INFO(row.name);
    body(row);
  };
  for (const Decoding& decoding :
       {Decoding{}, Decoding{1.2, 0, 1, 0}, Decoding{1, 12, 1, 0.2}, Decoding{1, 6, 1, 0}})
    run(network_row(decoding));
  for (const Decoding& decoding : {Decoding{}, Decoding{1.2, 12, 1, 0.2}})
    run(network_row(decoding, nn::WithinBins::sloped));
  for (const bool with_gap : {false, true}) run(marginals_row(with_gap));
  for (const Mirror rule : {Mirror::reflect, Mirror::keep_old_log_q}) run(*mirrored_row(rule));
  run(*mirrored_row(Mirror::reflect, nn::WithinBins::sloped));
}

SampleOptions options_for(std::int64_t count, std::int64_t first = 0) {
  SampleOptions options;
  options.count = count;
  options.first = first;
  options.seed = 5;
  return options;
}

bool same_rows(const std::vector<double>& part, const std::vector<double>& whole, std::size_t first,
               std::size_t width) {
  return std::equal(part.begin(), part.end(),
                    whole.begin() + static_cast<std::ptrdiff_t>(first * width));
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("log_density of draws is the log q that they state, to the bit") {
  for_every_kind([](const Row& row) {
    const auto drawn = row.proposal->draw(options_for(100));
    CHECK((row.proposal->log_density(drawn.coordinates) == drawn.log_q) == row.exact_log_q);
  });
}

TEST_CASE("drawing in parts is drawing at once; positions and volumes are the map's") {
  for_every_kind([](const Row& row) {
    const auto whole = row.proposal->draw(options_for(50)),
               part = row.proposal->draw(options_for(13, 20));
    const auto& map = row.proposal->map();
    const auto K = static_cast<std::size_t>(map.size()),
               frame = static_cast<std::size_t>(map.atom_count()) * 3;
    REQUIRE(part.count() == 13);
    CHECK(same_rows(part.coordinates, whole.coordinates, 20, K));
    CHECK(same_rows(part.positions_nm, whole.positions_nm, 20, frame));
    CHECK(same_rows(part.log_q, whole.log_q, 20, 1));
    CHECK(same_rows(part.log_volume, whole.log_volume, 20, 1));
    for (std::size_t i = 0; i < 50; ++i) {
      const auto z = std::span(whole.coordinates).subspan(i * K, K);
      CHECK(same_rows(md::decode(map, z), whole.positions_nm, i, frame));
      CHECK(map.log_volume(z) == whole.log_volume[i]);
    }
    auto other = options_for(13, 20);
    other.stream = stream_id("proposal test");
    CHECK(row.proposal->draw(other).coordinates != part.coordinates);
  });
}

TEST_CASE("inside is where the density is above 0; draws are inside") {
  for_every_kind([](const Row& row) {
    const auto& map = row.proposal->map();
    const auto K = static_cast<std::size_t>(map.size());
    auto z = row.proposal->draw(options_for(60)).coordinates;
    // As many points again, scattered over a little more than the support, one coordinate each.
    const Random random(9, stream_id("proposal test"));
    const std::size_t drawn = z.size();
    for (std::size_t at = 0; at < drawn; at += K) {
      const std::size_t j = at / K % K;
      const md::Coordinate& c = map.coordinates()[j];
      z.insert(z.end(), z.begin() + static_cast<std::ptrdiff_t>(at),
               z.begin() + static_cast<std::ptrdiff_t>(at + K));
      z[drawn + at + j] = c.low + (c.high - c.low) * (1.4 * random.uniform(at) - 0.2);
    }
    const auto log_q = row.proposal->log_density(z);
    std::size_t outside = 0;
    for (std::size_t i = 0; i < log_q.size(); ++i) {
      const bool inside = row.proposal->inside(std::span(z).subspan(i * K, K));
      outside += !inside;
      if (i < drawn / K || log_q[i] > -INFINITY) CHECK(inside);
      if (inside && row.proposal->covers_support()) CHECK(log_q[i] > -INFINITY);
    }
    CHECK(outside > 0);
    CHECK(outside < log_q.size() / 2);
  });
}

TEST_CASE("what grows coordinate by coordinate draws the same; the others say that they do not") {
  for_every_kind([](const Row& row) {
    const auto options = options_for(8, 3);
    const Random random(options.seed, options.stream);
    const std::int64_t K = row.proposal->map().size();
    if (dynamic_cast<const AutoregressiveProposal*>(row.proposal.get()) == nullptr) {
      CHECK_THROWS_WITH(row.proposal->grow(8, random, 3),
                        doctest::Contains("draws coordinate by coordinate"));
      return;
    }
    const auto drawn = row.proposal->draw(options);
    const auto growing = row.proposal->grow(8, random, 3);
    REQUIRE(growing->grow(K));
    for (std::int64_t i = 0; i < 8; ++i) {
      const auto k = static_cast<std::size_t>(i);
      CHECK(same_rows({growing->coordinates(i).begin(), growing->coordinates(i).end()},
                      drawn.coordinates, k, static_cast<std::size_t>(K)));
      CHECK(growing->log_q(i) == drawn.log_q[k]);
    }
    CHECK_THROWS_WITH(static_cast<void>(growing->grow(K + 1)),
                      doctest::Contains("samples grow to"));
  });
}

TEST_SUITE_END();

TEST_SUITE_BEGIN("statistical");

TEST_CASE("weights average to Z if, and only if, a proposal has no label") {
  for_every_kind([](const Row& row) {
    const auto drawn = row.proposal->draw(options_for(15000));
    const auto summary = metrics::summarise_weights(
        log_weights(row.target.reduced_energy(drawn.positions_nm), drawn.log_volume, drawn.log_q));
    INFO("log Z ", summary.log_z, " +- ", summary.log_z_error, ", exactly ", row.log_z);
    CHECK(summary.log_z_error < 0.1);
    const double sigmas = std::abs(summary.log_z - row.log_z) / summary.log_z_error;
    if (row.consistent) CHECK(sigmas < 4);
    if (!row.consistent) CHECK(sigmas > 6);
    CHECK(row.proposal->labels().empty() == row.consistent);
  });
}

TEST_SUITE_END();
