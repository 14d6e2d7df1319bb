// What an audit asks, in which order, and of what. That its lines see defects: tests/audit.
#include "sampling/audit/audit.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "sampling/audit/coordinates.h"
#include "tests/sampling/small_generators.h"

namespace arbg::sampling {
namespace {

std::vector<std::string> titles_of(const Audit& audit) {
  std::vector<std::string> out;
  for (const auto& section : audit.sections) out.push_back(section.title);
  return out;
}

bool has_line(const AuditSection& section, const std::string& begin) {
  return std::ranges::any_of(section.checks,
                             [&](const Check& check) { return check.name.starts_with(begin); });
}

struct Setting {
  md::Molecule molecule = chain(3, 0.012, 0.4);
  Generator generator = three_atoms(8, nn::Backend::cpu);
  AutoregressiveProposal proposal{generator};
  Target target{molecule.topology, molecule.system, kTemperature};

  StoredSamples stored() const {
    SampleOptions options;
    options.count = 60;
    const auto samples = generator.sample(options);
    StoredSamples out;
    out.tokens = tokens_of(generator, samples.coordinates);
    out.positions_nm = samples.positions_nm;
    out.log_q = samples.log_q;
    out.reduced_energy = target.reduced_energy(samples.positions_nm);
    out.log_weight = log_weights(out.reduced_energy, samples.log_volume, samples.log_q);
    return out;
  }
};

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("a place is 0 widths from its own cell, some from another's, a NaN as far as can be") {
    const nn::CoordinateBins bins(4, {{0, 2}, {0, 2, true}});
    for (const std::int64_t j : {0, 1}) {
      CHECK(distance_from_cell(bins, j, 0.6, 1) == 0);
      CHECK(distance_from_cell(bins, j, 1.75, 1) == doctest::Approx(1.5));
      CHECK(distance_from_cell(bins, j, std::nan(""), 1) ==
            std::numeric_limits<double>::infinity());
    }
    CHECK(distance_from_cell(bins, 1, 1.75, 0) == doctest::Approx(0.5));
  }

  TEST_CASE("of a model alone an audit asks four things, and weighs its fresh samples") {
    const Setting s;
    AuditOptions options;
    options.fresh = 50;
    const Audit found = audit({s.proposal, s.target, s.molecule.topology}, options);
    CHECK(titles_of(found) == std::vector<std::string>{"Is q a probability?",
                                                       "Do coordinates mean what log q says?",
                                                       "Are energies those of the force field?",
                                                       "How far do the weights carry?"});
    CHECK(found.log_weight.size() == 50);
    CHECK(found.draws.empty());
    CHECK(found.reference.checks.empty());
    std::int64_t lines = 0;
    for (const auto& section : found.sections) lines += std::ssize(section.checks);
    CHECK(found.count(Verdict::pass) + found.count(Verdict::fail) + found.count(Verdict::warning) +
              found.count(Verdict::information) ==
          lines);
    CHECK(found.passed() == (found.count(Verdict::fail) == 0));
  }

  TEST_CASE("stored samples are asked after what else is said of them; their weights are judged") {
    const Setting s;
    const auto stored = s.stored();
    AuditSubject subject{s.proposal, s.target, s.molecule.topology, &stored};
    subject.said = {{"what the folder says", 1, 0, Verdict::fail, ""}};
    AuditOptions options;
    options.fresh = 20;
    const Audit found = audit(subject, options);
    REQUIRE(found.sections.size() == 5);
    CHECK(found.sections[3].title == "Are the samples what they claim?");
    CHECK(has_line(found.sections[3], "transforms of the draws"));
    CHECK(found.sections[3].checks.back().name == "what the folder says");
    CHECK_FALSE(found.passed());
    CHECK(found.log_weight == stored.log_weight);
    CHECK(std::ssize(found.draws) == 60 * s.generator.map().size());
  }

  TEST_CASE("a reference adds its lines before those of the weights") {
    const Setting s;
    const auto stored = s.stored();
    const ReferenceEnsemble reference{s.molecule.topology, 1, stored.positions_nm,
                                      stored.reduced_energy};
    AuditSubject subject{s.proposal, s.target, s.molecule.topology};
    subject.reference = &reference;
    AuditOptions options;
    options.fresh = 20;
    const Audit found = audit(subject, options);
    const auto& trust = found.sections.back();
    CHECK(trust.checks.front().name == "share of the reference outside the bins' support");
    CHECK(trust.checks.front().verdict == Verdict::pass);
    CHECK(has_line(trust, "reference energies against plain loops"));
    CHECK(trust.checks.back().name == "Pareto k-hat of the weights");
    CHECK(std::ssize(found.reference.log_weight) == 3);  // a twentieth of sixty
  }
}

}  // namespace arbg::sampling
