// log Z from both sides on Gaussians of known Z: honest weights pass, a missing constant fails, and
// a missing half of the target is seen where the weights alone look perfect.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "sampling/audit/reference.h"
#include "tensor/base/random.h"

namespace arbg::sampling {
namespace {

// q = N(0, 1), target exp(-u) = exp(-(x - shift)^2 / 2): log w = x shift - shift^2/2 + log sqrt(2
// pi).
std::vector<double> normal_log_weights(double mean, double shift, std::uint64_t seed) {
  const Random random(seed, stream_id("log z"));
  std::vector<double> out;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const double x = mean + random.normal_pair(i)[0];
    out.push_back(x * shift - shift * shift / 2 + 0.5 * std::log(6.283185307179586));
  }
  return out;
}

TEST_SUITE("statistical") {
  TEST_CASE("log Z agrees from both sides where q covers the target") {
    const auto check =
        compare_log_z(normal_log_weights(0, 0.3, 1), normal_log_weights(0.3, 0.3, 2));
    CHECK(check.verdict == Verdict::pass);
  }

  TEST_CASE("weights of the samples off by a constant fail") {
    auto model = normal_log_weights(0, 0.3, 1);
    for (double& log_w : model) log_w += 0.2;
    CHECK(compare_log_z(model, normal_log_weights(0.3, 0.3, 2)).verdict == Verdict::fail);
  }

  TEST_CASE("log Z of populations agrees with independent samples, and fails where it is off") {
    auto particles = normal_log_weights(0, 0.3, 3);
    const auto independent = normal_log_weights(0, 0.3, 1);
    CHECK(compare_populations(particles, 20, independent).verdict == Verdict::pass);
    for (double& log_w : particles) log_w += 0.2;
    CHECK(compare_populations(particles, 20, independent).verdict == Verdict::fail);
  }

  TEST_CASE("half of the target missing from the samples fails though their weights are perfect") {
    const std::vector<double> model(4000, 1.0);
    std::vector<double> reference(4000, 1.0);
    for (std::size_t i = 0; i < reference.size(); i += 2) reference[i] = 12;
    CHECK(compare_log_z(model, reference).verdict == Verdict::fail);
  }
}

}  // namespace
}  // namespace arbg::sampling
